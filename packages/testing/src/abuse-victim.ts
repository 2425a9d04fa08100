import type { Channel, Connection, Muxer } from '@ropewalk/interface'
import { duplexPair, type PairOptions } from './pair.ts'
import { Script } from './script.ts'
import { settle, turn } from './turn.ts'

/**
 * How the bytes of one wire say what a hostile peer wants to say. Channels are numbered from 0 in the order in which the
 * peer opens them; the dialect turns that into ids.
 */
export interface Dialect {
  /** Content that may be sent on a channel without credit. */
  readonly windowBytes: number
  /** Data frames that may be sent on a channel without credit, where the wire counts them. */
  readonly windowFrames?: number
  open (channel: number): Uint8Array
  /** The `sequence`-th data frame of a channel, from 0. */
  data (channel: number, sequence: number, content: Uint8Array): Uint8Array
  /** The beginning of a data frame, up to its content, that announces `length` bytes of it. */
  announce (channel: number, sequence: number, length: number): Uint8Array
  /** Breaks a channel off. */
  reset (channel: number): Uint8Array
  /** Credit for a channel; absent where credit is not a number. */
  credit? (channel: number, bytes: number): Uint8Array
  /** Asks for an answer; absent where nothing does. */
  ping? (value: number): Uint8Array
  /** Frames that an open channel 0 allows, and that do nothing, by name. */
  readonly idle?: Readonly<Record<string, Uint8Array>>
  /** What no peer may say, by name. Each is sent to a muxer that has seen nothing yet. */
  readonly breaches: Readonly<Record<string, Uint8Array>>
  /** What must be ignored, by name. */
  readonly strays?: Readonly<Record<string, Uint8Array>>
}

/** Makes the muxer that is attacked, as the side that did not open the connection. */
export type MakeVictim = (connection: Connection) => Muxer

/** What became of the muxer: it has ended the connection, it does not read on, or neither. */
export type Outcome = 'ended' | 'stalled' | 'open'

/** Frames sent at a time. */
const GROUP_FRAMES = 64

/** Turns of the event loop after which what was not taken will not be. */
const PATIENCE_TURNS = 200

/** One muxer, and the hostile peer in front of it. */
export class Victim {
  readonly muxer: Muxer
  readonly #incoming: AsyncIterator<Channel>
  readonly #script = new Script()
  readonly #attacker: Connection
  #gone = false

  /** `reads`: whether the peer reads what it is told. */
  constructor (make: MakeVictim, reads: boolean, options: PairOptions = {}) {
    const [left, right] = duplexPair(options)
    this.#attacker = left
    this.muxer = make(right)
    this.#incoming = this.muxer[Symbol.asyncIterator]()
    left.sink(this.#script).catch(() => { this.#gone = true })
    if (reads) void this.#read(left)
  }

  /** The next channel that the victim accepts; `undefined` when it accepts none within reason. */
  async accept (): Promise<Channel | undefined> {
    let result: IteratorResult<Channel> | undefined
    this.#incoming.next().then(next => { result = next }, () => { result = { done: true, value: undefined } })
    await settle(() => result)
    return result?.done === false ? result.value : undefined
  }

  /** Accepts as long as there is something; gives the count so far. */
  acceptAll (): () => number {
    let count = 0
    const loop = async (): Promise<void> => { while ((await this.#incoming.next()).done !== true) count++ }
    loop().catch(() => {})
    return () => count
  }

  /** Sends `bytes`; false when the victim does not take them. */
  async send (bytes: Uint8Array): Promise<boolean> {
    let taken = false
    this.#script.say(bytes).then(() => { taken = true }, () => {})
    for (let turns = 0; turns < PATIENCE_TURNS && !taken && !this.#gone; turns++) await turn()
    return taken
  }

  /** Sends `count` frames or as many as are taken; gives their number. */
  async flood (count: number, frame: (index: number) => Uint8Array): Promise<number> {
    for (let sent = 0; sent < count; sent += GROUP_FRAMES) {
      const group = Array.from({ length: Math.min(GROUP_FRAMES, count - sent) }, (_, index) => frame(sent + index))
      if (!await this.send(join(group)) || this.#gone) return sent
      await turn()
    }
    return count
  }

  /** What became of the victim, once nothing moves any more. */
  async outcome (): Promise<Outcome> {
    await settle(() => this.#gone)
    if (this.#gone) return 'ended'
    let refused: boolean | undefined
    this.muxer.open().then(channel => {
      channel.abort(new Error('only a probe'))
      refused = false
    }, () => { refused = true })
    await settle(() => refused)
    return refused === true || this.#gone ? 'ended' : 'open'
  }

  /** Reads a channel until it ends, fails, or says nothing more. */
  async drain (channel: Channel): Promise<{ bytes: number, pieces: number, failed: boolean }> {
    const seen = { bytes: 0, pieces: 0, failed: false }
    const loop = async (): Promise<void> => {
      for await (const list of channel.source) {
        for (const piece of list) {
          seen.bytes += piece.byteLength
          seen.pieces++
        }
      }
    }
    loop().catch(() => { seen.failed = true })
    await settle(() => seen.bytes + Number(seen.failed))
    return seen
  }

  end (): void {
    this.muxer.abort(new Error('the case is over'))
    this.#attacker.abort(new Error('the case is over'))
  }

  async #read (connection: Connection): Promise<void> {
    try {
      for await (const _ of connection.source) continue
    } catch {
      // However it ended.
    }
    this.#gone = true
  }
}

function join (parts: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.byteLength
  }
  return joined
}
