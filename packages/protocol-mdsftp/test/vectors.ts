/** The vectors captured from the original, as the tests of this package read them. */
import { readFileSync } from 'node:fs'
import { hexdump } from '@ropewalk/testing'
import { SEED, SEED_CODE, UPSTREAM, type PacketType, type Profile } from '../src/codec.ts'

export interface Vector {
  name: string
  profile: 'upstream' | 'seed'
  hex: string
  fields: Record<string, unknown> & { packet: PacketType, packet_id: number, stream_id: number, payload_size: number, content_hex?: string }
  decode_only?: boolean
}

export interface Malformed {
  name: string
  profile: 'upstream' | 'seed'
  layer: 'frame' | 'preamble' | 'semantic' | 'state' | 'policy'
  hex: string
  expect: string
  upstream: string
  eof?: boolean
}

export interface Sequence {
  name: string
  profile: 'upstream' | 'seed'
  steps: Array<{ dir: 'D' | 'A', packet: PacketType, hex: string }>
}

interface File {
  vectors: Vector[]
  fragment_headers: Array<{ name: string, hex: string, content_bytes: number, payload_size: number }>
  preambles: Array<{ name: string, hex: string, fields: { node_id: string, token: string | null } }>
  malformed: Malformed[]
  sequences: Sequence[]
}

export const FILE: File = JSON.parse(readFileSync(new URL('../../../fixtures/mdsftp/vectors.json', import.meta.url), 'utf8')) as File

/** The chunk, file and bucket of the recorded exchanges. */
export const CHUNK_ID = '000102030405460788090a0b0c0d0e0f'
export const FILE_ID = 'f0f1f2f3f4f546f788f9fafbfcfdfeff'
export const BUCKET_ID = 'b0b1b2b3b4b546b788b9babbbcbdbebf'

export function profileOf ({ profile, fields }: { profile: string, fields?: { packet_id?: number } }): Profile {
  return profile === 'upstream' ? UPSTREAM : fields?.packet_id === 0x8a ? SEED_CODE : SEED
}

export function bytesOf ({ hex }: { hex: string }): Uint8Array {
  return hexdump(hex)
}

/** A recorded exchange in the words of the older wire (specification sections 1.6 and 5.11): a short Reserve, a short Retrieve, and no Commit. Nothing where it takes more than those. */
export function seedOf ({ name, steps }: Sequence): Sequence | undefined {
  if (steps.some(({ packet }) => packet === 'Query' || packet === 'Put' && steps.some(({ packet }) => packet === 'Reserve'))) return undefined
  // A range has no place in it: what starts at 0 and ends at 0 is the whole.
  if (steps.some(({ packet, hex }) => packet === 'Retrieve' && !/^0*$/.test(hex.slice(-32)))) return undefined
  const commit = steps.findIndex(({ packet }) => packet === 'Commit')
  // The open before the commit goes with it.
  const kept = commit === -1 ? steps : steps.slice(0, commit - 1)
  return { name, profile: 'seed', steps: kept.map(step => ({ ...step, hex: shortened(step) })) }
}

function shortened ({ packet, hex }: Sequence['steps'][number]): string {
  const length = packet === 'Reserve' ? 9 : packet === 'Retrieve' ? 18 : undefined
  return length === undefined ? hex : hex.slice(0, 10) + length.toString(16).padStart(8, '0') + hex.slice(18, 18 + 2 * length)
}
