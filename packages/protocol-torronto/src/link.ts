/**
 * A connection to a peer of our own kind that stays: made when something is to be said, ended when nothing was for a while. Any
 * number of requests are under way on it, and answers find theirs by the id.
 *
 * @module
 */
import { ByteReader } from '@ropewalk/framing'
import type { Connection, Dial } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { LINK_IDLE_MS, IDLE_TIMEOUT_MS, PREFACE } from './constants.ts'
import { SwarmError } from './errors.ts'
import type { ExchangeOptions } from './exchange.ts'
import { decodeFrame, encodeFrame, frameParts, type HardenedFrame } from './hardened-codec.ts'
import { Proof } from './membership.ts'
import { MessageCutter } from './message-cutter-codec.ts'
import { AS_IMPLEMENTED, type PeerAddress } from './message.ts'

export interface LinkOptions {
  readonly dial: Dial<PeerAddress>
  readonly self: PeerAddress
  readonly to: PeerAddress
  readonly exchange: ExchangeOptions
}

export class Link {
  readonly #options: LinkOptions
  #line: Line | undefined
  #nextId = 1

  constructor (options: LinkOptions) {
    this.#options = options
  }

  /** Says `before`, then asks; resolves with the answer. Rejects when none comes in time, or the connection breaks. */
  async ask (frame: HardenedFrame, before: readonly HardenedFrame[] = []): Promise<HardenedFrame> {
    if (this.#line === undefined || this.#line.over) this.#line = new Line(this.#options)
    return await this.#line.ask({ ...frame, id: this.#nextId++ }, before)
  }

  /** Resolves when nothing is under way any more. */
  async close (): Promise<void> {
    await this.#line?.end()
  }
}

interface Waiting {
  readonly resolve: (answer: HardenedFrame) => void
  readonly reject: (error: unknown) => void
}

/** One connection, from its first byte to its last. */
class Line {
  readonly #options: LinkOptions
  readonly #control = new AbortController()
  readonly #waiting = new Map<number, Waiting>()
  readonly #ended: Promise<void>
  #queue: HardenedFrame[] = []
  #wake: (() => void) | undefined
  #cancel: () => void = () => {}
  over = false

  constructor (options: LinkOptions) {
    this.#options = options
    const { signal } = options.exchange
    const stop = (): void => { this.#fail(signal.reason as Error) }
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    this.#watch()
    this.#ended = this.#run().catch(error => { this.#fail(error as Error) }).finally(() => {
      this.#cancel()
      signal.removeEventListener('abort', stop)
    })
  }

  async ask (frame: HardenedFrame & { id: number }, before: readonly HardenedFrame[]): Promise<HardenedFrame> {
    return await new Promise((resolve, reject) => {
      if (this.over) return reject(this.#control.signal.reason)
      this.#waiting.set(frame.id, { resolve, reject })
      if (this.#waiting.size === 1) this.#watch()
      this.#queue.push(...before, frame)
      this.#wake?.()
    })
  }

  async end (): Promise<void> {
    this.over = true
    this.#wake?.()
    await this.#ended
  }

  /** Reads until the peer ends; it does so once we have. */
  async #run (): Promise<void> {
    const { dial, self, to, exchange } = this.#options
    const { signal } = this.#control
    const connection = await dial(to, { signal })
    const proof = exchange.key === undefined ? undefined : new Proof(exchange.key, self, to)
    try {
      connection.sink(this.#outgoing(proof), { signal }).catch(error => { this.#fail(error as Error) })
      await this.#read(connection, proof)
    } finally {
      proof?.abandon()
      await connection[Symbol.asyncDispose]()
    }
  }

  async #read (connection: Connection, proof: Proof | undefined): Promise<void> {
    const reader = new ByteReader(connection.source)
    const cutter = new MessageCutter(AS_IMPLEMENTED)
    const { signal } = this.#control
    for (;;) {
      const value = await reader.next(cutter, { signal })
      if (value === undefined) return this.#fail(new SwarmError('ERR_INTERRUPTED', 'the connection ended before the answer'))
      if (cutter.hardened !== true) throw new SwarmError('ERR_BAD_PREFACE', 'the answer is none of ours')
      if (value.length === PREFACE.length) continue
      const answer = decodeFrame(value)
      if (proof?.waits === true) await proof.take(answer)
      else {
        const waiting = this.#waiting.get(answer.re ?? -1)
        this.#waiting.delete(answer.re ?? -1)
        waiting?.resolve(answer)
      }
      this.#watch()
    }
  }

  /** What we say, in order; frames wait until both sides have proven themselves. */
  async * #outgoing (proof: Proof | undefined): AsyncGenerator<Uint8Array | Uint8ArrayList, void, undefined> {
    yield Uint8Array.from(PREFACE)
    if (proof === undefined) yield encodeFrame({ action: 'Add', from: this.#options.self, files: [] })
    else {
      yield encodeFrame(proof.hello)
      const proven = await proof.proven
      if (proven === undefined) return
      yield encodeFrame(proven)
    }
    for (;;) {
      const frames = this.#queue
      this.#queue = []
      // Together: most are small, and each write wakes somebody.
      if (frames.length > 0) yield new Uint8ArrayList(...frames.flatMap(frameParts))
      if (this.#queue.length > 0) continue
      if (this.over) return
      await new Promise<void>(resolve => { this.#wake = resolve })
    }
  }

  /** Begins anew to wait: for an answer, where one is due, or for something to say. */
  #watch (): void {
    const { clock } = this.#options.exchange
    this.#cancel()
    this.#cancel = this.#waiting.size > 0
      ? clock.after(IDLE_TIMEOUT_MS, () => { this.#fail(new SwarmError('ERR_TIMEOUT', `answer: nothing within ${IDLE_TIMEOUT_MS} ms`)) })
      : clock.after(LINK_IDLE_MS, () => { void this.end() })
  }

  #fail (reason: Error): void {
    this.over = true
    this.#cancel()
    this.#control.abort(reason)
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
    this.#wake?.()
  }
}
