/**
 * What a node of the original cannot bear: it holds its connection's write lock while it waits for an answer, so whatever
 * makes its reader write meanwhile stops it for good (specification, finding 5). From the moment it opens a channel until
 * its request there is answered, it gets no content and no request of ours on that connection. Answers never wait.
 *
 * @module
 */
import type { ControlPacket, Packet } from '@ropewalk/muxer-mdsftp'
import type { Clock } from './clock.ts'
import { REQUEST_HOLD_MS } from './constants.ts'

export class Courtesy {
  readonly #clock: Clock
  /** Channels on which the peer may be waiting, each with what ends our patience. */
  readonly #asking = new Map<object, () => void>()
  #waiting: Array<() => void> = []

  constructor (clock: Clock) {
    this.#clock = clock
  }

  /** Nothing has to be held back now. */
  get clear (): boolean {
    return this.#asking.size === 0
  }

  /** The peer opened `channel`, or asks on it. One that never asks is no reason to wait for ever. */
  asked (channel: object): void {
    if (!this.#asking.has(channel)) this.#asking.set(channel, this.#clock.after(REQUEST_HOLD_MS, () => this.answered(channel)))
  }

  /** It has its answer, or needs none. */
  answered (channel: object): void {
    const cancel = this.#asking.get(channel)
    if (cancel === undefined) return
    cancel()
    this.#asking.delete(channel)
    if (this.#asking.size === 0) for (const resume of this.#waiting.splice(0)) resume()
  }

  /** What came on `channel`: some requests hold the peer's lock, some do not. */
  heard (channel: object, packet: Packet): void {
    if (HOLDS_ITS_LOCK.has(packet.type)) this.asked(channel)
    else this.answered(channel)
  }

  /** Resolves when nothing has to be held back. */
  async turn (): Promise<void> {
    while (!this.clear) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }
}

/** Requests that keep the original from writing until they are answered; towards it, they are what has to wait. */
export const HOLDS_ITS_LOCK: ReadonlySet<Packet['type']> = new Set<ControlPacket['type']>(['Reserve', 'Put', 'Query', 'Commit', 'LockReq'])
