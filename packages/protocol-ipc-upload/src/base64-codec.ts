/** base64, as both generations of the protocol carry content. Pure. */
import { IpcUploadError } from './errors.ts'

const ALPHABET: Uint8Array = ascii('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const PAD = 0x3d
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const NONE = 255
const VALUES: Uint8Array = valuesOf()

/** Bytes that `length` bytes take, without line feeds. */
export function base64Bytes (length: number): number {
  return Math.ceil(length / 3) * 4
}

/** Writes `bytes` as ASCII at `offset` of `target`: standard alphabet, padded, no line feeds. Returns where it ends. */
export function writeBase64 (bytes: Uint8Array, target: Uint8Array, offset: number): number {
  const whole = bytes.length - bytes.length % 3
  let at = offset
  for (let from = 0; from < whole; from += 3) {
    const bits = (bytes[from] as number) << 16 | (bytes[from + 1] as number) << 8 | (bytes[from + 2] as number)
    target[at++] = ALPHABET[bits >>> 18] as number
    target[at++] = ALPHABET[bits >>> 12 & 63] as number
    target[at++] = ALPHABET[bits >>> 6 & 63] as number
    target[at++] = ALPHABET[bits & 63] as number
  }
  if (whole === bytes.length) return at
  const two = bytes.length - whole === 2
  const bits = (bytes[whole] as number) << 16 | (two ? (bytes[whole + 1] as number) << 8 : 0)
  target[at++] = ALPHABET[bits >>> 18] as number
  target[at++] = ALPHABET[bits >>> 12 & 63] as number
  target[at++] = two ? ALPHABET[bits >>> 6 & 63] as number : PAD
  target[at++] = PAD
  return at
}

/** Text; with `line`, a line feed after so many characters and at the end. */
export function encodeBase64 (bytes: Uint8Array, line?: number): string {
  const target = new Uint8Array(base64Bytes(bytes.length))
  writeBase64(bytes, target, 0)
  const text = new TextDecoder('latin1').decode(target)
  if (line === undefined || text === '') return text
  let lines = ''
  for (let at = 0; at < text.length; at += line) lines += `${text.slice(at, at + line)}\n`
  return lines
}

/** Takes both alphabets, with or without padding and line feeds. Throws `ERR_BAD_DATA`. */
export function decodeBase64 (text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor(text.length * 3 / 4))
  let length = 0
  let bits = 0
  let held = 0
  let padding = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const value = code < 128 ? VALUES[code] as number : NONE
    if (value !== NONE && padding === 0) {
      bits = bits << 6 | value
      if (++held === 4) {
        bytes[length++] = bits >>> 16
        bytes[length++] = bits >>> 8
        bytes[length++] = bits
        bits = held = 0
      }
    } else if (code === PAD) padding++
    else if (code !== LINE_FEED && code !== CARRIAGE_RETURN) refuse('a character outside the alphabet')
  }
  if (held === 1 || (padding > 0 && held + padding !== 4)) refuse('a length that no bytes have')
  if ((held === 2 && (bits & 15) !== 0) || (held === 3 && (bits & 3) !== 0)) refuse('bits after the last byte')
  if (held >= 2) bytes[length++] = bits >>> (held === 2 ? 4 : 10)
  if (held === 3) bytes[length++] = bits >>> 2
  return bytes.subarray(0, length)
}

/** Whether the bits after the last byte are zero, where padding says that there are some. */
export function canonicalEnd (text: Uint8Array): boolean {
  const last = text.length - 1
  if (text[last] !== PAD) return true
  const two = text[last - 1] === PAD
  const value = VALUES[text[two ? last - 2 : last - 1] as number] ?? NONE
  return value !== NONE && (value & (two ? 15 : 3)) === 0
}

function refuse (what: string): never {
  throw new IpcUploadError('ERR_BAD_DATA', 'transfer', `not base64: ${what}`)
}

function ascii (text: string): Uint8Array {
  return Uint8Array.from(text, character => character.charCodeAt(0))
}

function valuesOf (): Uint8Array {
  const values = new Uint8Array(128).fill(NONE)
  ALPHABET.forEach((code, value) => { values[code] = value })
  values['-'.charCodeAt(0)] = 62
  values['_'.charCodeAt(0)] = 63
  return values
}
