/**
 * CPACE-RISTR255-SHA512 in the setting with initiator and responder, with explicit key confirmation: draft-irtf-cfrg-cpace-21.
 * Pure: scalars and the hash are arguments.
 *
 * @module
 */
import { ristretto255, ristretto255_hasher as hasher } from '@noble/curves/ed25519.js'
import { DOMAIN, ELEMENT_BYTES, HASH_BLOCK_BYTES } from './constants.ts'
import { PairError } from './errors.ts'

const { Point } = ristretto255
const encoder = new TextEncoder()

/** SHA-512 of a whole message. */
export type Sha512 = (message: Uint8Array) => Uint8Array

/** What one side sends: its share, and data that is authenticated with it. */
export interface Share {
  readonly element: Uint8Array
  readonly data: Uint8Array
}

/** The pieces, each behind its length. Section 5.1 and appendix A.1. */
export function joinPieces (...pieces: readonly Uint8Array[]): Uint8Array {
  return join(pieces.flatMap(piece => [lengthOf(piece.length), piece]))
}

/** What is hashed to the generator: the password fills the first block, whatever its length. Section 7.1 and appendix A.2. */
export function generatorString (password: Uint8Array, channel: Uint8Array, session: Uint8Array): Uint8Array {
  const domain = encoder.encode(DOMAIN)
  const used = joinPieces(password).length + joinPieces(domain).length
  const padding = new Uint8Array(Math.max(0, HASH_BLOCK_BYTES - 1 - used))
  return joinPieces(domain, password, padding, channel, session)
}

/** The generator that only who knows the password can say. */
export function generatorOf (sha512: Sha512, password: Uint8Array, channel: Uint8Array, session: Uint8Array): Uint8Array {
  return hasher.deriveToCurve?.(sha512(generatorString(password, channel, session))).toBytes() as Uint8Array
}

/** 32 random bytes as a scalar: the bits above the order are masked. Section 8.3. RangeError for zero, which nobody draws twice. */
export function scalarOf (random: Uint8Array): bigint {
  if (random.length !== ELEMENT_BYTES) throw new RangeError(`a scalar is made of ${ELEMENT_BYTES} bytes, not ${random.length}`)
  let scalar = 0n
  for (const byte of random.toReversed()) scalar = scalar << 8n | BigInt(byte)
  scalar &= (1n << 252n) - 1n
  if (scalar === 0n) throw new RangeError('the scalar is zero')
  return scalar
}

/** What is sent: the generator times the scalar. */
export function elementOf (generator: Uint8Array, scalar: bigint): Uint8Array {
  return Point.fromBytes(generator).multiply(scalar).toBytes()
}

/** What both sides share. `ERR_BAD_SHARE` where the other's element is none, or the identity: it would not depend on the password. */
export function sharedOf (scalar: bigint, element: Uint8Array): Uint8Array {
  let shared
  try {
    const point = Point.fromBytes(element)
    shared = point.is0() ? undefined : point.multiply(scalar)
  } catch (cause) {
    throw new PairError('ERR_BAD_SHARE', `not an element of the group: ${element.length} bytes`, { cause })
  }
  if (shared === undefined || shared.is0()) throw new PairError('ERR_BAD_SHARE', 'the share is the identity of the group')
  return shared.toBytes()
}

/** The key that both have when both knew the password. Section 7.2. */
export function sessionKey (sha512: Sha512, session: Uint8Array, shared: Uint8Array, initiator: Share, responder: Share): Uint8Array {
  const head = joinPieces(encoder.encode(`${DOMAIN}_ISK`), session, shared)
  return sha512(join([head, joinPieces(initiator.element, initiator.data), joinPieces(responder.element, responder.data)]))
}

/** What proves the key to the other side: a tag over what one has sent. Section 10.4. */
export function tagOf (sha512: Sha512, session: Uint8Array, key: Uint8Array, { element, data }: Share): Uint8Array {
  return hmac(sha512, sha512(join([encoder.encode('CPaceMac'), session, key])), joinPieces(element, data))
}

/** RFC 2104, for keys of at most a block. */
function hmac (sha512: Sha512, key: Uint8Array, message: Uint8Array): Uint8Array {
  const pad = (byte: number): Uint8Array => Uint8Array.from({ length: HASH_BLOCK_BYTES }, (_, index) => (key[index] ?? 0) ^ byte)
  return sha512(join([pad(0x5c), sha512(join([pad(0x36), message]))]))
}

/** LEB128. */
function lengthOf (length: number): Uint8Array {
  const bytes: number[] = []
  let left = length
  do {
    bytes.push(left & 0x7f | (left > 0x7f ? 0x80 : 0))
    left >>>= 7
  } while (left > 0)
  return Uint8Array.from(bytes)
}

function join (pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.length
  }
  return joined
}
