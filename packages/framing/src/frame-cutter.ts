/**
 * Cuts frames that announce their own length out of a byte stream. Pure: no I/O, no clock, no promises.
 *
 *      0              lengthOffset       headerBytes
 *      +--------------+------------------+---------+---------- - -
 *      | whatever     | length           | whatever| payload
 *      +--------------+------------------+---------+---------- - -
 *
 * @module
 */
import { DEFAULT_MAX_FRAME_BYTES } from './constants.ts'
import type { Cut, Cutter } from './cutter.ts'
import { FramingError, type ErrorScope } from './errors.ts'
import { readU16BE, readU16LE, readU32BE, readU32LE } from './integers.ts'
import { KeptBytes } from './kept-bytes.ts'
import { assertUnits } from './units.ts'

export interface FrameCutterOptions {
  /** Size of the length field. */
  lengthBytes: 1 | 2 | 4 | 8
  /** Where the length field begins. Default 0. */
  lengthOffset?: number | undefined
  /** Size of everything before the payload. Default: up to the end of the length field. */
  headerBytes?: number | undefined
  /** Default false. */
  littleEndian?: boolean | undefined
  /** Whether the length counts the whole frame instead of the payload. Default false. */
  lengthIncludesHeader?: boolean | undefined
  /** Most bytes of one frame, header included. Default 1 MiB. */
  maxFrameBytes?: number | undefined
  /** The scope of the errors. Default `channel`. */
  scope?: ErrorScope | undefined
}

const LENGTH_SIZES: readonly number[] = [1, 2, 4, 8]

export class FrameCutter implements Cutter {
  readonly #lengthBytes: number
  readonly #lengthOffset: number
  readonly #headerBytes: number
  readonly #littleEndian: boolean
  readonly #lengthIncludesHeader: boolean
  readonly #maxFrameBytes: number
  readonly #scope: ErrorScope | undefined
  readonly #kept: KeptBytes = new KeptBytes()
  /** Size of the frame whose bytes are kept; 0 until its header is complete. */
  #frameBytes = 0
  #failure: FramingError | undefined

  constructor (options: FrameCutterOptions) {
    this.#lengthBytes = options.lengthBytes
    this.#lengthOffset = options.lengthOffset ?? 0
    this.#headerBytes = options.headerBytes ?? this.#lengthOffset + this.#lengthBytes
    this.#littleEndian = options.littleEndian ?? false
    this.#lengthIncludesHeader = options.lengthIncludesHeader ?? false
    this.#maxFrameBytes = options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES
    this.#scope = options.scope
    if (!LENGTH_SIZES.includes(this.#lengthBytes)) throw new RangeError(`lengthBytes must be 1, 2, 4 or 8: ${this.#lengthBytes}`)
    assertUnits('lengthOffset', this.#lengthOffset)
    assertUnits('headerBytes', this.#headerBytes, this.#lengthOffset + this.#lengthBytes)
    assertUnits('maxFrameBytes', this.#maxFrameBytes, this.#headerBytes)
  }

  /** Yields each frame that `chunk` completes, header included. Exhaust it: bytes after an early `break` are lost. */
  * push (chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    for (let cut = this.cut(chunk, 0); cut !== undefined; cut = this.cut(chunk, cut.end)) yield cut.value
  }

  /** Throws `ERR_TOO_LARGE` or `ERR_BAD_LENGTH` from a header alone, and from then on always: nobody knows where the next frame begins. */
  cut (chunk: Uint8Array, start: number): Cut | undefined {
    if (this.#failure !== undefined) throw this.#failure
    let at = start
    if (this.#frameBytes === 0) {
      if (this.#kept.length === 0 && chunk.length - at >= this.#headerBytes) {
        const frameBytes = this.#measure(chunk, at)
        if (chunk.length - at >= frameBytes) return { value: chunk.subarray(at, at + frameBytes), end: at + frameBytes }
        this.#frameBytes = frameBytes
      } else {
        at = this.#keep(chunk, at, this.#headerBytes)
        if (this.#kept.length < this.#headerBytes) return undefined
        this.#frameBytes = this.#measure(this.#kept.view(), 0)
      }
    }

    at = this.#keep(chunk, at, this.#frameBytes)
    if (this.#kept.length < this.#frameBytes) return undefined
    this.#frameBytes = 0
    return { value: this.#kept.take(), end: at }
  }

  /** Call when the stream ends: it may only end between frames, else `ERR_TRUNCATED`. */
  end (): undefined {
    if (this.#failure !== undefined) throw this.#failure
    const got = this.#kept.length
    if (got === 0) return undefined
    const wanted = this.#frameBytes === 0 ? this.#headerBytes : this.#frameBytes
    const part = this.#frameBytes === 0 ? 'header' : 'frame'
    throw new FramingError('ERR_TRUNCATED', `stream ended inside a ${part}: ${got} < ${wanted} bytes`, { scope: this.#scope, wanted, got })
  }

  #keep (chunk: Uint8Array, start: number, wanted: number): number {
    const end = Math.min(chunk.length, start + wanted - this.#kept.length)
    if (end > start) this.#kept.append(chunk, start, end, wanted)
    return end
  }

  /** Every check happens here, before a byte of payload is kept. */
  #measure (bytes: Uint8Array, start: number): number {
    const length = this.#length(bytes, start + this.#lengthOffset)
    if (this.#lengthIncludesHeader && length < this.#headerBytes) {
      this.#fail('ERR_BAD_LENGTH', `length does not cover its header: ${length} < ${this.#headerBytes} bytes`)
    }
    const frameBytes = this.#lengthIncludesHeader ? length : length + this.#headerBytes
    if (frameBytes > this.#maxFrameBytes) this.#fail('ERR_TOO_LARGE', `frame too large: ${frameBytes} > ${this.#maxFrameBytes} bytes`)
    return frameBytes
  }

  /** An eight-byte length as a number is exact up to 2^53; past that it is over every possible limit, exact or not. */
  #length (bytes: Uint8Array, offset: number): number {
    const u32 = this.#littleEndian ? readU32LE : readU32BE
    switch (this.#lengthBytes) {
      case 1: return bytes[offset] as number
      case 2: return this.#littleEndian ? readU16LE(bytes, offset) : readU16BE(bytes, offset)
      case 4: return u32(bytes, offset)
      default: return u32(bytes, offset + (this.#littleEndian ? 4 : 0)) * 2 ** 32 + u32(bytes, offset + (this.#littleEndian ? 0 : 4))
    }
  }

  #fail (code: 'ERR_BAD_LENGTH' | 'ERR_TOO_LARGE', message: string): never {
    this.#failure = new FramingError(code, message, { scope: this.#scope })
    throw this.#failure
  }
}
