import type { FragmentStore, Ledger, RunningHash } from '@ropewalk/interface'
import type { Id } from '@ropewalk/muxer-mdsftp'
import type { Clock } from './clock.ts'

export interface NodeOptions {
  store: FragmentStore
  /** Where promises are kept. By default in memory: then a restart forgets reservations, and removes what was uploaded to them. */
  ledger?: Ledger | undefined
  /** Our name in the ledger, the same after every restart. */
  holder?: string | undefined
  /** Bytes that all chunks and reservations may take. By default what the store has. */
  maxBytes?: number | undefined
  /** The largest chunk that may be reserved. */
  maxChunkBytes?: number | undefined
  /** Reservations and uncommitted chunks. Default 65,536. */
  maxReservations?: number | undefined
  /** The same, of one peer. Default 16,384. */
  maxOwnerReservations?: number | undefined
  /** Bytes of reservations and uncommitted chunks of one peer. Unlimited by default. */
  maxOwnerBytes?: number | undefined
  /** Readers of one chunk. Default 2048. */
  maxReaders?: number | undefined
  /** Life of a reservation, and of an uploaded chunk that nobody commits. Default one hour. */
  reservationLifeMs?: number | undefined
  /** However often it is prolonged, and whether or not it is being written. Default seven days. */
  maxReservationAgeMs?: number | undefined
  /** How often expired ones are looked for; whoever reserves pays for it. Default 300 s. */
  sweepMs?: number | undefined
  /** Computes SHA-256. With it every chunk gets a digest in the ledger, that `verify` compares. */
  hasher?: (() => RunningHash) | undefined
  /** Ids for new chunks: they must be unguessable and new. For tests. */
  newChunkId?: (() => Id) | undefined
  /** For tests. */
  clock?: Clock | undefined
  /** Milliseconds since 1970, which a ledger that outlives the process counts by. Default `Date.now`, or a `clock` that was given. */
  now?: (() => number) | undefined
}

export interface NodeUsage {
  /** Bytes of committed and uploaded chunks. */
  readonly usedBytes: number
  readonly reservedBytes: number
  /** Reservations, and uploaded chunks that wait for their commit. */
  readonly reservations: number
  /** Those of them that a restart would lose. */
  readonly fleeting: number
  /** Uploads under way. */
  readonly uploads: number
}
