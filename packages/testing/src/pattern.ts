import type { Bytes, Source } from '@ropewalk/interface'
import { iterate, pieces } from './bytes.ts'
import { TestingError } from './errors.ts'

const DEFAULT_CHUNK_BYTES = 64 * 1024

/** `lengthBytes` bytes that look random and are the same for the same `seed`, made as they are asked for. */
export function * pattern (lengthBytes: number, seed: number = 0, chunkBytes: number = DEFAULT_CHUNK_BYTES): Generator<Uint8Array<ArrayBuffer>> {
  for (let offset = 0; offset < lengthBytes; offset += chunkBytes) {
    yield patternAt(offset, Math.min(chunkBytes, lengthBytes - offset), seed)
  }
}

/** The part of a pattern that begins at `offset`: what a reader of a range should see. */
export function patternAt (offset: number, lengthBytes: number, seed: number = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthBytes)
  let word = mix(Math.floor(offset / 4), seed) >>> (8 * (offset % 4))
  for (let index = 0; index < lengthBytes; index++) {
    if ((offset + index) % 4 === 0) word = mix((offset + index) / 4, seed)
    bytes[index] = word
    word >>>= 8
  }
  return bytes
}

/** Compares bytes with a pattern as they come, without keeping any. */
export class PatternCheck {
  readonly #seed: number
  #offset = 0

  constructor (seed: number = 0) {
    this.#seed = seed
  }

  /** Bytes that were right so far. */
  get offset (): number {
    return this.#offset
  }

  /** Throws `ERR_UNEXPECTED_BYTES` with the offset of the first byte that is wrong. */
  push (bytes: Bytes): void {
    for (const piece of pieces(bytes)) {
      const right = patternAt(this.#offset, piece.byteLength, this.#seed)
      for (let index = 0; index < piece.byteLength; index++) {
        if (piece[index] === right[index]) continue
        throw new TestingError('ERR_UNEXPECTED_BYTES', `byte ${this.#offset + index} is ${piece[index]}, not ${right[index]}`)
      }
      this.#offset += piece.byteLength
    }
  }
}

/** Reads `source` to its end: it must be exactly `pattern(lengthBytes, seed)`. */
export async function verify (source: Source<Bytes>, lengthBytes: number, seed: number = 0): Promise<void> {
  const check = new PatternCheck(seed)
  for await (const bytes of source) {
    check.push(bytes)
    if (check.offset > lengthBytes) throw new TestingError('ERR_TOO_LONG', `${check.offset} > ${lengthBytes} bytes`)
  }
  if (check.offset < lengthBytes) throw new TestingError('ERR_UNEXPECTED_END', `ended after ${check.offset} of ${lengthBytes} bytes`)
}

/** A source that knows how much of it was taken. */
export interface Counted extends AsyncIterable<Bytes> {
  /** How often the next chunk was asked for. */
  readonly pulls: number
  /** Bytes handed out. */
  readonly bytes: number
  /** True once it was read to its end, has failed, or its reader has let go of it. */
  readonly released: boolean
}

/** `source`, counted. The measure for backpressure: what has not been pulled occupies nobody's memory. */
export function counting (source: Source<Bytes>): Counted {
  const counted = {
    pulls: 0,
    bytes: 0,
    released: false,
    [Symbol.asyncIterator]: (): AsyncIterator<Bytes> => {
      const iterator = iterate(source)
      return {
        async next () {
          counted.pulls++
          try {
            const result = await iterator.next()
            if (result.done === true) counted.released = true
            else counted.bytes += result.value.byteLength
            return result
          } catch (error) {
            counted.released = true
            throw error
          }
        },
        async return () {
          counted.released = true
          await iterator.return?.()
          return { done: true, value: undefined }
        }
      }
    }
  }
  return counted
}

/** A well mixed 32-bit number for each place and seed, so that any part can be made without what is before it. */
function mix (place: number, seed: number): number {
  let word = Math.imul(place + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b)
  word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d)
  word = Math.imul(word ^ (word >>> 12), 0x297a2d39)
  return (word ^ (word >>> 15)) >>> 0
}
