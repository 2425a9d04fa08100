/**
 * Lines of multistream-select. Pure: no I/O, no clock, no promises.
 *
 *      +-----------------------+---------------------+----+
 *      | length, varint, <=1024| text, UTF-8         | \n |
 *      +-----------------------+---------------------+----+
 *
 * The length counts the line feed. The answer to `ls` is one line whose text is lines: `../WIRE.md`.
 *
 * @module
 */
import type { Cut, Cutter } from '@ropewalk/framing'
import { HEADER, LIST, MAX_LENGTH_BYTES, MAX_LINE_BYTES, NOT_AVAILABLE } from './constants.ts'
import { NegotiateError } from './errors.ts'

const LINE_FEED = 0x0a

/** One line. */
export function encodeLine (text: string): Uint8Array {
  return withLength(new TextEncoder().encode(`${text}\n`))
}

/** The answer to `ls`. Its length is bounded by nothing but the list. */
export function encodeList (protocols: readonly string[]): Uint8Array {
  return withLength(join([...protocols.map(encodeLine), Uint8Array.of(LINE_FEED)]))
}

/** The text of a line that `LineCutter` has cut. */
export function decodeLine (line: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line)
  } catch (cause) {
    throw new NegotiateError('ERR_BAD_LINE', `line of ${line.length} bytes is not UTF-8`, { cause })
  }
}

/** Throws for what can be no name of a protocol: the caller's fault. */
export function assertProtocol (protocol: string): void {
  if (typeof protocol !== 'string') throw new TypeError('a protocol is a string')
  if (protocol === '' || protocol === HEADER || protocol === NOT_AVAILABLE || protocol === LIST) throw new RangeError(`${JSON.stringify(protocol)} is no protocol`)
  if (protocol.includes('\n') || !protocol.isWellFormed()) throw new RangeError(`protocol ${JSON.stringify(protocol)} is not a line of text`)
  const length = new TextEncoder().encode(protocol).length + 1
  if (length > MAX_LINE_BYTES) throw new RangeError(`protocol of ${length} > ${MAX_LINE_BYTES} bytes, line feed included`)
}

/** Throws `ERR_WRONG_HEADER` unless the peer speaks multistream-select 1.0. */
export function expectHeader (line: string): void {
  if (line !== HEADER) throw new NegotiateError('ERR_WRONG_HEADER', `first line ${shown(line)} instead of ${HEADER}`)
}

/** A line of the peer, fit for a message. */
export function shown (line: string): string {
  return JSON.stringify(line.length > 100 ? `${line.slice(0, 100)}…` : line)
}

/** Cuts lines, without their line feed. At most one line is held. */
export class LineCutter implements Cutter {
  #length = 0
  #lengthBytes = 0
  #line: Uint8Array | undefined
  #filled = 0

  cut (chunk: Uint8Array, start: number): Cut | undefined {
    let at = start
    while (this.#line == null) {
      if (at === chunk.length) return undefined
      this.#addLength(chunk[at++] as number)
    }

    const line = this.#line
    const taken = chunk.subarray(at, at + line.length - this.#filled)
    line.set(taken, this.#filled)
    this.#filled += taken.length
    if (this.#filled < line.length) return undefined

    if (line.at(-1) !== LINE_FEED) throw new NegotiateError('ERR_BAD_LINE', `line of ${line.length} bytes has no line feed at its end`)
    this.#line = undefined
    this.#length = this.#lengthBytes = this.#filled = 0
    return { value: line.subarray(0, -1), end: at + taken.length }
  }

  end (): undefined {
    throw new NegotiateError('ERR_TRUNCATED', 'the peer ended before a protocol was agreed on')
  }

  #addLength (byte: number): void {
    this.#length |= (byte & 0x7f) << (7 * this.#lengthBytes++)
    if (byte >= 0x80) {
      if (this.#lengthBytes === MAX_LENGTH_BYTES) throw new NegotiateError('ERR_BAD_LENGTH', `length of a line in more than ${MAX_LENGTH_BYTES} bytes`)
      return
    }
    if (byte === 0 && this.#lengthBytes > 1) throw new NegotiateError('ERR_BAD_LENGTH', `length ${this.#length} in ${this.#lengthBytes} bytes instead of 1`)
    if (this.#length > MAX_LINE_BYTES) throw new NegotiateError('ERR_LINE_TOO_LONG', `line of ${this.#length} > ${MAX_LINE_BYTES} bytes`)
    if (this.#length === 0) throw new NegotiateError('ERR_BAD_LINE', 'line of 0 bytes has no line feed at its end')
    this.#line = new Uint8Array(this.#length)
  }
}

function withLength (bytes: Uint8Array): Uint8Array {
  const length: number[] = []
  let left = bytes.length
  for (; left >= 0x80; left = Math.floor(left / 128)) length.push((left & 0x7f) | 0x80)
  return join([Uint8Array.of(...length, left), bytes])
}

function join (parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
