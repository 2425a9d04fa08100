/**
 * The MDSFTP storage protocol: reserve, upload, commit, retrieve, query, lock, delete, over the channels of one connection.
 *
 * @module
 */
export { cancel, commit, lock, query, remove, reserve } from './client.ts'
export type { ChunkInfo, ClientOptions, CommitAction, HeldLock, ReserveOptions } from './client.ts'
export { systemClock } from './clock.ts'
export type { Clock } from './clock.ts'
export { describePacket } from './codec.ts'
export type { FragmentHead, PacketFields } from './codec.ts'
export { SEED, SEED_CODE, UPSTREAM } from '@ropewalk/muxer-mdsftp'
export type { Id, LockKind, PacketChannel, PacketMuxer, Profile } from '@ropewalk/muxer-mdsftp'
export { acceptNode, connectNode } from './connection.ts'
export type { AcceptOptions, ConnectOptions, StorageConnection, WireOptions } from './connection.ts'
export {
  BACKOFF_FIRST_MS, BACKOFF_MOST_MS, CLEANUP_TIMEOUT_MS, CONNECTION_CHANNELS, DEAD_AFTER_MS, DIAL_TIMEOUT_MS, FIRST_FRAGMENT_TIMEOUT_MS, FRAGMENT_BYTES, GIVE_UP_MS,
  IDLE_CONNECTION_MS, IDLE_TIMEOUT_MS, JOURNAL_BYTES, KEEP_ALIVE_MS, LEASE_MS, LOCK_LEASE_MS, MAX_EARLY_BYTES, MAX_FRAGMENTS,
  MAX_HALF_OPEN, MAX_NODE_CONNECTIONS, MAX_OWNER_RESERVATIONS, MAX_READERS, MAX_RESERVATION_AGE_MS, MAX_RESERVATIONS, MAX_RESTARTS, MAX_SEND_BYTES, MAX_DURABLE_SEND_BYTES, FAST_FRAGMENT_BYTES, MAX_SEND_FRAGMENTS, PREAMBLE_TIMEOUT_MS, PROGRESS_TIMEOUT_MS,
  REQUEST_HOLD_MS, REQUEST_TIMEOUT_MS, RESERVATION_LIFE_MS, RETRIEVE_WINDOW, SCRUB_BYTES_PER_SECOND, SCRUB_EVERY_MS, SWEEP_BATCH, SWEEP_MS, UPLOAD_WINDOW
} from './constants.ts'
export { memoryJournal, putDurable, putPersistent } from './durable.ts'
export type { DurableOptions, PersistentOptions, UploadJournal, UploadRecord, Use } from './durable.ts'
export { StorageError } from './errors.ts'
export type { StorageErrorCode, StorageErrorOptions, StorageErrorScope } from './errors.ts'
export type { Content, RandomAccess } from './feed.ts'
export { Arrivals } from './arrivals.ts'
export { neighbours, randomId } from './id.ts'
export { MemoryLedger } from './memory-ledger.ts'
export { StorageNode } from './node.ts'
export type { NodeOptions, NodeUsage } from './node-options.ts'
export { Pool } from './pool.ts'
export type { PickOptions, PoolOptions } from './pool.ts'
export { sameToken } from './preamble-codec.ts'
export { retrieve } from './retrieve.ts'
export type { RetrieveOptions } from './retrieve.ts'
export { serve, serveChannel } from './server.ts'
export type { ServeOptions } from './server.ts'
export { put, putChunk, upload } from './upload.ts'
export type { PutChunkOptions, SendOptions, Sink, UploadOptions } from './upload.ts'
export { maintain, scrub, verify } from './verify.ts'
export type { MaintainOptions, ScrubOptions, Verified, VerifyOptions } from './verify.ts'
