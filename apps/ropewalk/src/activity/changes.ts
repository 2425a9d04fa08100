import type { Activity, ActivityChange, TransferActivity } from './activity.ts'

/** Things whose changes wait for one reader. Ours: all that a board shows, and as much again. */
export const MAX_CHANGES = 4096

/** What changed and was not read yet: of each thing only the last, and never more than `MAX_CHANGES` of them. */
export class Changes implements AsyncIterableIterator<ActivityChange> {
  readonly #waiting = new Map<string, ActivityChange>()
  readonly #over: () => void
  #wake: (() => void) | undefined
  #ended = false

  constructor (over: () => void, signal: AbortSignal | undefined) {
    const stop = (): void => { this.#end() }
    this.#over = () => {
      signal?.removeEventListener('abort', stop)
      over()
    }
    if (signal?.aborted === true) this.#ended = true
    else signal?.addEventListener('abort', stop, { once: true })
  }

  put (change: ActivityChange): void {
    if (this.#ended) return
    const key = keyOf(change)
    // What comes last is read last: the order in which things ended is kept.
    this.#waiting.delete(key)
    if (this.#waiting.size >= MAX_CHANGES) {
      this.#waiting.clear()
      this.#waiting.set('', { change: 'lost' })
    }
    this.#waiting.set(key, change)
    this.#wake?.()
  }

  async next (): Promise<IteratorResult<ActivityChange>> {
    for (;;) {
      const first = this.#waiting.entries().next()
      if (first.done !== true) {
        this.#waiting.delete(first.value[0])
        return { done: false, value: first.value[1] }
      }
      if (this.#ended) return { done: true, value: undefined }
      await new Promise<void>(resolve => { this.#wake = resolve })
    }
  }

  return (): Promise<IteratorResult<ActivityChange>> {
    this.#end()
    this.#waiting.clear()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator] (): this {
    return this
  }

  #end (): void {
    if (this.#ended) return
    this.#ended = true
    this.#over()
    this.#wake?.()
  }
}

interface Known {
  keys (): Iterable<string>
  has (id: string): boolean
  delete (id: string): boolean
}

/** The transfers that a change tells of. After `lost`, those that run, and those of `known` that have ended unheard; `known` drops what the board has forgotten. */
export function transfersIn (change: ActivityChange, list: () => Activity, known: Known): readonly TransferActivity[] {
  if (change.change === 'transfer') return [change.transfer]
  if (change.change !== 'lost') return []
  const { transfers } = list()
  forgetUnlisted(known, transfers)
  return transfers.filter(({ id, endedAt }) => endedAt === undefined || known.has(id))
}

export function forgetUnlisted (known: Omit<Known, 'has'>, listed: ReadonlyArray<{ readonly id: string }>): void {
  const ids = new Set(listed.map(({ id }) => id))
  for (const id of [...known.keys()]) if (!ids.has(id)) known.delete(id)
}

function keyOf (change: ActivityChange): string {
  switch (change.change) {
    case 'transfer': return change.transfer.id
    case 'lost': return ''
    // That it came and that it went are told apart: the one is no later state of the other for who counts.
    default: return `${change.change} ${change.connection.id}`
  }
}
