/** The vectors captured from the original, as the tests of this package read them. */
import { readFileSync } from 'node:fs'
import { hexdump } from '@ropewalk/testing'
import { SEED, SEED_CODE, UPSTREAM, type ControlPacket, type PacketType, type Profile } from '../src/codec.ts'

export interface Vector {
  name: string
  profile: 'upstream' | 'seed'
  hex: string
  fields: Record<string, unknown> & { packet: PacketType, packet_id: number, stream_id: number, payload_size: number }
  decode_only?: boolean
}

export interface Malformed {
  name: string
  profile: 'upstream' | 'seed'
  layer: 'frame' | 'preamble' | 'semantic' | 'state' | 'policy'
  hex: string
  expect: string
  note?: string
  eof?: boolean
}

const file = JSON.parse(readFileSync(new URL('../../../fixtures/mdsftp/vectors.json', import.meta.url), 'utf8')) as { vectors: Vector[], malformed: Malformed[] }

export const VECTORS: Vector[] = file.vectors
export const MALFORMED: Malformed[] = file.malformed

export function profileOf ({ profile, fields }: { profile: string, fields?: { packet_id?: number } }): Profile {
  return profile === 'upstream' ? UPSTREAM : fields?.packet_id === 0x8a ? SEED_CODE : SEED
}

export function bytesOf ({ hex }: { hex: string }): Uint8Array {
  return hexdump(hex)
}

/** The packet that the fields of a vector describe. */
export function packetOf ({ fields }: Vector): ControlPacket {
  const id = (name: string): string => (fields[name] as string).replaceAll('-', '')
  const big = (name: string): bigint => BigInt(fields[name] as string)
  const type = fields.packet
  switch (type) {
    case 'Retrieve': {
      const range = fields.range as { start: string, end: string } | null | undefined
      return { type, chunkId: id('chunk_id'), chunkBuffer: fields.chunk_buffer as number, range: range == null ? undefined : { start: BigInt(range.start), end: BigInt(range.end) } }
    }
    case 'Put': return fields.append === undefined
      ? { type, append: false, flags: fields.flags as number, chunkId: id('chunk_id'), size: big('size') }
      : { type, append: fields.append === true, chunkId: id('chunk_id'), size: big('size') }
    case 'RecvAck': return { type, number: fields.fragment_id as number }
    case 'Reserve': {
      const flags = fields.flags as Record<string, boolean>
      const common = { type, flags: { autoStart: flags.auto_start === true, durable: flags.durable === true, temp: flags.temp === true, overwrite: flags.overwrite === true }, size: big('size') } as const
      return fields.file_id === undefined ? common : { ...common, fileId: id('file_id'), bucketId: id('bucket_id') }
    }
    case 'ReserveOk': return { type, chunkId: id('chunk_id'), chunkBuffer: fields.chunk_buffer as number }
    case 'ReserveErr': return { type, spaceLeft: big('max_space') }
    case 'LockReq':
    case 'LockAcquire': return { type, kind: fields.kind as 'read' | 'write', chunkId: id('chunk_id') }
    case 'LockErr': return { type, kind: fields.kind as 'read' | 'write', errorKind: fields.error_kind as 'not_found' | 'not_available', chunkId: id('chunk_id') }
    case 'PutOk': return { type, chunkBuffer: fields.chunk_buffer as number }
    case 'PutErr':
    case 'CommitErr': return { type, errorKind: fields.error_kind as 'not_found' | 'not_available' }
    case 'Commit': {
      const flags = fields.flags as Record<string, boolean>
      return { type, flags: { reject: flags.reject === true, keepAlive: flags.keep_alive === true, final: flags.final === true }, chunkId: id('chunk_id') }
    }
    case 'QueryResponse': return { type, exists: fields.exists === true, size: big('size') }
    case 'DeleteChunk':
    case 'ReserveCancel':
    case 'Query': return { type, chunkId: id('chunk_id') }
    case 'FileChunk': throw new TypeError('a FileChunk is not a control packet')
    default: return { type }
  }
}
