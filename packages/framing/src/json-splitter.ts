/**
 * Cuts a stream of JSON values into single ones, as bytes. Pure: no I/O, no clock, no promises.
 *
 * Values follow each other with or without whitespace, as Go's `json.Decoder` and `json.Encoder` have it. Only what is needed
 * to find their ends is looked at: brackets, strings with their escapes, and, since nothing else encloses them, the whole of a
 * number or literal outside of any bracket. Whether the inside of an object is JSON is for `JSON.parse` to say.
 *
 * @module
 */
import { DEFAULT_MAX_JSON_BYTES, DEFAULT_MAX_JSON_DEPTH } from './constants.ts'
import type { Cut, Cutter } from './cutter.ts'
import { FramingError, type ErrorScope, type FramingErrorCode } from './errors.ts'
import { BACKSLASH, Class, QUOTE, classOf, closerOf, isEscape, isHexDigit, isScalar } from './json-bytes.ts'
import { KeptBytes } from './kept-bytes.ts'
import { assertUnits } from './units.ts'

export interface JsonSplitterOptions {
  /** Most bytes of one value. Default 1 MiB. */
  maxBytes?: number | undefined
  /** Most levels of arrays and objects in one value. Default 128. */
  maxDepth?: number | undefined
  /** The scope of the errors. Default `channel`. */
  scope?: ErrorScope | undefined
}

const State = {
  Between: 0,
  Scalar: 1,
  Inside: 2,
  String: 3,
  Escape: 4,
  Unicode: 5
} as const

type State = typeof State[keyof typeof State]

export class JsonSplitter implements Cutter {
  readonly #maxBytes: number
  readonly #maxDepth: number
  readonly #scope: ErrorScope | undefined
  readonly #kept: KeptBytes = new KeptBytes()
  /** The brackets that have to follow, innermost last. */
  readonly #closers: number[] = []
  #state: State = State.Between
  #hexDigits = 0
  #failure: FramingError | undefined

  constructor (options: JsonSplitterOptions = {}) {
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_JSON_BYTES
    this.#maxDepth = options.maxDepth ?? DEFAULT_MAX_JSON_DEPTH
    this.#scope = options.scope
    assertUnits('maxBytes', this.#maxBytes, 1)
    assertUnits('maxDepth', this.#maxDepth, 1)
  }

  /** Yields each value that `chunk` completes. Exhaust it: bytes after an early `break` are lost. */
  * push (chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    for (let cut = this.cut(chunk, 0); cut !== undefined; cut = this.cut(chunk, cut.end)) yield cut.value
  }

  /** Throws `ERR_BAD_JSON`, `ERR_TOO_DEEP` or `ERR_TOO_LARGE`, and from then on always: nobody knows where the next value begins. */
  cut (chunk: Uint8Array, start: number): Cut | undefined {
    if (this.#failure !== undefined) throw this.#failure
    let from = start
    if (this.#state === State.Between) {
      while (from < chunk.length && classOf(chunk[from]) === Class.Space) from++
    }

    const end = this.#scan(chunk, from)
    if (end !== -1) {
      const value = this.#complete(chunk, from, end)
      return { value, end }
    }
    this.#keep(chunk, from, chunk.length)
    return undefined
  }

  /** Call when the stream ends. Returns the number or literal that only the end completes; `ERR_TRUNCATED` inside anything else. */
  end (): Uint8Array | undefined {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#state === State.Between) return undefined
    const got = this.#kept.length
    if (this.#state === State.Scalar) return this.#complete(new Uint8Array(0), 0, 0)
    throw new FramingError('ERR_TRUNCATED', `stream ended inside a JSON value, ${got} bytes into it`, { scope: this.#scope, got })
  }

  /** Goes on until the value is complete, and returns where it ends; -1 where the chunk ends first. */
  #scan (chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] as number
      switch (this.#state) {
        case State.Between:
        case State.Inside:
          this.#step(byte, at - from)
          // A closing bracket that leaves nothing open, and only that, leads back here.
          if (this.#state === State.Between) return at + 1
          break
        case State.Scalar: {
          const kind = classOf(byte)
          if (kind === Class.Space || kind === Class.Quote || kind === Class.Open) return at
          if (kind !== Class.Scalar) this.#unexpected(byte, at - from)
          break
        }
        case State.String:
          if (byte === QUOTE) {
            this.#state = this.#closers.length === 0 ? State.Between : State.Inside
            if (this.#state === State.Between) return at + 1
          } else if (byte === BACKSLASH) this.#state = State.Escape
          else if (byte < 0x20) this.#unexpected(byte, at - from)
          break
        case State.Escape:
          if (!isEscape(byte)) this.#unexpected(byte, at - from)
          this.#hexDigits = byte === 0x75 ? 4 : 0
          this.#state = this.#hexDigits > 0 ? State.Unicode : State.String
          break
        case State.Unicode:
          if (!isHexDigit(byte)) this.#unexpected(byte, at - from)
          if (--this.#hexDigits === 0) this.#state = State.String
      }
    }
    return -1
  }

  /** A byte outside of strings: what begins a value, or what stands inside brackets. */
  #step (byte: number, position: number): void {
    const begins = this.#state === State.Between
    switch (classOf(byte)) {
      case Class.Quote:
        this.#state = State.String
        break
      case Class.Open:
        if (this.#closers.length === this.#maxDepth) this.#fail('ERR_TOO_DEEP', `nested too deep: ${this.#maxDepth + 1} > ${this.#maxDepth} levels`)
        this.#closers.push(closerOf(byte))
        this.#state = State.Inside
        break
      case Class.Close:
        if (this.#closers.pop() !== byte) this.#unexpected(byte, position)
        if (this.#closers.length === 0) this.#state = State.Between
        break
      case Class.Scalar:
        if (begins) this.#state = State.Scalar
        break
      case Class.Space:
        break
      case Class.Separator:
        if (begins) this.#unexpected(byte, position)
        break
      default:
        this.#unexpected(byte, position)
    }
  }

  #complete (chunk: Uint8Array, from: number, end: number): Uint8Array {
    let value: Uint8Array
    if (this.#kept.length === 0) {
      this.#assertSize(end - from)
      value = chunk.subarray(from, end)
    } else {
      this.#keep(chunk, from, end)
      value = this.#kept.take()
    }
    if (this.#state === State.Scalar && !isScalar(value)) this.#fail('ERR_BAD_JSON', `neither a number nor a literal: ${value.length} bytes`)
    this.#state = State.Between
    return value
  }

  #keep (chunk: Uint8Array, from: number, end: number): void {
    this.#assertSize(this.#kept.length + end - from)
    if (end > from) this.#kept.append(chunk, from, end, this.#maxBytes)
  }

  #assertSize (bytes: number): void {
    if (bytes > this.#maxBytes) this.#fail('ERR_TOO_LARGE', `JSON value too large: ${bytes} > ${this.#maxBytes} bytes`)
  }

  #unexpected (byte: number, position: number): never {
    this.#fail('ERR_BAD_JSON', `unexpected byte 0x${byte.toString(16).padStart(2, '0')}, ${this.#kept.length + position} bytes into a JSON value`)
  }

  #fail (code: FramingErrorCode, message: string): never {
    this.#failure = new FramingError(code, message, { scope: this.#scope })
    throw this.#failure
  }
}
