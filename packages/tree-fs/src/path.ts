/**
 * Names as bytes and as text. A byte that is no UTF-8 stands as the half surrogate U+DC00 + byte, as the contract of trees has it.
 *
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'

export function nameOf (bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return text.includes('\ufffd') && !Buffer.from(text, 'utf8').equals(bytes) ? mixed(bytes) : text
}

/** Where the system finds it. Text that is UTF-8 stays text, which is faster. */
export function pathOf (text: string): string | Buffer {
  return HALF.test(text) ? bytesOf(text) : text
}

export function bytesOf (text: string): Buffer {
  if (!HALF.test(text)) return Buffer.from(text, 'utf8')
  const parts = Array.from(text, character => {
    const code = character.codePointAt(0) as number
    return code >= ESCAPED && code <= ESCAPED + 0xff ? Buffer.of(code & 0xff) : Buffer.from(character, 'utf8')
  })
  return Buffer.concat(parts)
}

/** A name for what has not got its own yet. */
export function temporary (): string {
  return `${TEMPORARY}${randomBytes(8).toString('hex')}`
}

/** The same for one path, each time. */
export function temporaryOf (path: string): string {
  return `${TEMPORARY}${createHash('sha256').update(bytesOf(path)).digest('hex').slice(0, 32)}`
}

export const TEMPORARY = '.ropewalk-'

const ESCAPED = 0xdc00
const HALF = /\p{Cs}/u

function mixed (bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] as number
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    const piece = bytes.subarray(at, at + length)
    const decoded = piece.toString('utf8')
    const good = piece.length === length && Buffer.from(decoded, 'utf8').equals(piece)
    text += good ? decoded : String.fromCharCode(ESCAPED + first)
    at += good ? length : 1
  }
  return text
}
