/**
 * JSON as this wire has it: keys in any case, few levels, plain integers. Pure, and linear in its input.
 *
 * `JSON.parse` would do three things that a peer may not cause here: keep one of two equal keys, follow any depth, and read
 * digits without end.
 *
 * @module
 */
import { MAX_JSON_DEPTH, MAX_NUMBER_CHARACTERS } from './constants.ts'
import { SwarmError, type SwarmErrorCode } from './errors.ts'

/** A number that is not a plain integer, or too large for one. */
export interface Fraction {
  readonly fraction: number
}

/** Keys are in lower case. */
export type JsonObject = ReadonlyMap<string, JsonValue>
export type JsonValue = string | number | boolean | null | Fraction | readonly JsonValue[] | JsonObject

export interface JsonOptions {
  /** Allow a comma before a closing bracket, as the README of the original prints it. */
  trailingComma?: boolean | undefined
}

/** The one value that `bytes` hold. Throws `ERR_BAD_JSON`, `ERR_TOO_DEEP`, `ERR_DUPLICATE_KEY` or `ERR_TOO_LARGE`. */
export function parseJson (bytes: Uint8Array, options: JsonOptions = {}): JsonValue {
  let text: string
  try {
    text = UTF8.decode(bytes)
  } catch (cause) {
    throw new SwarmError('ERR_BAD_JSON', `not UTF-8: ${bytes.length} bytes`, { cause })
  }
  return new Parser(text, options.trailingComma ?? false).document()
}

/** As the original's encoder writes: no blanks, and `<`, `>`, `&`, U+2028 and U+2029 escaped. */
export function formatJson (value: unknown): Uint8Array {
  const text = JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return ENCODER.encode(text)
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const ENCODER = new TextEncoder()
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
const SPACE = /[ \t\r\n]*/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const LITERALS: ReadonlyArray<readonly [string, JsonValue]> = [['null', null], ['true', true], ['false', false]]

class Parser {
  readonly #text: string
  readonly #trailingComma: boolean
  #at = 0
  #depth = 0

  constructor (text: string, trailingComma: boolean) {
    this.#text = text
    this.#trailingComma = trailingComma
  }

  document (): JsonValue {
    const value = this.#value()
    if (this.#peek() !== undefined) this.#fail('ERR_BAD_JSON', 'more than one value')
    return value
  }

  #value (): JsonValue {
    switch (this.#peek()) {
      case '{': return this.#nested(() => this.#object())
      case '[': return this.#nested(() => this.#array())
      case '"': return this.#string()
    }
    for (const [word, value] of LITERALS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length
        return value
      }
    }
    return this.#number()
  }

  #nested<T> (read: () => T): T {
    if (++this.#depth > MAX_JSON_DEPTH) this.#fail('ERR_TOO_DEEP', `nested too deep: ${this.#depth} > ${MAX_JSON_DEPTH} levels`)
    this.#at++
    const value = read()
    this.#depth--
    return value
  }

  #object (): JsonObject {
    const object = new Map<string, JsonValue>()
    this.#list('}', () => {
      if (this.#peek() !== '"') this.#fail('ERR_BAD_JSON', 'no key')
      const key = this.#string().toLowerCase()
      if (object.has(key)) this.#fail('ERR_DUPLICATE_KEY', `key of ${key.length} characters twice`)
      if (this.#peek() !== ':') this.#fail('ERR_BAD_JSON', 'no colon')
      this.#at++
      object.set(key, this.#value())
    })
    return object
  }

  #array (): JsonValue[] {
    const array: JsonValue[] = []
    this.#list(']', () => { array.push(this.#value()) })
    return array
  }

  #list (closer: string, item: () => void): void {
    for (let first = true; ; first = false) {
      if (this.#peek() === closer && (first || this.#trailingComma)) break
      item()
      const next = this.#peek()
      if (next === closer) break
      if (next !== ',') this.#fail('ERR_BAD_JSON', 'neither comma nor closing bracket')
      this.#at++
    }
    this.#at++
  }

  #string (): string {
    const raw = this.#match(STRING)
    if (raw === undefined) this.#fail('ERR_BAD_JSON', 'a string without end, or with a character that needs an escape')
    return JSON.parse(raw) as string
  }

  #number (): number | Fraction {
    const raw = this.#match(NUMBER)
    if (raw === undefined) this.#fail('ERR_BAD_JSON', 'no value')
    if (raw.length > MAX_NUMBER_CHARACTERS) this.#fail('ERR_TOO_LARGE', `number too long: ${raw.length} > ${MAX_NUMBER_CHARACTERS} characters`)
    const value = Number(raw)
    return /[.eE]/.test(raw) || !Number.isSafeInteger(value) ? { fraction: value } : value
  }

  #peek (): string | undefined {
    this.#match(SPACE)
    return this.#text[this.#at]
  }

  #match (pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #fail (code: SwarmErrorCode, what: string): never {
    throw new SwarmError(code, `${what}, at character ${this.#at} of ${this.#text.length}`)
  }
}
