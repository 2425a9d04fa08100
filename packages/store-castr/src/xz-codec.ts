/**
 * The outline of an xz stream, from its end: whether there is exactly one, whole and with nothing behind it, and how long its content is. Pure.
 *
 *      12        blocks, padded to 4     index, padded to 4     12
 *      +---------+------------------ - - +-------------- - - ---+---------+
 *      | header  | block | block |       | sizes of the blocks  | footer  |
 *      +---------+------------------ - - +-------------- - - ---+---------+
 *
 * @module
 */
import { readU32LE } from '@ropewalk/framing'
import { damaged } from './errors.ts'

export interface XzStream {
  /** Length of the content, as the index says. */
  readonly contentBytes: number
}

const HEADER_BYTES = 12
const FOOTER_BYTES = 12
const CRC_BYTES = 4

/** The .xz file format, sections 2 and 4. `ERR_CHUNK_DAMAGED` unless `bytes` are one stream. */
export function readXzStream (bytes: Uint8Array): XzStream {
  const { length } = bytes
  if (length < HEADER_BYTES + FOOTER_BYTES + 8 || length % 4 !== 0) throw damaged(`xz: cut short, or with something behind it: ${length} bytes`)
  if (bytes[length - 2] !== 0x59 || bytes[length - 1] !== 0x5a) throw damaged('xz: no footer at the end')
  const indexBytes = (readU32LE(bytes, length - 8) + 1) * 4
  const indexStart = length - FOOTER_BYTES - indexBytes
  if (indexStart < HEADER_BYTES || bytes[indexStart] !== 0) throw damaged('xz: no index where the footer says')

  const numbers = new Varints(bytes, indexStart + 1, length - FOOTER_BYTES - CRC_BYTES)
  let blockBytes = 0
  let contentBytes = 0
  for (let records = numbers.next(); records > 0; records--) {
    blockBytes += Math.ceil(numbers.next() / 4) * 4
    contentBytes += numbers.next()
  }
  if (HEADER_BYTES + blockBytes !== indexStart) throw damaged(`xz: the blocks end at byte ${HEADER_BYTES + blockBytes}, the index begins at ${indexStart}`)
  return { contentBytes }
}

class Varints {
  readonly #bytes: Uint8Array
  readonly #end: number
  #at: number

  constructor (bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
  }

  next (): number {
    let value = 0
    for (let shift = 0; shift < 49; shift += 7) {
      if (this.#at >= this.#end) break
      const byte = this.#bytes[this.#at++] as number
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw damaged('xz: a number in the index does not end')
  }
}
