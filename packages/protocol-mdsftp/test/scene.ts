/** Our server, and a scripted dialer that has introduced itself. */
import type { TransferEvent } from '@ropewalk/interface'
import { duplexPair, hexdump, VirtualClock } from '@ropewalk/testing'
import { acceptNode, serve, StorageNode, type NodeOptions, type ServeOptions, type StorageConnection } from '../src/index.ts'
import { UPSTREAM, type ControlPacket, type Profile } from '../src/codec.ts'
import { MemoryStore } from '@ropewalk/store-memory'
import { DIALER_ID } from './nodes.ts'
import { Speaker } from './speaker.ts'
import { CHUNK_ID } from './vectors.ts'

export interface Scene {
  speaker: Speaker
  server: StorageConnection
  node: StorageNode
  store: MemoryStore
  clock: VirtualClock
  events: TransferEvent[]
  served: Promise<Error | undefined>
}

export const NONE = { autoStart: false, durable: false, temp: false, overwrite: false }
export const OPEN: ControlPacket = { type: 'ChannelOpen' }
export const CLOSE: ControlPacket = { type: 'ChannelClose' }

export async function scene (options: { profile?: Profile, node?: Partial<NodeOptions>, serve?: Partial<ServeOptions>, store?: MemoryStore } = {}): Promise<Scene> {
  const [left, right] = duplexPair({ attach: true })
  const { profile = UPSTREAM, store = new MemoryStore() } = options
  const clock = new VirtualClock()
  const node = new StorageNode({ store, clock, newChunkId: () => CHUNK_ID, ...options.node })
  const speaker = new Speaker(left, profile)
  await speaker.peer.send(hexdump(DIALER_ID))
  const server = await acceptNode(right, { profile, clock })
  const events: TransferEvent[] = []
  const served = serve(server, { node, fragmentBytes: 3, onEvent: event => events.push(event), ...options.serve }).then(() => undefined, error => error as Error)
  return { speaker, server, node, store, clock, events, served }
}

/** Reserves `size` bytes with an upload at once, on channel `channel`. */
export async function begin (speaker: Speaker, channel: number, size: number, flags: Partial<typeof NONE> = {}): Promise<string> {
  await speaker.say(channel, OPEN, { type: 'Reserve', flags: { ...NONE, autoStart: true, ...flags }, size: BigInt(size) })
  return (await speaker.expect(channel, 'ReserveOk')).chunkId
}

/** Asks on a channel of its own and hears the answer and the close. */
export async function ask<T extends 'QueryResponse' | 'CommitOk' | 'CommitErr' | 'PutErr' | 'ReserveErr' | 'LockErr'> (speaker: Speaker, channel: number, packet: ControlPacket, type: T): Promise<Extract<ControlPacket, { type: T }>> {
  await speaker.say(channel, OPEN, packet)
  const heard = await speaker.expect(channel, type)
  await speaker.expect(channel, 'ChannelClose')
  return heard as unknown as Extract<ControlPacket, { type: T }>
}

export function commitOf (action: 'final' | 'keepAlive' | 'reject' | 'none', chunkId: string = CHUNK_ID): ControlPacket {
  return { type: 'Commit', flags: { reject: false, keepAlive: false, final: false, [action]: true }, chunkId }
}

export const QUERY: ControlPacket = { type: 'Query', chunkId: CHUNK_ID }
