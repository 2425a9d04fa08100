import type { AbortOptions, Source } from '@ropewalk/interface'

export interface LookaheadOptions<T> extends AbortOptions {
  /** Most items under way. */
  readonly maxItems: number
  /** Most weight under way, as `weigh` says; a single item may weigh more. */
  readonly maxWeight?: number | undefined
  readonly weigh?: ((item: T) => number) | undefined
}

/** What `work` is told besides its item. */
export interface Turn {
  /** Aborts when nobody wants the result any more. */
  readonly signal: AbortSignal
  /** Nothing else is under way: whoever reads stands waiting for this one. */
  readonly urgent: boolean
}

interface Begun<R> {
  readonly result: Promise<R>
  readonly weight: number
  settled: boolean
}

/**
 * Works on several items at a time and yields the results in the order of the items. What is under way is bounded in items and in weight.
 * Whatever ends it ends the work that has begun, and the source.
 */
export async function * lookahead<T, R> (source: Source<T>, work: (item: T, turn: Turn) => Promise<R>, options: LookaheadOptions<T>): AsyncGenerator<R, void, undefined> {
  const { maxItems, maxWeight = Infinity, weigh = () => 0, signal } = options
  signal?.throwIfAborted()
  const stop = new AbortController()
  const workSignal = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  const begun: Array<Begun<R>> = []
  let weight = 0
  let ended = false
  let failure: { error: unknown } | undefined
  let asking: Promise<void> | undefined
  let wake: (() => void) | undefined

  const ask = async (): Promise<void> => {
    try {
      const { done, value } = await iterator.next()
      if (done === true) {
        ended = true
        return
      }
      const heavy = weigh(value)
      const entry = { result: work(value, { signal: workSignal, urgent: begun.length === 0 }), weight: heavy, settled: false }
      const settle = (): void => {
        entry.settled = true
        if (begun[0] === entry) wake?.()
      }
      entry.result.then(settle, settle)
      begun.push(entry)
      weight += heavy
    } catch (error) {
      ended = true
      failure ??= { error }
    } finally {
      asking = undefined
      wake?.()
    }
  }

  try {
    for (;;) {
      signal?.throwIfAborted()
      if (!ended && asking === undefined && (begun.length === 0 || (begun.length < maxItems && weight < maxWeight))) {
        const asked = ask()
        // A source that throws at once has ended before there is anything to wait for.
        if (!ended) asking = asked
      }
      const [first] = begun
      if (first === undefined) {
        if (asking === undefined) {
          if (failure !== undefined) throw failure.error
          return
        }
        await asking
      } else if (first.settled || asking === undefined) {
        const result = await first.result
        begun.shift()
        weight -= first.weight
        yield result
      } else {
        await new Promise<void>(resolve => { wake = resolve })
        wake = undefined
      }
    }
  } finally {
    stop.abort(new DOMException('nobody reads on', 'AbortError'))
    if (!ended) {
      const returned = Promise.resolve(iterator.return?.()).catch(() => {})
      // A generator answers only after what it was asked for last, which may never come.
      if (asking === undefined) await returned
    }
    await Promise.allSettled(begun.map(({ result }) => result))
  }
}
