const BYTES_PER_LINE = 16

/**
 * Bytes from an annotated dump: pairs of hex digits count, white space does not, `#` starts a comment that ends with the
 * line. Throws a SyntaxError that names the line of anything else.
 */
export function hexdump (text: string): Uint8Array {
  const bytes: number[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const digits = line.replace(/#.*/, '').replace(/\s/g, '')
    if (!/^(?:[\da-f]{2})*$/i.test(digits)) throw new SyntaxError(`line ${index + 1} is not pairs of hex digits: ${line.trim()}`)
    for (let at = 0; at < digits.length; at += 2) bytes.push(parseInt(digits.slice(at, at + 2), 16))
  }
  return Uint8Array.from(bytes)
}

/** `bytes` for people, 16 a line with offset and printable ASCII, at most `maxBytes` (256) of them. Without the margins, `hexdump` reads it back. */
export function dump (bytes: Uint8Array, options: { maxBytes?: number } = {}): string {
  const shown = bytes.subarray(0, options.maxBytes ?? 256)
  const lines: string[] = []
  for (let at = 0; at < shown.byteLength; at += BYTES_PER_LINE) {
    const row = shown.subarray(at, at + BYTES_PER_LINE)
    const hex = Array.from(row, byte => byte.toString(16).padStart(2, '0')).join(' ')
    const text = Array.from(row, byte => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.').join('')
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(BYTES_PER_LINE * 3 - 1)}  # ${text}`)
  }
  if (shown.byteLength < bytes.byteLength) lines.push(`… ${bytes.byteLength - shown.byteLength} more bytes`)
  return lines.length === 0 ? '(no bytes)' : lines.join('\n')
}
