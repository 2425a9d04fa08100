/**
 * Unsigned integers in bytes: plain arithmetic, which is faster than a `DataView` made for one field. The tests keep
 * `DataView` as their oracle. Unlike it, writing a value that does not fit is a RangeError, not a silent remainder.
 *
 * @module
 */
import { FramingError, type FramingErrorOptions } from './errors.ts'

export function readU16BE (bytes: Uint8Array, offset: number = 0): number {
  assertField(bytes, offset, 2)
  return at(bytes, offset) << 8 | at(bytes, offset + 1)
}

export function readU16LE (bytes: Uint8Array, offset: number = 0): number {
  assertField(bytes, offset, 2)
  return at(bytes, offset + 1) << 8 | at(bytes, offset)
}

export function readU32BE (bytes: Uint8Array, offset: number = 0): number {
  assertField(bytes, offset, 4)
  return u32BE(bytes, offset)
}

export function readU32LE (bytes: Uint8Array, offset: number = 0): number {
  assertField(bytes, offset, 4)
  return u32LE(bytes, offset)
}

export function readU64BE (bytes: Uint8Array, offset: number = 0): bigint {
  assertField(bytes, offset, 8)
  return BigInt(u32BE(bytes, offset)) << 32n | BigInt(u32BE(bytes, offset + 4))
}

export function readU64LE (bytes: Uint8Array, offset: number = 0): bigint {
  assertField(bytes, offset, 8)
  return BigInt(u32LE(bytes, offset + 4)) << 32n | BigInt(u32LE(bytes, offset))
}

export function writeU16BE (bytes: Uint8Array, offset: number, value: number): void {
  assertField(bytes, offset, 2)
  assertFits(value, 0xffff)
  bytes[offset] = value >>> 8
  bytes[offset + 1] = value
}

export function writeU16LE (bytes: Uint8Array, offset: number, value: number): void {
  assertField(bytes, offset, 2)
  assertFits(value, 0xffff)
  bytes[offset] = value
  bytes[offset + 1] = value >>> 8
}

export function writeU32BE (bytes: Uint8Array, offset: number, value: number): void {
  assertField(bytes, offset, 4)
  assertFits(value, 0xffff_ffff)
  putU32BE(bytes, offset, value)
}

export function writeU32LE (bytes: Uint8Array, offset: number, value: number): void {
  assertField(bytes, offset, 4)
  assertFits(value, 0xffff_ffff)
  putU32LE(bytes, offset, value)
}

export function writeU64BE (bytes: Uint8Array, offset: number, value: bigint): void {
  assertField(bytes, offset, 8)
  assertFitsU64(value)
  putU32BE(bytes, offset, Number(value >> 32n))
  putU32BE(bytes, offset + 4, Number(value & 0xffff_ffffn))
}

export function writeU64LE (bytes: Uint8Array, offset: number, value: bigint): void {
  assertField(bytes, offset, 8)
  assertFitsU64(value)
  putU32LE(bytes, offset, Number(value & 0xffff_ffffn))
  putU32LE(bytes, offset + 4, Number(value >> 32n))
}

/** The same value as a number. Past 2^53 - 1 a number would be another value: `ERR_UNSAFE_INTEGER`. */
export function u64ToNumber (value: bigint, options: Pick<FramingErrorOptions, 'scope' | 'remote'> = {}): number {
  if (value < 0n || value > 9_007_199_254_740_991n) {
    throw new FramingError('ERR_UNSAFE_INTEGER', `not a safe integer: ${value} > 9007199254740991`, options)
  }
  return Number(value)
}

function at (bytes: Uint8Array, offset: number): number {
  return bytes[offset] as number
}

function u32BE (bytes: Uint8Array, offset: number): number {
  return (at(bytes, offset) << 24 | at(bytes, offset + 1) << 16 | at(bytes, offset + 2) << 8 | at(bytes, offset + 3)) >>> 0
}

function u32LE (bytes: Uint8Array, offset: number): number {
  return (at(bytes, offset + 3) << 24 | at(bytes, offset + 2) << 16 | at(bytes, offset + 1) << 8 | at(bytes, offset)) >>> 0
}

function putU32BE (bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}

function putU32LE (bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value
  bytes[offset + 1] = value >>> 8
  bytes[offset + 2] = value >>> 16
  bytes[offset + 3] = value >>> 24
}

/** Past the end an array reads `undefined`, which arithmetic takes for 0. */
function assertField (bytes: Uint8Array, offset: number, length: number): void {
  if (!(Number.isInteger(offset) && offset >= 0 && offset + length <= bytes.length)) {
    throw new RangeError(`field outside its bytes: ${offset} + ${length} > ${bytes.length} bytes`)
  }
}

function assertFits (value: number, most: number): void {
  if (value >>> 0 !== value || value > most) throw new RangeError(`value does not fit its field: ${value} > ${most}`)
}

function assertFitsU64 (value: bigint): void {
  if (BigInt.asUintN(64, value) !== value) throw new RangeError(`value does not fit its field: ${value} > ${2n ** 64n - 1n}`)
}
