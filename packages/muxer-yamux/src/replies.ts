/**
 * What the session itself has to say: pongs, refusals, a ping. Bounded, so that a peer that does not read cannot make
 * us remember more and more.
 */
import type { Member, Outgoing } from '@ropewalk/mux'
import { writeHeader } from './codec.ts'
import { Flag, FrameType, HEADER_BYTES, MAX_QUEUED_RESETS, MAX_UNANSWERED_PINGS } from './constants.ts'
import { YamuxError } from './errors.ts'

export class Replies implements Member {
  controlQueued = false
  readyQueued = false
  readonly #wake: () => void
  #pongs: number[] = []
  #resets: number[] = []
  #ping: number | undefined

  constructor (wake: () => void) {
    this.#wake = wake
  }

  pong (value: number): void {
    if (this.#pongs.length >= MAX_UNANSWERED_PINGS) throw flood(`${this.#pongs.length + 1} > ${MAX_UNANSWERED_PINGS} pings unanswered, and the peer does not read`)
    this.#pongs.push(value)
    this.#wake()
  }

  reset (stream: number): void {
    if (this.#resets.length >= MAX_QUEUED_RESETS) throw flood(`${this.#resets.length + 1} > ${MAX_QUEUED_RESETS} resets wait, and the peer does not read`)
    this.#resets.push(stream)
    this.#wake()
  }

  ping (value: number): void {
    this.#ping = value
    this.#wake()
  }

  writeControls (out: Outgoing): void {
    for (const stream of this.#resets) write(out, FrameType.WindowUpdate, Flag.RST, stream, 0)
    for (const value of this.#pongs) write(out, FrameType.Ping, Flag.ACK, 0, value)
    if (this.#ping !== undefined) write(out, FrameType.Ping, Flag.SYN, 0, this.#ping)
    this.#resets = []
    this.#pongs = []
    this.#ping = undefined
  }

  writeFrame (): boolean {
    return false
  }
}

function write (out: Outgoing, type: number, flags: number, stream: number, length: number): void {
  const at = out.reserve(HEADER_BYTES)
  writeHeader(out.slab, at, type, flags, stream, length)
}

function flood (message: string): YamuxError {
  return new YamuxError('ERR_FLOOD', 'connection', message)
}
