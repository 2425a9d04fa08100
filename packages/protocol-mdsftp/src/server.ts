/**
 * Serves the channels that a peer opens: every request is answered, whatever goes wrong, and nothing that a peer does
 * on one channel is noticed on another.
 *
 * @module
 */
import type { AbortOptions, TransferEvent } from '@ropewalk/interface'
import type { ControlPacket, Packet, PacketChannel } from '@ropewalk/muxer-mdsftp'
import { commitAction } from '@ropewalk/muxer-mdsftp/codec'
import type { StorageConnection } from './connection.ts'
import { IDLE_TIMEOUT_MS, LOCK_LEASE_MS, MAX_SEND_BYTES, MAX_SEND_FRAGMENTS, PROGRESS_TIMEOUT_MS, UPLOAD_WINDOW } from './constants.ts'
import { Exchange } from './exchange.ts'
import type { StorageNode } from './node.ts'
import { fragmentSizes } from './sending.ts'
import { serveRetrieve } from './serve-retrieve.ts'
import { servePut, serveReserve } from './serve-upload.ts'
import { answer, type Service, type Session } from './session.ts'

export interface ServeOptions extends AbortOptions {
  /** What is served; one for all connections. */
  node: StorageNode
  /** Content bytes of the fragments that we send, at most 16 MiB. By default 256 KiB, and 1 MiB towards our own kind on a fast link. */
  fragmentBytes?: number | undefined
  /** Most fragments unacknowledged on one channel, whatever window the peer asks for. Default 64. */
  maxFragments?: number | undefined
  /** Most bytes unacknowledged on one channel. Default 4 MiB. */
  maxBytes?: number | undefined
  /** Window announced to who uploads, in fragments, 1 to 64. Default 10. */
  window?: number | undefined
  /** How long a channel may be idle. Default 60 s. */
  idleMs?: number | undefined
  /** How long it may take between fragments or acknowledgements. Default 60 s. */
  progressMs?: number | undefined
  /** How long a lock is held on a channel that says nothing. Default 300 s. */
  lockLeaseMs?: number | undefined
  /** Uploads and retrievals as they run. */
  onEvent?: ((event: TransferEvent) => void) | undefined
}

/**
 * Serves every channel that the peer opens, until the connection ends; then rejects with the connection's error, if it had one.
 * What fails on a channel ends that channel alone. Aborting the signal ends the channels being served, not the connection.
 */
export async function serve (connection: StorageConnection, options: ServeOptions): Promise<void> {
  const { signal } = options
  signal?.throwIfAborted()
  const running = new Set<Promise<void>>()
  const stop = (): void => connection.refuse()
  signal?.addEventListener('abort', stop)
  try {
    for await (const channel of connection) {
      const served: Promise<void> = serveChannel(channel, connection, options).finally(() => running.delete(served))
      running.add(served)
    }
    signal?.throwIfAborted()
  } finally {
    signal?.removeEventListener('abort', stop)
    await Promise.all(running)
  }
}

/** Serves one channel that the peer opened, to its close. Never rejects. */
export async function serveChannel (channel: PacketChannel, connection: Pick<StorageConnection, 'profile' | 'copies'> & Partial<Pick<StorageConnection, 'peerId' | 'courtesy'>>, options: ServeOptions): Promise<void> {
  const service = serviceOf(options, connection)
  const { courtesy } = connection
  const exchange = new Exchange(channel, { signal: options.signal, clock: options.node.clock, courtesy })
  const session: Session = { exchange, service, tied: undefined, locks: [] }
  try {
    while (await step(session)) continue
  } catch {
    // Timed out, interrupted, or our store failed. Transfers have told their events; requests have been answered.
  }
  await tidy(session)
  // What the channel held is free before its close tells so (finding 29).
  exchange.end()
  courtesy?.answered(channel)
}

/** Waits for a request and answers it. False when the channel is done. */
async function step (session: Session): Promise<boolean> {
  const { exchange, service, locks } = session
  exchange.within(locks.length > 0 ? service.lockLeaseMs : service.idleMs, 'request')
  const packet = await exchange.next()
  if (packet === undefined) return false
  exchange.pause()
  service.courtesy?.heard(exchange.channel, packet)
  return await perform(session, packet)
}

async function perform (session: Session, packet: Packet): Promise<boolean> {
  const { exchange, service: { node } } = session
  switch (packet.type) {
    case 'Reserve': return await serveReserve(session, packet)
    case 'Put': return await servePut(session, packet)
    case 'Retrieve': return await serveRetrieve(session, packet)
    case 'LockReq': return await serveLock(session, packet)
    case 'Query': {
      await node.settled(packet.chunkId)
      // A store that fails has nothing to say about the chunk: it is as good as absent.
      const size = await node.sizeOf(packet.chunkId).catch(() => undefined)
      answer(session, { type: 'QueryResponse', exists: size !== undefined, size: BigInt(size ?? 0) })
      return false
    }
    case 'Commit': {
      answer(session, await commitReply(node, packet))
      return false
    }
    case 'DeleteChunk':
      await node.settled(packet.chunkId)
      await node.remove(packet.chunkId)
      return false
    case 'ReserveCancel':
      await node.settled(packet.chunkId)
      await node.cancel(packet.chunkId)
      return false
    case 'RecvAck':
      exchange.violation(packet.type)
      return false
    default: return true // A reply that nobody asked for is ignored (specification section 3.6).
  }
}

/** Keep-alive and reject always succeed: a client of the original would trip over anything else (finding 26). */
async function commitReply (node: StorageNode, { flags, chunkId }: Extract<ControlPacket, { type: 'Commit' }>): Promise<ControlPacket> {
  try {
    switch (commitAction(flags)) {
      case 'final': {
        const outcome = await node.commit(chunkId)
        return outcome === 'committed' ? { type: 'CommitOk' } : { type: 'CommitErr', errorKind: outcome }
      }
      case 'keep_alive': await node.refresh(chunkId); break
      case 'reject': await node.remove(chunkId); break
      case 'none':
    }
  } catch {
    // The store failed.
    if (flags.final) return { type: 'CommitErr', errorKind: 'not_available' }
  }
  return { type: 'CommitOk' }
}

/** A lock lives as long as its channel. Who finds it taken may ask again on the same channel (specification section 5.9). */
async function serveLock (session: Session, { kind, chunkId }: Extract<ControlPacket, { type: 'LockReq' }>): Promise<boolean> {
  const { service: { node }, locks } = session
  // An upload whose channel is gone holds its lock until it is settled.
  await node.settled(chunkId)
  const held = locks.some(lock => lock.id === chunkId && lock.kind === kind)
  if (!held && !await node.finished(chunkId).catch(() => false)) {
    answer(session, { type: 'LockErr', kind, errorKind: 'not_found', chunkId })
    return false
  }
  // One lock a channel; asking for it again renews its lease.
  if (!held && (locks.length > 0 || !node.lock(chunkId, kind))) {
    answer(session, { type: 'LockErr', kind, errorKind: 'not_available', chunkId })
    return true
  }
  if (!held) locks.push({ id: chunkId, kind })
  answer(session, { type: 'LockAcquire', kind, chunkId })
  return true
}

async function tidy ({ service: { node }, locks, tied }: Session): Promise<void> {
  for (const { id, kind } of locks.splice(0)) node.locks.release(id, kind)
  // What cannot be removed now goes with the next sweep.
  if (tied !== undefined) await node.release(tied).catch(() => {})
}

function serviceOf (options: ServeOptions, { profile, copies, peerId = '', courtesy }: Parameters<typeof serveChannel>[1]): Service {
  const { node, onEvent } = options
  const { fragmentBytes, maxFragments = MAX_SEND_FRAGMENTS, maxBytes = MAX_SEND_BYTES, window = UPLOAD_WINDOW } = options
  const { idleMs = IDLE_TIMEOUT_MS, progressMs = PROGRESS_TIMEOUT_MS, lockLeaseMs = LOCK_LEASE_MS } = options
  return { node, profile, copies, owner: peerId, courtesy, fragments: fragmentSizes(fragmentBytes, { profile, courtesy }), maxFragments, maxBytes, window, idleMs, progressMs, lockLeaseMs, onEvent }
}
