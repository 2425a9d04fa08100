/**
 * Records of an archive: size, type, body. Pure.
 *
 * @module
 */
import { readU32LE } from '@ropewalk/framing'
import {
  ENTRY_BYTES, MAX_CAPABILITIES_BYTES, MAX_FILENAME_BYTES, MAX_LABEL_BYTES, MAX_TARGET_BYTES, MAX_USER_NAME_BYTES, MAX_XATTR_NAME_BYTES,
  MAX_XATTR_VALUE_BYTES, RECORD_HEADER_BYTES, RECORD_TYPES
} from './constants.ts'

export type RecordType = keyof typeof RECORD_TYPES

/** A record of numbers, and of text that ends with a NUL. */
export function record (type: RecordType, numbers: ReadonlyArray<number | bigint>, text?: Uint8Array, rest?: Uint8Array): Uint8Array {
  const head = RECORD_HEADER_BYTES + 8 * numbers.length
  const bytes = new Uint8Array(head + (text === undefined ? 0 : text.length + 1) + (rest?.length ?? 0))
  putU64(bytes, 0, bytes.length)
  putWord(bytes, 8, RECORD_TYPES[type])
  for (const [i, number] of numbers.entries()) {
    if (typeof number === 'bigint') putWord(bytes, RECORD_HEADER_BYTES + 8 * i, number)
    else putU64(bytes, RECORD_HEADER_BYTES + 8 * i, number)
  }
  if (text !== undefined) bytes.set(text, head)
  if (rest !== undefined) bytes.set(rest, bytes.length - rest.length)
  return bytes
}

/** The head of a record whose body of `length` bytes comes apart. */
export function recordHead (type: RecordType, length: number): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES)
  putU64(bytes, 0, RECORD_HEADER_BYTES + length)
  putWord(bytes, 8, RECORD_TYPES[type])
  return bytes
}

/** A whole number that is not negative. */
export function putU64 (bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32)
  for (let i = 0; i < 4; i++) {
    bytes[at + i] = value >>> 8 * i
    bytes[at + 4 + i] = high >>> 8 * i
  }
}

/** The lowest 64 bits. */
export function putWord (bytes: Uint8Array, at: number, value: bigint): void {
  const low = Number(BigInt.asUintN(32, value))
  const high = Number(BigInt.asUintN(32, value >> 32n))
  for (let i = 0; i < 4; i++) {
    bytes[at + i] = low >>> 8 * i
    bytes[at + 4 + i] = high >>> 8 * i
  }
}

/** By the low half of the word, which is another for each: a bigint takes as long as everything else in a head. */
const NAMES: ReadonlyMap<number, { readonly name: RecordType, readonly high: number }> = new Map(
  Object.entries(RECORD_TYPES).map(([name, word]) => [Number(word & 0xffff_ffffn), { name: name as RecordType, high: Number(word >> 32n) }])
)

/** What the word at `at` announces. */
export function recordType (bytes: Uint8Array, at: number): RecordType | undefined {
  const found = NAMES.get(readU32LE(bytes, at))
  return found?.high === readU32LE(bytes, at + 4) ? found.name : undefined
}

/** The order of what belongs to a node; what stands last of it is its content. */
export const RECORD_RANKS: Readonly<Partial<Record<RecordType, number>>> = Object.fromEntries([
  'USER', 'GROUP', 'XATTR', 'ACL_USER', 'ACL_GROUP', 'ACL_GROUP_OBJ', 'ACL_DEFAULT', 'ACL_DEFAULT_USER', 'ACL_DEFAULT_GROUP', 'SELINUX', 'FCAPS', 'QUOTA_PROJID',
  'SYMLINK', 'DEVICE'
].map((type, i) => [type, i + 1]))

/** Most bytes of a whole record of that type, where it is kept in memory. */
export function longestRecord (type: RecordType): number {
  switch (type) {
    case 'FILENAME': return RECORD_HEADER_BYTES + MAX_FILENAME_BYTES + 1
    case 'USER': case 'GROUP': return RECORD_HEADER_BYTES + MAX_USER_NAME_BYTES + 1
    case 'XATTR': return RECORD_HEADER_BYTES + MAX_XATTR_NAME_BYTES + 1 + MAX_XATTR_VALUE_BYTES
    case 'SYMLINK': return RECORD_HEADER_BYTES + MAX_TARGET_BYTES + 1
    case 'SELINUX': return RECORD_HEADER_BYTES + MAX_LABEL_BYTES + 1
    case 'FCAPS': return RECORD_HEADER_BYTES + MAX_CAPABILITIES_BYTES
    case 'ACL_USER': case 'ACL_GROUP': case 'ACL_DEFAULT_USER': case 'ACL_DEFAULT_GROUP': return RECORD_HEADER_BYTES + 16 + MAX_USER_NAME_BYTES + 1
    default: return ENTRY_BYTES
  }
}
