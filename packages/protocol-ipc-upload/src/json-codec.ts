/** JSON objects with 64-bit numbers and keys in a fixed order. Pure. */
import { MAX_ECHO_CHARACTERS, MAX_ID_BYTES } from './constants.ts'
import { IpcUploadError } from './errors.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** A value whose JSON was written already. */
export class RawJson {
  readonly text: string

  constructor (text: string) {
    this.text = text
  }
}

/** The object with its keys in the order given; `undefined` leaves one out. */
export function writeObject (members: JsonObject): string {
  let text = ''
  for (const [key, value] of Object.entries(members)) {
    if (value !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${writeValue(value)}`
  }
  return `{${text}}`
}

/** Whole numbers above 2^53 are bigints with `exact`, which takes longer: ask for it where sizes may be. */
export function parseObject (payload: Uint8Array, exact: boolean): JsonObject {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload)
    value = exact ? JSON.parse(text, exactNumbers as (key: string, value: unknown) => unknown) : JSON.parse(text)
  } catch {
    // No cause: what JSON.parse says quotes the message, and a token may be in it.
    throw malformed('not JSON in UTF-8')
  }
  if (!isObject(value)) throw malformed('not a JSON object')
  if (repeatsKey(text)) throw malformed('a key that is there twice')
  return value
}

/** Whether an object in `text`, which is JSON, has a key twice: of two values one reader takes the first, another the last. */
function repeatsKey (text: string): boolean {
  const open: Array<Set<string> | undefined> = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{') open.push(new Set())
    else if (character === '[') open.push(undefined)
    else if (character === '}' || character === ']') open.pop()
    else if (character === '"') {
      const start = at
      at = endOfText(text, start)
      const keys = open.at(-1)
      if (keys === undefined || !isKey(text, at + 1)) continue
      const key = JSON.parse(text.slice(start, at + 1)) as string
      if (keys.has(key)) return true
      keys.add(key)
    }
  }
  return false
}

/** Where the quote is that ends the text which begins at `start`. */
function endOfText (text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text[end - 1 - escapes] === '\\') escapes++
    if (escapes % 2 === 0) return end
  }
}

function isKey (text: string, after: number): boolean {
  let at = after
  while (/[ \t\n\r]/.test(text[at] ?? '')) at++
  return text[at] === ':'
}

export function isObject (value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function malformed (what: string, messageId?: string): IpcUploadError {
  return new IpcUploadError('ERR_MALFORMED', 'transfer', `malformed message: ${what}`, { messageId })
}

export function textOf (json: JsonObject, key: string): string {
  const value = json[key]
  if (typeof value !== 'string') throw malformed(`no text under ${key}`)
  return value
}

/** An id that a peer chose, for us to echo. */
export function idOf (json: JsonObject, key: string, least: number = 1): string {
  const id = textOf(json, key)
  const bytes = utf8Bytes(id)
  if (bytes < least || bytes > MAX_ID_BYTES) throw malformed(`${key} of ${bytes} bytes, not ${least} to ${MAX_ID_BYTES}`)
  return id
}

export function integerOf (json: JsonObject, key: string): number {
  const value = json[key]
  if (!Number.isSafeInteger(value)) throw malformed(`no whole number under ${key}`)
  return value as number
}

export function u64Of (json: JsonObject, key: string): bigint {
  const value = json[key]
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) {
    const whole = BigInt(value as number | bigint)
    if (BigInt.asUintN(64, whole) === whole) return whole
  }
  throw malformed(`no unsigned 64-bit number under ${key}`)
}

export function textsOf (json: JsonObject, key: string): string[] {
  const value = json[key]
  if (!Array.isArray(value) || !value.every(item => typeof item === 'string')) throw malformed(`no list of texts under ${key}`)
  return value
}

/** Whatever the key `id` has, as its JSON, for the answer. */
export function echoOf (json: JsonObject): string | undefined {
  if (json['id'] === undefined || json['id'] === null) return undefined
  let text: string
  try {
    text = writeValue(json['id'])
  } catch {
    throw malformed('an id that is nested too deep')
  }
  if (text.length > MAX_ECHO_CHARACTERS) throw malformed(`id of ${text.length} > ${MAX_ECHO_CHARACTERS} characters`)
  return text
}

export function utf8Bytes (text: string): number {
  return new TextEncoder().encode(text).length
}

function writeValue (value: unknown): string {
  if (value instanceof RawJson) return value.text
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return `[${value.map(writeValue).join()}]`
  if (isObject(value)) return writeObject(value)
  return JSON.stringify(value)
}

/** Engines that do not tell the source of a number leave us the rounded one, which is over every limit all the same. */
function exactNumbers (_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || !Number.isInteger(value)) return value
  const source = context?.source ?? ''
  return /^\d{16,20}$/.test(source) ? BigInt(source) : value
}
