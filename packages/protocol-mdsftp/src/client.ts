/**
 * What a node asks of another, one operation on one channel each.
 *
 * @module
 */
import type { AbortOptions } from '@ropewalk/interface'
import type { CommitFlags, ErrorKind, Id, LockKind, ReserveFlags } from '@ropewalk/muxer-mdsftp'
import type { Clock } from './clock.ts'
import type { StorageConnection } from './connection.ts'
import { FIRST_FRAGMENT_TIMEOUT_MS, KEEP_ALIVE_MS, PROGRESS_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './constants.ts'
import { StorageError } from './errors.ts'
import { openExchange, type Exchange } from './exchange.ts'

/** What every operation takes. Aborting the signal closes the operation's channel and rejects with the signal's reason. */
export interface ClientOptions extends AbortOptions {
  /** How long a reply may take. Default 30 s. */
  requestMs?: number | undefined
  /** How long the first fragment may take. Default 15 s. */
  firstFragmentMs?: number | undefined
  /** How long it may take between fragments or acknowledgements. Default 60 s. */
  progressMs?: number | undefined
  /** How often a running upload keeps its reservation alive. Default 60 s. */
  keepAliveMs?: number | undefined
  /** For tests. */
  clock?: Clock | undefined
}

/** What a peer knows of a chunk. The wire does not tell whether it is committed. */
export interface ChunkInfo {
  readonly chunkId: Id
  /** Of a chunk that is not complete: bytes that an upload may build on. */
  readonly size: number
}

export interface ReserveOptions extends ClientOptions {
  /** Keep the reservation, and what was uploaded, when an upload is interrupted. */
  durable?: boolean | undefined
  /** The chunk replaces another. Carried; no known node looks at it. */
  overwrite?: boolean | undefined
  /** The file and the bucket that the chunk belongs to; the reference keeps them. Zeroes by default. */
  fileId?: Id | undefined
  bucketId?: Id | undefined
}

export type CommitAction = 'final' | 'keep_alive' | 'reject'

/** `undefined` when the peer has no such chunk. Not in the seed profile. */
export async function query (connection: StorageConnection, chunkId: Id, options: ClientOptions = {}): Promise<ChunkInfo | undefined> {
  assertProfile(connection, 'Query')
  return await ask(connection, options, async exchange => {
    await exchange.request({ type: 'Query', chunkId })
    const { exists, size } = await exchange.reply(limits(options).requestMs, 'QueryResponse')
    return exists ? { chunkId, size: safeSize(size) } : undefined
  })
}

/**
 * Space for a chunk that will be uploaded later, with `putChunk`. The id is the peer's choice. `ERR_NO_SPACE` when it refuses.
 * The reservation lives for an hour; `commit(…, 'keep_alive')` prolongs it.
 */
export async function reserve (connection: StorageConnection, size: number, options: ReserveOptions = {}): Promise<Id> {
  return await ask(connection, options, async exchange => {
    const { chunkId } = await requestSpace(exchange, size, options, { temp: true })
    return chunkId
  })
}

/**
 * `final` makes an uploaded chunk permanent, `keep_alive` prolongs its reservation, `reject` removes it. Not in the seed profile.
 * `ERR_NOT_FOUND`, or `ERR_NOT_AVAILABLE` when it is not complete.
 */
export async function commit (connection: StorageConnection, chunkId: Id, action: CommitAction = 'final', options: ClientOptions = {}): Promise<void> {
  assertProfile(connection, 'Commit')
  await ask(connection, options, async exchange => {
    await exchange.request({ type: 'Commit', flags: FLAGS[action], chunkId })
    const reply = await exchange.reply(limits(options).requestMs, 'CommitOk', 'CommitErr')
    if (reply.type === 'CommitErr') throw refused(reply.errorKind, `commit of ${chunkId}`)
  })
}

/** Removes a chunk, committed or not. The wire does not tell whether there was one. */
export async function remove (connection: StorageConnection, chunkId: Id, options: ClientOptions = {}): Promise<void> {
  await ask(connection, options, async exchange => {
    exchange.send({ type: 'DeleteChunk', chunkId })
    await closed(exchange, options)
  })
}

/** Gives up a reservation and whatever was uploaded to it. The wire does not tell whether there was one. */
export async function cancel (connection: StorageConnection, chunkId: Id, options: ClientOptions = {}): Promise<void> {
  await ask(connection, options, async exchange => {
    exchange.send({ type: 'ReserveCancel', chunkId })
    await closed(exchange, options)
  })
}

/** A lock that is held until it is released, or lost. */
export interface HeldLock extends Disposable {
  readonly chunkId: Id
  readonly kind: LockKind
  /** Aborted when the lock is gone without `release`: its lease ran out, or the connection is lost. */
  readonly lost: AbortSignal
  /** Idempotent. */
  release (): void
}

/**
 * Locks a committed chunk: `write` keeps everybody else from reading it, `read` keeps writers out. Never waits: `ERR_NOT_AVAILABLE`
 * when it is taken. A node of the original never says that a lock was granted: do not ask one.
 */
export async function lock (connection: StorageConnection, chunkId: Id, kind: LockKind, options: ClientOptions = {}): Promise<HeldLock> {
  const exchange = openExchange(connection, options)
  try {
    await exchange.request({ type: 'LockReq', kind, chunkId })
    const reply = await exchange.reply(limits(options).requestMs, 'LockAcquire', 'LockErr')
    if (reply.type === 'LockErr') throw refused(reply.errorKind, `${kind} lock of ${chunkId}`)
  } catch (error) {
    exchange.end()
    throw error
  }

  const lost = new AbortController()
  let released = false
  void (async () => {
    try {
      while (await exchange.next() !== undefined) continue
      throw new StorageError('ERR_INTERRUPTED', 'channel', `the peer took back the ${kind} lock of ${chunkId}`)
    } catch (error) {
      if (!released) lost.abort(error)
    } finally {
      exchange.end()
    }
  })()
  const release = (): void => {
    released = true
    exchange.end()
  }
  return { chunkId, kind, lost: lost.signal, release, [Symbol.dispose]: release }
}

/** One operation on a channel of its own, which is closed whatever happens. */
export async function ask<T> (connection: StorageConnection, options: ClientOptions, operation: (exchange: Exchange) => Promise<T>): Promise<T> {
  const exchange = openExchange(connection, options)
  try {
    return await operation(exchange)
  } finally {
    exchange.end()
  }
}

/** Asks for space, with Reserve. */
export async function requestSpace (exchange: Exchange, size: number, options: ReserveOptions, flags: Partial<ReserveFlags>): Promise<{ chunkId: Id, chunkBuffer: number }> {
  const { durable = false, overwrite = false, fileId, bucketId } = options
  assertSize(size)
  await exchange.request({ type: 'Reserve', flags: { autoStart: false, temp: false, durable, overwrite, ...flags }, size: BigInt(size), fileId, bucketId })
  const reply = await exchange.reply(limits(options).requestMs, 'ReserveOk', 'ReserveErr')
  if (reply.type === 'ReserveOk') return reply
  const { spaceLeft } = reply
  throw new StorageError('ERR_NO_SPACE', 'transfer', `the peer does not reserve ${size} bytes; it says that it has ${spaceLeft} left`, { spaceLeft })
}

export function limits ({ requestMs = REQUEST_TIMEOUT_MS, firstFragmentMs = FIRST_FRAGMENT_TIMEOUT_MS, progressMs = PROGRESS_TIMEOUT_MS, keepAliveMs = KEEP_ALIVE_MS }: ClientOptions): { requestMs: number, firstFragmentMs: number, progressMs: number, keepAliveMs: number } {
  return { requestMs, firstFragmentMs, progressMs, keepAliveMs }
}

/** What the peer said no to, as an error. */
export function refused (kind: ErrorKind, what: string): StorageError {
  return kind === 'not_found'
    ? new StorageError('ERR_NOT_FOUND', 'transfer', `${what}: the peer has no such chunk`)
    : new StorageError('ERR_NOT_AVAILABLE', 'transfer', `${what}: not available at the peer now`)
}

export function assertSize (size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`size ${size}`)
}

export function safeSize (size: bigint): number {
  if (size > Number.MAX_SAFE_INTEGER) throw new StorageError('ERR_OVERFLOW', 'transfer', `a size of ${size} > ${Number.MAX_SAFE_INTEGER} bytes`)
  return Number(size)
}

const FLAGS: Readonly<Record<CommitAction, CommitFlags>> = {
  final: { reject: false, keepAlive: false, final: true },
  keep_alive: { reject: false, keepAlive: true, final: false },
  reject: { reject: true, keepAlive: false, final: false }
}

/** DeleteChunk and ReserveCancel are answered by a close and nothing else (specification sections 5.7 and 5.8). */
async function closed (exchange: Exchange, options: ClientOptions): Promise<void> {
  exchange.within(limits(options).requestMs, 'close')
  while (await exchange.next() !== undefined) continue
}

function assertProfile ({ profile }: StorageConnection, packet: string): void {
  if (profile.name === 'seed') throw new RangeError(`the seed profile has no ${packet}`)
}
