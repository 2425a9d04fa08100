/**
 * MDSFTP packets: bytes to packets and back. Pure: no I/O, no clock, no promises. Everything is big-endian.
 *
 *      0        1                 5                 9
 *      +--------+-----------------+-----------------+---------- - -
 *      | kind   | channel  u32    | length   u32    | payload
 *      +--------+-----------------+-----------------+---------- - -
 *
 * The packet table, and where the published document and the code of the original disagree: `../WIRE.md`.
 *
 * @module
 */
import { fromHex, readU16BE as readU16, readU32BE as readU32, readU64BE as readU64, toHex, writeU16BE as writeU16, writeU32BE as writeU32, writeU64BE as writeU64 } from '@ropewalk/framing'
import { FRAGMENT_PREFIX_BYTES, HEADER_BYTES, Kind, type Profile } from './constants.ts'
import type { CommitFlags, ControlPacket, ErrorKind, LockKind, ReserveFlags, WireRange } from './packet.ts'

/** Writes the nine header bytes at `offset`. */
export function writeHeader (into: Uint8Array, offset: number, kind: number, channel: number, length: number): void {
  into[offset] = kind
  writeU32(into, offset + 1, channel)
  writeU32(into, offset + 5, length)
}

/** Writes the 14 bytes before a fragment's content at `offset`: the header and the FileChunk prefix. */
export function writeFragmentHeader (into: Uint8Array, offset: number, channel: number, last: boolean, number: number, contentBytes: number): void {
  writeHeader(into, offset, Kind.FileChunk, channel, FRAGMENT_PREFIX_BYTES + contentBytes)
  into[offset + HEADER_BYTES] = last ? 1 : 0
  writeU32(into, offset + HEADER_BYTES + 1, number)
}

/** One whole FileChunk, content copied. The muxer writes header and content apart; this is for tools and tests. */
export function encodeFragment (channel: number, last: boolean, number: number, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + FRAGMENT_PREFIX_BYTES + content.length)
  writeFragmentHeader(bytes, 0, channel, last, number, content.length)
  bytes.set(content, HEADER_BYTES + FRAGMENT_PREFIX_BYTES)
  return bytes
}

/** One whole packet other than FileChunk. Throws a RangeError for a packet that the profile does not have or a field that does not fit. */
export function encodePacket (profile: Profile, channel: number, packet: ControlPacket): Uint8Array {
  const kind = packet.type === 'ChannelOpen' ? profile.channelOpen : Kind[packet.type]
  const length = profile.lengths.get(kind)
  if (length === undefined) throw new RangeError(`the ${profile.name} profile has no ${packet.type}`)

  const bytes = new Uint8Array(HEADER_BYTES + length)
  writeHeader(bytes, 0, kind, channel, length)
  writePayload(bytes.subarray(HEADER_BYTES), packet)
  return bytes
}

/** Reads the payload of a packet other than FileChunk. `payload` must have the length that the profile demands; the Deframer has seen to that. */
export function decodePacket (profile: Profile, kind: number, payload: Uint8Array): ControlPacket {
  const type = profile.types.get(kind)
  if (type === undefined || type === 'FileChunk') throw new RangeError(`kind 0x${kind.toString(16)} has no fixed layout`)
  const flags = payload[0] ?? 0

  switch (type) {
    case 'Retrieve': return { type, chunkId: id(payload, 0), chunkBuffer: readU16(payload, 16), range: payload.length === 18 ? undefined : range(payload) }
    case 'Put': return profile.name === 'seed'
      ? { type, append: false, flags, chunkId: id(payload, 1), size: readU64(payload, 17) }
      : { type, append: (flags & 1) !== 0, chunkId: id(payload, 1), size: readU64(payload, 17) }
    case 'RecvAck': return { type, number: readU32(payload, 0) }
    case 'Reserve': return payload.length === 9
      ? { type, flags: reserveFlags(flags), size: readU64(payload, 1) }
      : { type, flags: reserveFlags(flags), size: readU64(payload, 1), fileId: id(payload, 9), bucketId: id(payload, 25) }
    case 'ReserveOk': return { type, chunkId: id(payload, 0), chunkBuffer: readU16(payload, 16) }
    case 'ReserveErr': return { type, spaceLeft: readU64(payload, 0) }
    case 'LockReq':
    case 'LockAcquire': return { type, kind: lockKind(flags), chunkId: id(payload, 1) }
    case 'LockErr': return { type, kind: lockKind(flags), errorKind: errorKind(flags), chunkId: id(payload, 1) }
    case 'PutOk': return { type, chunkBuffer: readU16(payload, 0) }
    case 'PutErr':
    case 'CommitErr': return { type, errorKind: errorKind(flags) }
    case 'Commit': return { type, flags: { reject: (flags & 1) !== 0, keepAlive: (flags & 2) !== 0, final: (flags & 4) !== 0 }, chunkId: id(payload, 1) }
    case 'QueryResponse': return { type, exists: flags === 1, size: readU64(payload, 1) }
    case 'DeleteChunk':
    case 'ReserveCancel':
    case 'Query': return { type, chunkId: id(payload, 0) }
    default: return { type }
  }
}

/** What a Commit does: final before keep-alive before reject; none of them does nothing (section 1.4). */
export function commitAction (flags: CommitFlags): 'final' | 'keep_alive' | 'reject' | 'none' {
  return flags.final ? 'final' : flags.keepAlive ? 'keep_alive' : flags.reject ? 'reject' : 'none'
}

function writePayload (payload: Uint8Array, packet: ControlPacket): void {
  switch (packet.type) {
    case 'Retrieve':
      writeId(payload, 0, packet.chunkId)
      writeU16(payload, 16, packet.chunkBuffer)
      if (packet.range !== undefined) writeRange(payload, packet.range)
      break
    case 'Put':
      payload[0] = packet.flags ?? (packet.append ? 1 : 0)
      writeId(payload, 1, packet.chunkId)
      writeU64(payload, 17, packet.size)
      break
    case 'RecvAck': writeU32(payload, 0, packet.number); break
    case 'Reserve':
      payload[0] = bits(packet.flags.autoStart, packet.flags.durable, packet.flags.temp, packet.flags.overwrite)
      writeU64(payload, 1, packet.size)
      if (payload.length > 9) {
        writeId(payload, 9, packet.fileId ?? NIL)
        writeId(payload, 25, packet.bucketId ?? NIL)
      }
      break
    case 'ReserveOk':
      writeId(payload, 0, packet.chunkId)
      writeU16(payload, 16, packet.chunkBuffer)
      break
    case 'ReserveErr': writeU64(payload, 0, packet.spaceLeft); break
    case 'LockReq':
    case 'LockAcquire':
      payload[0] = bits(packet.kind === 'write')
      writeId(payload, 1, packet.chunkId)
      break
    case 'LockErr':
      payload[0] = bits(packet.kind === 'write', packet.errorKind === 'not_found')
      writeId(payload, 1, packet.chunkId)
      break
    case 'PutOk': writeU16(payload, 0, packet.chunkBuffer); break
    case 'PutErr':
    case 'CommitErr': payload[0] = bits(false, packet.errorKind === 'not_found'); break
    case 'Commit':
      payload[0] = bits(packet.flags.reject, packet.flags.keepAlive, packet.flags.final)
      writeId(payload, 1, packet.chunkId)
      break
    case 'QueryResponse':
      payload[0] = packet.exists ? 1 : 0
      writeU64(payload, 1, packet.size)
      break
    case 'DeleteChunk':
    case 'ReserveCancel':
    case 'Query': writeId(payload, 0, packet.chunkId); break
    default:
  }
}

const NIL = '0'.repeat(32)

function writeRange (payload: Uint8Array, { start, end }: WireRange): void {
  if (payload.length < 34) throw new RangeError('the seed profile has no ranges')
  writeU64(payload, 18, start)
  writeU64(payload, 26, end)
}

function range (payload: Uint8Array): WireRange | undefined {
  const start = readU64(payload, 18)
  const end = readU64(payload, 26)
  return start === 0n && end === 0n ? undefined : { start, end }
}

function reserveFlags (flags: number): ReserveFlags {
  return { autoStart: (flags & 1) !== 0, durable: (flags & 2) !== 0, temp: (flags & 4) !== 0, overwrite: (flags & 8) !== 0 }
}

function lockKind (flags: number): LockKind {
  return (flags & 1) === 0 ? 'read' : 'write'
}

function errorKind (flags: number): ErrorKind {
  return (flags & 2) === 0 ? 'not_available' : 'not_found'
}

function bits (...flags: boolean[]): number {
  return flags.reduce((byte, flag, bit) => flag ? byte | (1 << bit) : byte, 0)
}

function id (payload: Uint8Array, offset: number): string {
  return toHex(payload.subarray(offset, offset + 16))
}

function writeId (payload: Uint8Array, offset: number, text: string): void {
  payload.set(fromHex(text, 16), offset)
}
