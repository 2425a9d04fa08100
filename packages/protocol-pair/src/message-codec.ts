/**
 * The messages of the exchange. Pure.
 *
 * @module
 */
import { readU16BE, writeU16BE } from '@ropewalk/framing'
import type { Share } from './cpace-codec.ts'
import { ELEMENT_BYTES, MAX_NAME_BYTES, NONCE_BYTES, TAG_BYTES, VERSION } from './constants.ts'
import { PairError } from './errors.ts'

export const Kind = { refused: 0, hello: 1, welcome: 2, share: 3, answer: 4, proof: 5, done: 6 } as const
export type Kind = typeof Kind[keyof typeof Kind]

/** Why the responder refuses. */
export const Refusal = { noCode: 1, wrongCode: 2, version: 3 } as const
export type Refusal = typeof Refusal[keyof typeof Refusal]

/** What a node says of itself. It is authenticated with the rest, and still only a name that it has chosen. */
export interface Introduction {
  readonly name: string
  /** Where it listens; 0 where it does not. */
  readonly port: number
}

/** Bytes behind the kind whose number is fixed; of `share` and `answer` those before the introduction. */
export const FIXED_BYTES: Readonly<Record<Kind, number>> = {
  [Kind.refused]: 1,
  [Kind.hello]: 1 + NONCE_BYTES,
  [Kind.welcome]: NONCE_BYTES,
  [Kind.share]: ELEMENT_BYTES + 1,
  [Kind.answer]: TAG_BYTES + ELEMENT_BYTES + 1,
  [Kind.proof]: TAG_BYTES,
  [Kind.done]: 0
}

/** Most bytes of an introduction: a port and a name. */
export const MAX_INTRODUCTION_BYTES: number = 2 + MAX_NAME_BYTES

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** RangeError for a name that is too long. */
export function encodeIntroduction ({ name, port }: Introduction): Uint8Array {
  const text = encoder.encode(name)
  if (text.length > MAX_NAME_BYTES) throw new RangeError(`name of ${text.length} > ${MAX_NAME_BYTES} bytes`)
  const bytes = new Uint8Array(2 + text.length)
  writeU16BE(bytes, 0, port)
  bytes.set(text, 2)
  return bytes
}

export function decodeIntroduction (bytes: Uint8Array): Introduction {
  if (bytes.length < 2) throw new PairError('ERR_BAD_MESSAGE', `introduction of ${bytes.length} < 2 bytes`)
  try {
    return { port: readU16BE(bytes, 0), name: decoder.decode(bytes.subarray(2)) }
  } catch (cause) {
    throw new PairError('ERR_BAD_MESSAGE', 'the name is not UTF-8', { cause })
  }
}

export function encodeHello (nonce: Uint8Array): Uint8Array {
  return Uint8Array.from([Kind.hello, VERSION, ...nonce])
}

export function encodeWelcome (nonce: Uint8Array): Uint8Array {
  return Uint8Array.from([Kind.welcome, ...nonce])
}

export function encodeShare ({ element, data }: Share): Uint8Array {
  return Uint8Array.from([Kind.share, ...element, data.length, ...data])
}

export function encodeAnswer (tag: Uint8Array, { element, data }: Share): Uint8Array {
  return Uint8Array.from([Kind.answer, ...tag, ...element, data.length, ...data])
}

export function encodeProof (tag: Uint8Array): Uint8Array {
  return Uint8Array.from([Kind.proof, ...tag])
}

export function encodeDone (): Uint8Array {
  return Uint8Array.of(Kind.done)
}

export function encodeRefused (why: Refusal): Uint8Array {
  return Uint8Array.of(Kind.refused, why)
}

/** The error that a refusal is to who was refused. */
export function refusalOf (why: number | undefined): PairError {
  if (why === Refusal.noCode) return new PairError('ERR_NO_CODE', 'the other side has no code out: it is used up, or more than 2 minutes old')
  if (why === Refusal.wrongCode) return new PairError('ERR_WRONG_CODE', 'the other side has another code; this one is used up')
  if (why === Refusal.version) return new PairError('ERR_VERSION', 'the other side speaks another version')
  return new PairError('ERR_BAD_MESSAGE', `refused for a reason that is not known: ${why}`)
}
