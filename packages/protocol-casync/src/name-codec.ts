/**
 * Names as text without loss. Names in a tree are bytes, of which most are UTF-8; a byte that is not stands as U+DC00 + byte, which no UTF-8
 * decodes to, so that every name has one text and every such text one name.
 *
 * @module
 */

export function decodeName (bytes: Uint8Array): string {
  if (bytes.length < 64 && isAscii(bytes)) return String.fromCharCode(...bytes)
  try {
    return UTF8.decode(bytes)
  } catch {
    return decodeMixed(bytes)
  }
}

function isAscii (bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) >= 0x80) return false
  return true
}

/** RangeError for text that no name decodes to. */
export function encodeName (text: string): Uint8Array {
  if (!HALF.test(text)) return ENCODER.encode(text)
  const bytes: number[] = []
  for (const character of text) {
    const code = character.codePointAt(0) as number
    if (code >= ESCAPED && code <= ESCAPED + 0xff) bytes.push(code & 0xff)
    else if (code >= 0xd800 && code <= 0xdfff) throw new RangeError('half a surrogate pair')
    else bytes.push(...ENCODER.encode(character))
  }
  return Uint8Array.from(bytes)
}

/** In the order in which names stand in an archive. */
export function compareBytes (a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** What is wrong with the name of something in a folder; `undefined` for a good one. */
export function nameTrouble (bytes: Uint8Array, maxBytes: number): string | undefined {
  if (bytes.length === 0) return 'empty'
  if (bytes.length > maxBytes) return `${bytes.length} > ${maxBytes} bytes`
  if (bytes.includes(0)) return 'NUL in it'
  if (bytes.includes(SLASH)) return '/ in it'
  if (bytes[0] === DOT && (bytes.length === 1 || (bytes.length === 2 && bytes[1] === DOT))) return '. or ..'
  return undefined
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const ENCODER = new TextEncoder()
const ESCAPED = 0xdc00
const HALF = /\p{Cs}/u
const SLASH = 0x2f
const DOT = 0x2e

function decodeMixed (bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at] as number)
    const piece = bytes.subarray(at, at + length)
    let decoded: string | undefined
    if (piece.length === length) {
      try {
        decoded = UTF8.decode(piece)
      } catch {}
    }
    text += decoded ?? String.fromCharCode(ESCAPED + (bytes[at] as number))
    at += decoded === undefined ? 1 : length
  }
  return text
}

function sequenceLength (first: number): number {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}
