/**
 * Packets as plain fields, with the names that the specification and its vectors use: ids as UUID text, 64-bit numbers as
 * decimal strings. Pure.
 *
 * @module
 */
import { formatUuid, fromHex } from '@ropewalk/framing'
import { commitAction, FRAGMENT_PREFIX_BYTES, Kind, type ControlPacket, type Id, type Profile } from '@ropewalk/muxer-mdsftp/codec'

/** A FileChunk without its content. */
export interface FragmentHead {
  readonly type: 'FileChunk'
  readonly last: boolean
  readonly number: number
  readonly contentBytes: number
}

type Field = string | number | boolean | null | Readonly<Record<string, string | boolean>>

export type PacketFields = Readonly<Record<string, Field>> & {
  readonly packet: string
  readonly packet_id: number
  readonly stream_id: number
  readonly payload_size: number
}

/** The fields of a packet on channel `channel`. */
export function describePacket (profile: Profile, channel: number, packet: ControlPacket | FragmentHead): PacketFields {
  const id = packet.type === 'ChannelOpen' ? profile.channelOpen : Kind[packet.type]
  const size = packet.type === 'FileChunk' ? FRAGMENT_PREFIX_BYTES + packet.contentBytes : profile.lengths.get(id) ?? 0
  return { packet: packet.type, packet_id: id, stream_id: channel, payload_size: size, ...fields(profile, packet) }
}

function fields (profile: Profile, packet: ControlPacket | FragmentHead): Record<string, Field> {
  switch (packet.type) {
    case 'FileChunk': return { is_last: packet.last, fragment_id: packet.number }
    case 'Retrieve': {
      const common = { chunk_id: uuid(packet.chunkId), chunk_buffer: packet.chunkBuffer }
      if (profile.name === 'seed') return common
      return { ...common, range: packet.range === undefined ? null : { start: String(packet.range.start), end: String(packet.range.end) } }
    }
    case 'Put': {
      const common = { chunk_id: uuid(packet.chunkId), size: String(packet.size) }
      return profile.name === 'seed' ? { flags: packet.flags ?? Number(packet.append), ...common } : { append: packet.append, ...common }
    }
    case 'RecvAck': return { fragment_id: packet.number }
    case 'Reserve': {
      const { autoStart, durable, temp, overwrite } = packet.flags
      const common = { flags: { auto_start: autoStart, durable, temp, overwrite }, size: String(packet.size) }
      return profile.name === 'seed' ? common : { ...common, file_id: uuid(packet.fileId ?? NIL), bucket_id: uuid(packet.bucketId ?? NIL) }
    }
    case 'ReserveOk': return { chunk_id: uuid(packet.chunkId), chunk_buffer: packet.chunkBuffer }
    case 'ReserveErr': return { max_space: String(packet.spaceLeft) }
    case 'LockReq':
    case 'LockAcquire': return { kind: packet.kind, chunk_id: uuid(packet.chunkId) }
    case 'LockErr': return { kind: packet.kind, error_kind: packet.errorKind, chunk_id: uuid(packet.chunkId) }
    case 'PutOk': return { chunk_buffer: packet.chunkBuffer }
    case 'PutErr':
    case 'CommitErr': return { error_kind: packet.errorKind }
    case 'Commit': {
      const { reject, keepAlive, final } = packet.flags
      return { flags: { reject, keep_alive: keepAlive, final }, chunk_id: uuid(packet.chunkId), effective: commitAction(packet.flags) }
    }
    case 'QueryResponse': return { exists: packet.exists, size: String(packet.size) }
    case 'DeleteChunk':
    case 'ReserveCancel':
    case 'Query': return { chunk_id: uuid(packet.chunkId) }
    default: return {}
  }
}

const NIL = '0'.repeat(32)

function uuid (id: Id): string {
  return formatUuid(fromHex(id, 16))
}
