/**
 * Uploads: reserve, send, commit.
 *
 * @module
 */
import type { TransferEvent } from '@ropewalk/interface'
import { MAX_FRAGMENT_BYTES, type Id } from '@ropewalk/muxer-mdsftp'
import { ask, assertSize, cancel, commit, limits, refused, requestSpace, type ChunkInfo, type ClientOptions, type ReserveOptions } from './client.ts'
import { systemClock } from './clock.ts'
import type { StorageConnection } from './connection.ts'
import { CLEANUP_TIMEOUT_MS, FRAGMENT_BYTES, MAX_DURABLE_SEND_BYTES, MAX_SEND_BYTES, MAX_SEND_FRAGMENTS } from './constants.ts'
import { StorageError } from './errors.ts'
import { closedEarly, type Exchange } from './exchange.ts'
import { feedOf, type Content } from './feed.ts'
import { fragmentSizes, sendContent } from './sending.ts'
import { Report } from './transfer.ts'

export interface SendOptions extends ClientOptions {
  /** Bytes that will be sent: exactly so many. */
  size: number
  /** Content bytes of each fragment but the last, at most 16 MiB. By default 256 KiB, and 1 MiB towards our own kind on a fast link. */
  fragmentBytes?: number | undefined
  /** Most fragments unacknowledged, whatever the peer allows. Default 64. */
  maxFragments?: number | undefined
  /** Most bytes unacknowledged. Default 4 MiB, 1 MiB if it is durable. */
  maxBytes?: number | undefined
  /** What people call the transfer, in its events. By default the chunk's id. */
  name?: string | undefined
  onEvent?: ((event: TransferEvent) => void) | undefined
}

export interface UploadOptions extends SendOptions, ReserveOptions {
  /** Called with the id as soon as there is one: who wants to resume a durable upload remembers it. */
  onReserved?: ((chunkId: Id) => void) | undefined
}

export interface PutChunkOptions extends SendOptions {
  /** Go on at the end of what the peer has (`query` tells its size); `size` is then what is left. Without it the chunk starts over. */
  append?: boolean | undefined
  /** Where to begin in content that can be read anywhere. Default 0. */
  from?: number | undefined
}

/**
 * Stores `content`: uploads it and commits it. When it resolves, the chunk survives loss of power at the peer.
 * On failure the peer is told to forget the chunk, unless the upload is durable.
 * Without `content` it is the end of a pipeline: `pipe(source, put(connection, { size }))`.
 */
export function put (connection: StorageConnection, options: UploadOptions): Sink
export function put (connection: StorageConnection, content: Content, options: UploadOptions): Promise<ChunkInfo>
export function put (connection: StorageConnection, ...args: [Content, UploadOptions] | [UploadOptions]): Promise<ChunkInfo> | Sink {
  return args.length === 1 ? async content => await putContent(connection, content, args[0]) : putContent(connection, ...args)
}

/** Takes what a pipeline ends with. */
export type Sink = (content: Content) => Promise<ChunkInfo>

async function putContent (connection: StorageConnection, content: Content, options: UploadOptions): Promise<ChunkInfo> {
  const stored = await uploadContent(connection, content, options)
  if (connection.profile.name === 'seed') return stored
  try {
    await commit(connection, stored.chunkId, 'final', options)
  } catch (error) {
    if (options.durable !== true) await giveUp(connection, stored.chunkId, options)
    throw error
  }
  return stored
}

/** Reserves space and fills it, without committing: an uploaded chunk that nobody commits is removed after an hour. Without `content`, the end of a pipeline. */
export function upload (connection: StorageConnection, options: UploadOptions): Sink
export function upload (connection: StorageConnection, content: Content, options: UploadOptions): Promise<ChunkInfo>
export function upload (connection: StorageConnection, ...args: [Content, UploadOptions] | [UploadOptions]): Promise<ChunkInfo> | Sink {
  return args.length === 1 ? async content => await uploadContent(connection, content, args[0]) : uploadContent(connection, ...args)
}

async function uploadContent (connection: StorageConnection, content: Content, options: UploadOptions): Promise<ChunkInfo> {
  const { size } = options
  assertSending(options)
  let chunkId: Id | undefined
  try {
    await ask(connection, options, async exchange => {
      const reserved = await requestSpace(exchange, size, options, { autoStart: true })
      chunkId = reserved.chunkId
      options.onReserved?.(chunkId)
      await transmit(connection, exchange, chunkId, content, reserved.chunkBuffer, options)
    })
  } catch (error) {
    if (chunkId !== undefined && options.durable !== true) await giveUp(connection, chunkId, options)
    throw error
  }
  return { chunkId: chunkId as Id, size }
}

/** Fills a reservation that exists, or what is left of it. `ERR_NOT_FOUND`; `ERR_NOT_AVAILABLE` when it is busy or `size` is not what is missing. */
export async function putChunk (connection: StorageConnection, chunkId: Id, content: Content, options: PutChunkOptions): Promise<void> {
  const { from = 0 } = options
  if (from !== 0) assertAnywhere(content, from)
  await sendChunk(connection, chunkId, content, options)
}

/** `putChunk`; `report` is told instead of `onEvent`, for who sends what is part of more. */
export async function sendChunk (connection: StorageConnection, chunkId: Id, content: Content, options: PutChunkOptions, report?: Pick<Report, 'progress'>): Promise<void> {
  assertSending(options)
  await ask(connection, options, async exchange => {
    await exchange.request({ type: 'Put', append: options.append ?? false, chunkId, size: BigInt(options.size) })
    const reply = await exchange.reply(limits(options).requestMs, 'PutOk', 'PutErr')
    if (reply.type === 'PutErr') throw refused(reply.errorKind, `put of ${options.size} bytes to ${chunkId}`)
    await transmit(connection, exchange, chunkId, content, reply.chunkBuffer, options, report)
  })
}

async function transmit (connection: StorageConnection, exchange: Exchange, chunkId: Id, content: Content, window: number, options: SendOptions & Pick<PutChunkOptions, 'from'> & Pick<UploadOptions, 'durable'>, whole?: Pick<Report, 'progress'>): Promise<void> {
  const { size, from = 0, maxFragments = MAX_SEND_FRAGMENTS, maxBytes = options.durable === true ? MAX_DURABLE_SEND_BYTES : MAX_SEND_BYTES } = options
  const own = whole === undefined ? new Report(options.onEvent, options.name ?? chunkId, 'send', size) : undefined
  const report = whole ?? own as Report
  const feed = feedOf(content, size, connection.copies, from)
  const stop = keepAlive(connection, chunkId, options)
  try {
    if (size === 0) await sendNothing(exchange, feed)
    else {
      await sendContent(exchange, feed, { size, ...fragmentSizes(options.fragmentBytes, connection), window, maxFragments, maxBytes, progressMs: limits(options).progressMs, onAcknowledged: bytes => report.progress(bytes) })
    }
    own?.finished()
  } catch (error) {
    own?.failed(error)
    throw error
  } finally {
    stop()
  }
}

/** No fragment may be empty; a close makes 0 of 0 bytes complete (specification section 4.6). */
async function sendNothing (exchange: Exchange, feed: ReturnType<typeof feedOf>): Promise<void> {
  try {
    await feed.end()
    if (exchange.channel.closed) throw closedEarly('before the upload began')
  } finally {
    feed.leave()
  }
}

/** Data does not keep a reservation alive, so an upload says now and then that it still is (specification section 6.1). */
function keepAlive (connection: StorageConnection, chunkId: Id, options: ClientOptions): () => void {
  if (connection.profile.name === 'seed') return () => {}
  const { clock = systemClock } = options
  const { keepAliveMs } = limits(options)
  const over = new AbortController()
  let cancelTimer = clock.after(keepAliveMs, again)
  return () => {
    cancelTimer()
    over.abort(OVER)
  }

  function again (): void {
    // One that fails is one that is missed: the upload itself will tell.
    commit(connection, chunkId, 'keep_alive', { ...options, signal: over.signal }).catch(() => {})
    cancelTimer = clock.after(keepAliveMs, again)
  }
}

/** Best effort, on a channel of its own, since the one of the reservation may be closed (finding 28). */
export async function giveUp (connection: StorageConnection, chunkId: Id, { clock }: ClientOptions): Promise<void> {
  const options = { requestMs: CLEANUP_TIMEOUT_MS, clock }
  try {
    await (connection.profile.name === 'seed' ? cancel(connection, chunkId, options) : commit(connection, chunkId, 'reject', options))
  } catch {
    // The reservation runs out by itself.
  }
}

function assertAnywhere (content: Content, from: number): void {
  if (!Number.isSafeInteger(from) || from < 0) throw new RangeError(`from ${from}`)
  if (!('read' in content)) throw new TypeError(`a source cannot begin at byte ${from}: it has no read`)
}

function assertSending ({ size, fragmentBytes = FRAGMENT_BYTES }: SendOptions): void {
  assertSize(size)
  if (!Number.isSafeInteger(fragmentBytes) || fragmentBytes < 1 || fragmentBytes > MAX_FRAGMENT_BYTES) throw new RangeError(`fragmentBytes ${fragmentBytes}`)
}

/** One for all: making an error costs more than sending a small file. */
const OVER = new StorageError('ERR_INTERRUPTED', 'transfer', 'the upload is over', { remote: false })
