/**
 * Yamux frames: bytes to frames and back. Pure.
 *
 *      0         1      2              4                 8                 12
 *      +---------+------+--------------+-----------------+-----------------+---------- - -
 *      | version | type | flags u16 BE | stream   u32 BE | length   u32 BE | content
 *      +---------+------+--------------+-----------------+-----------------+---------- - -
 *
 * Only data frames have content. The content is not gathered: it is handed on in the pieces that arrive, so a frame
 * that announces 4 GiB costs nothing. The tables, and what implementations make of them: `../WIRE.md`.
 *
 * @module
 */
import { FrameType, HEADER_BYTES, VERSION } from './constants.ts'
import { YamuxError } from './errors.ts'

export { Flag, FrameType, GoAwayReason, HEADER_BYTES, INITIAL_WINDOW_BYTES, VERSION } from './constants.ts'
export { YamuxError } from './errors.ts'
export type { YamuxErrorCode } from './errors.ts'

/** Takes what a Deframer finds, in order. */
export interface FrameSink {
  /** A header. Of a data frame, `length` bytes of content will follow in pieces; of any other, `length` is all it says. */
  frame (type: number, flags: number, stream: number, length: number): void
  /** A piece of the content of the frame under way, lent until the call returns; `complete` with its last byte. */
  content (bytes: Uint8Array, complete: boolean): void
}

/** All flags of the table together. */
const KNOWN_FLAGS = 0xf

/** Writes a header into `into` at `at`. */
export function writeHeader (into: Uint8Array, at: number, type: number, flags: number, stream: number, length: number): void {
  into[at] = VERSION
  into[at + 1] = type
  into[at + 2] = flags >>> 8
  into[at + 3] = flags
  into[at + 4] = stream >>> 24
  into[at + 5] = stream >>> 16
  into[at + 6] = stream >>> 8
  into[at + 7] = stream
  into[at + 8] = length >>> 24
  into[at + 9] = length >>> 16
  into[at + 10] = length >>> 8
  into[at + 11] = length
}

/** A header by itself: a whole frame, unless it announces data. */
export function encodeHeader (type: number, flags: number, stream: number, length: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES)
  writeHeader(header, 0, type, flags, stream, length)
  return header
}

/** Cuts a byte stream into frames, however the transport chunked it. */
export class Deframer {
  /** A header that the chunks cut. */
  readonly #held: Uint8Array = new Uint8Array(HEADER_BYTES)
  #filled = 0
  #contentLeft = 0

  /** Hands everything that `chunk` holds to `sink`. Throws a YamuxError at the first header that is not one; push nothing after that. */
  push (chunk: Uint8Array, sink: FrameSink): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#contentLeft > 0) {
        const taken = Math.min(this.#contentLeft, chunk.length - at)
        this.#contentLeft -= taken
        sink.content(taken === chunk.length ? chunk : chunk.subarray(at, at + taken), this.#contentLeft === 0)
        at += taken
      } else if (this.#filled === 0 && chunk.length - at >= HEADER_BYTES) {
        this.#emit(chunk, at, sink)
        at += HEADER_BYTES
      } else {
        const taken = Math.min(HEADER_BYTES - this.#filled, chunk.length - at)
        this.#held.set(chunk.subarray(at, at + taken), this.#filled)
        this.#filled += taken
        at += taken
        if (this.#filled < HEADER_BYTES) return
        this.#filled = 0
        this.#emit(this.#held, 0, sink)
      }
    }
  }

  /** Call when the transport ends: a stream may only end between frames. */
  end (): void {
    if (this.#contentLeft > 0) throw truncated(`${this.#contentLeft} bytes of content missing`)
    if (this.#filled > 0) throw truncated(`${this.#filled} of ${HEADER_BYTES} bytes of a header`)
  }

  #emit (bytes: Uint8Array, at: number, sink: FrameSink): void {
    const version = bytes[at] as number
    const type = bytes[at + 1] as number
    const flags = (bytes[at + 2] as number) << 8 | (bytes[at + 3] as number)
    if (version !== VERSION) throw new YamuxError('ERR_VERSION', 'connection', `version ${version} instead of ${VERSION}`)
    if (type > FrameType.GoAway) throw new YamuxError('ERR_UNKNOWN_TYPE', 'connection', `frame type ${type} > ${FrameType.GoAway}`)
    if (flags > KNOWN_FLAGS) throw new YamuxError('ERR_FLAGS', 'connection', `flags 0x${flags.toString(16)} > 0x${KNOWN_FLAGS.toString(16)}`)
    const length = u32(bytes, at + 8)
    if (type === FrameType.Data) this.#contentLeft = length
    sink.frame(type, flags, u32(bytes, at + 4), length)
  }
}

function u32 (bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 24 | (bytes[at + 1] as number) << 16 | (bytes[at + 2] as number) << 8 | (bytes[at + 3] as number)) >>> 0
}

function truncated (what: string): YamuxError {
  return new YamuxError('ERR_TRUNCATED', 'connection', `the stream ended inside a frame: ${what}`)
}
