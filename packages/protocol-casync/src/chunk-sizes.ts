/**
 * The three sizes that decide where chunks end, as numbers and as the text that casync's `--chunk-size` takes.
 *
 * @module
 */
import { DEFAULT_AVG_CHUNK_BYTES, MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, WINDOW_BYTES } from './constants.ts'

export interface ChunkSizes {
  readonly min: number
  readonly avg: number
  readonly max: number
}

/** What casync uses where nobody says otherwise: 16, 64 and 256 KiB. */
export const DEFAULT_CHUNK_SIZES: ChunkSizes = chunkSizesAround(DEFAULT_AVG_CHUNK_BYTES)

/** The sizes that casync derives from an average: a quarter and four times of it. */
export function chunkSizesAround (avg: number): ChunkSizes {
  assertChunkSize('average', avg)
  return { min: Math.max(MIN_CHUNK_BYTES, Math.floor(avg / 4)), avg, max: Math.min(MAX_CHUNK_BYTES, avg * 4) }
}

/**
 * Reads what `--chunk-size` takes: `auto`, an average, or `MIN:AVG:MAX`; `K`, `M`, `G` and so on are powers of 1024.
 * RangeError for what casync refuses.
 */
export function parseChunkSizes (text: string): ChunkSizes {
  if (text === 'auto') return DEFAULT_CHUNK_SIZES
  const parts = text.split(':')
  if (parts.length === 1) return chunkSizesAround(parseSize(text))
  if (parts.length !== 3) throw new RangeError(`either an average or MIN:AVG:MAX, not ${text}`)
  const [min, avg, max] = parts.map(parseSize) as [number, number, number]
  const sizes = { min, avg, max }
  assertChunkSizes(sizes)
  return sizes
}

/** RangeError unless each is 1 … 128 MiB, in order, and the window of the rolling hash fits the longest chunk. */
export function assertChunkSizes ({ min, avg, max }: ChunkSizes): void {
  assertChunkSize('minimum', min)
  assertChunkSize('average', avg)
  assertChunkSize('maximum', max)
  if (min > avg) throw new RangeError(`minimum above average: ${min} > ${avg} bytes`)
  if (avg > max) throw new RangeError(`average above maximum: ${avg} > ${max} bytes`)
  if (min !== max && max < WINDOW_BYTES) throw new RangeError(`maximum below the window of the hash: ${max} < ${WINDOW_BYTES} bytes`)
}

/** A chunk ends where the hash is one less than a multiple of this. Specification section 6; past its pole the formula is negative, and the longest size rules. */
export function discriminator ({ min, avg, max }: ChunkSizes): number {
  const quotient = Math.trunc(avg / (-1.42888852e-7 * avg + 1.33237515))
  return quotient < 0 ? max : Math.min(max, Math.max(min, quotient))
}

const SUFFIXES = ['', 'K', 'M', 'G', 'T', 'P', 'E']

function parseSize (text: string): number {
  const [, digits, suffix] = /^(\d+)([KMGTPE]?)B?$/.exec(text) ?? []
  if (digits === undefined || suffix === undefined) throw new RangeError(`not a size: ${text}`)
  return Number(digits) * 1024 ** SUFFIXES.indexOf(suffix)
}

function assertChunkSize (which: string, size: number): void {
  if (!(Number.isInteger(size) && size >= MIN_CHUNK_BYTES && size <= MAX_CHUNK_BYTES)) {
    throw new RangeError(`${which} chunk size ${size}: not ${MIN_CHUNK_BYTES} ... ${MAX_CHUNK_BYTES} bytes`)
  }
}
