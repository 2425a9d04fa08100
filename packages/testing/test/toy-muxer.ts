import type { AbortOptions, Bytes, Channel, Muxer, Source } from '@ropewalk/interface'
import { link, type Link } from '../src/index.ts'
import type { MuxerPair } from '../src/muxer-suite.ts'

/** What is wrong with a toy. Nothing, without a flaw. */
export type Flaw =
  | 'reorders' | 'loses the last chunk' | 'no backpressure' | 'closes both directions'
  | 'hangs on death' | 'quiet death' | 'quiet abort' | 'quiet throw' | 'break is ignored' | 'deaf to signals'
  | 'close cuts' | 'close refuses nothing' | 'one sink at a time' | 'forgets to forget' | 'residue' | 'dispose does nothing'

/** Two muxers without a wire: every channel is a memory connection of its own. Enough to see whether the suite can tell right from wrong. */
export function toyMuxers (flaw?: Flaw): MuxerPair {
  const world = new World(flaw)
  return {
    left: world.left,
    right: world.right,
    openChannels: () => flaw === 'forgets to forget' ? world.opened : world.channels.size,
    residue: () => flaw === 'residue' ? world.opened : 0,
    cut () {
      if (flaw === 'hangs on death') return
      world.die(flaw === 'quiet death' ? 'end' : 'reset')
    }
  }
}

class World {
  readonly flaw: Flaw | undefined
  readonly left: Toy
  readonly right: Toy
  readonly channels = new Map<Link, number>()
  opened = 0
  closed = false
  turn: Promise<unknown> = Promise.resolve()
  readonly #idle = Promise.withResolvers<void>()

  constructor (flaw?: Flaw) {
    this.flaw = flaw
    this.left = new Toy(this)
    this.right = new Toy(this)
  }

  connect (acceptor: Toy): Channel {
    if (this.closed && this.flaw !== 'close refuses nothing') throw new Error('closed')
    this.opened++
    const line = link({ capacityBytes: this.flaw === 'no backpressure' ? Infinity : 65_536 })
    // Four halves to finish: a source and a sink on each side.
    this.channels.set(line, 4)
    const half = (): void => {
      const left = (this.channels.get(line) ?? 1) - 1
      if (left === 0) this.#forget(line)
      else if (this.channels.has(line)) this.channels.set(line, left)
    }
    const broken = (): void => { this.#forget(line) }
    acceptor.take(new ToyChannel(this, line.right, line, half, broken))
    return new ToyChannel(this, line.left, line, half, broken)
  }

  async close (): Promise<void> {
    this.closed = true
    if (this.flaw === 'close cuts') this.die('reset')
    this.#check()
    await this.#idle.promise
  }

  die (how: 'reset' | 'end'): void {
    this.closed = true
    for (const line of [...this.channels.keys()]) {
      line.cut(how)
      this.#forget(line)
    }
    this.#check()
  }

  #forget (line: Link): void {
    this.channels.delete(line)
    this.#check()
  }

  #check (): void {
    if (!this.closed || this.channels.size > 0) return
    this.#idle.resolve()
    this.left.end()
    this.right.end()
  }
}

class Toy implements Muxer {
  readonly #world: World
  readonly #arrived: Channel[] = []
  readonly #waiting: Array<(result: IteratorResult<Channel>) => void> = []
  #ended = false

  constructor (world: World) {
    this.#world = world
  }

  async open ({ signal }: AbortOptions = {}): Promise<Channel> {
    if (this.#world.flaw !== 'deaf to signals') signal?.throwIfAborted()
    return this.#world.connect(this.#world.left === this ? this.#world.right : this.#world.left)
  }

  close ({ signal }: AbortOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#world.close().then(resolve, reject)
      if (this.#world.flaw !== 'deaf to signals') signal?.addEventListener('abort', () => { reject(signal.reason) })
    })
  }

  abort (_reason: Error): void {
    this.#world.die('reset')
  }

  take (channel: Channel): void {
    this.#arrived.push(channel)
    this.#serve()
  }

  end (): void {
    this.#ended = true
    this.#serve()
  }

  [Symbol.asyncIterator] (): AsyncIterator<Channel> {
    return {
      next: () => new Promise(resolve => {
        this.#waiting.push(resolve)
        this.#serve()
      })
    }
  }

  #serve (): void {
    while (this.#waiting.length > 0 && (this.#arrived.length > 0 || this.#ended)) {
      const value = this.#arrived.shift()
      this.#waiting.shift()?.(value == null ? { done: true, value: undefined } : { done: false, value })
    }
  }
}

class ToyChannel implements Channel {
  readonly source: Channel['source']
  readonly #world: World
  readonly #inner: Channel
  readonly #line: Link
  readonly #half: () => void
  readonly #broken: () => void
  #finished = false

  constructor (world: World, inner: Channel, line: Link, half: () => void, broken: () => void) {
    this.#world = world
    this.#inner = inner
    this.#line = line
    this.#half = half
    this.#broken = broken
    this.source = { [Symbol.asyncIterator]: () => this.#read() }
  }

  async sink (source: Source<Bytes>, { signal }: AbortOptions = {}): Promise<void> {
    const { flaw } = this.#world
    const before = this.#world.turn
    const gate = Promise.withResolvers<void>()
    if (flaw === 'one sink at a time') {
      this.#world.turn = gate.promise
      await before
    }
    try {
      await this.#inner.sink(damage(source, flaw), flaw === 'deaf to signals' ? {} : { signal })
      if (flaw === 'closes both directions') this.#line.cut('end')
      this.#half()
    } catch (error) {
      this.#broken()
      throw error
    } finally {
      gate.resolve()
    }
  }

  abort (reason: Error): void {
    if (this.#world.flaw === 'quiet abort') this.#line.cut('end')
    this.#inner.abort(reason)
    this.#broken()
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#world.flaw === 'dispose does nothing') return
    await this.#inner[Symbol.asyncDispose]()
    this.#broken()
  }

  #read (): ReturnType<Channel['source'][typeof Symbol.asyncIterator]> {
    const inner = this.#inner.source[Symbol.asyncIterator]()
    return {
      next: async () => {
        const result = await inner.next()
        if (result.done === true && !this.#finished) {
          this.#finished = true
          this.#half()
        }
        return result
      },
      return: async () => this.#world.flaw === 'break is ignored' ? { done: true, value: undefined } : await inner.return?.() ?? { done: true, value: undefined }
    }
  }
}

async function * damage (source: Source<Bytes>, flaw: Flaw | undefined): AsyncGenerator<Bytes> {
  let kept: Bytes | undefined
  try {
    for await (const bytes of source) {
      if (flaw === 'reorders') {
        if (kept != null) { yield bytes; yield kept; kept = undefined } else kept = bytes
      } else if (flaw === 'loses the last chunk') {
        if (kept != null) yield kept
        kept = bytes
      } else yield bytes
    }
  } catch (error) {
    if (flaw !== 'quiet throw') throw error
  }
  if (flaw === 'reorders' && kept != null) yield kept
}
