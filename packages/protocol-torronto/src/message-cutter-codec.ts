/**
 * Cuts one connection into its messages as the bytes come: one of the original, or the preface and frames of our own. Pure.
 *
 * @module
 */
import { JsonSplitter, type Cut, type Cutter } from '@ropewalk/framing'
import { actionName, hasBlock } from './action-codec.ts'
import { HEADER_BYTES, MAX_JSON_DEPTH, MESSAGE_BYTES, PREFACE } from './constants.ts'
import { SwarmError } from './errors.ts'
import { asObject, readInteger } from './field-codec.ts'
import { FRAME_PREFIX_BYTES, frameLengths } from './hardened-codec.ts'
import { parseJson } from './json-codec.ts'
import type { Profile } from './message.ts'

/** Keeps at most one message: 66,036 bytes of the original's, or one frame as large as its checked lengths. */
export class MessageCutter implements Cutter {
  readonly #profile: Profile
  /** Grows with what has come, never with what is announced. */
  #kept: Uint8Array = new Uint8Array(1024)
  #length = 0
  #hardened: boolean | undefined
  #prefaced = false
  #done = false
  #json: JsonSplitter | undefined
  #wanted = 1

  constructor (profile: Profile) {
    this.#profile = profile
  }

  /** Whether the connection began as one of our own kind; `undefined` before its first byte. */
  get hardened (): boolean | undefined {
    return this.#hardened
  }

  cut (chunk: Uint8Array, start: number): Cut | undefined {
    let at = start
    while (at < chunk.length) {
      // What follows the one message of an original is nobody's.
      if (this.#done) return undefined
      const end = Math.min(chunk.length, at + this.#wanted - this.#length)
      this.#keep(chunk, at, end)
      at = end
      if (this.#length < this.#wanted) return undefined
      if (this.#advance()) return { value: this.#take(), end: at }
    }
    return undefined
  }

  end (): Uint8Array | undefined {
    if (this.#done || this.#length === 0) return undefined
    if (this.#hardened === true) throw new SwarmError('ERR_TRUNCATED', `frame cut: ${this.#length} < ${this.#wanted} bytes`)
    this.#done = true
    return this.#take()
  }

  /** True when what is kept is a message; otherwise more is wanted now. */
  #advance (): boolean {
    this.#hardened ??= this.#kept[0] === PREFACE[0]
    return this.#hardened ? this.#advanceFrame() : this.#advanceMessage()
  }

  #advanceFrame (): boolean {
    if (!this.#prefaced) {
      if (this.#length < PREFACE.length) {
        this.#wanted = PREFACE.length
        return false
      }
      if (PREFACE.some((byte, index) => this.#kept[index] !== byte)) throw new SwarmError('ERR_BAD_PREFACE', 'neither a message nor version 1 of our frames')
      this.#prefaced = true
      return true
    }
    if (this.#length === FRAME_PREFIX_BYTES) {
      const { json, payload } = frameLengths(this.#kept)
      this.#wanted = FRAME_PREFIX_BYTES + json + payload
      return false
    }
    return true
  }

  /** Byte by byte within the header only: the JSON says where it ends, and its action whether a block follows. */
  #advanceMessage (): boolean {
    if (this.#length === MESSAGE_BYTES) return this.#done = true
    this.#json ??= new JsonSplitter({ maxBytes: HEADER_BYTES, maxDepth: MAX_JSON_DEPTH })
    const value = this.#json.cut(this.#kept.subarray(this.#length - 1, this.#length), 0)?.value
    if (value === undefined) {
      this.#wanted = this.#length + 1
      return false
    }
    const header = asObject(parseJson(value, { trailingComma: this.#profile.name === 'documented' }))
    const action = readInteger(header, 'action')
    if (action === undefined || !hasBlock(actionName(this.#profile.name, action))) return this.#done = true
    this.#wanted = MESSAGE_BYTES
    return false
  }

  #keep (chunk: Uint8Array, start: number, end: number): void {
    const length = this.#length + end - start
    if (length > this.#kept.length) {
      const grown = new Uint8Array(Math.max(length, this.#kept.length * 2))
      grown.set(this.#kept.subarray(0, this.#length))
      this.#kept = grown
    }
    this.#kept.set(chunk.subarray(start, end), this.#length)
    this.#length = length
  }

  #take (): Uint8Array {
    const value = this.#kept.slice(0, this.#length)
    this.#length = 0
    this.#wanted = FRAME_PREFIX_BYTES
    return value
  }
}
