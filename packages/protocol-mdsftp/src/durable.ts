/**
 * Uploads that outlive their connection, their peer and their process: what was acknowledged is not sent again. What must
 * be remembered for that is a few bytes in a journal, which the caller keeps.
 *
 *      peer has `n` of `size` bytes  ->  Put(append, size - n)  ->  Commit;  nothing the peer has  ->  Reserve, and all of it
 *
 * @module
 */
import type { AbortOptions } from '@ropewalk/interface'
import type { Id } from '@ropewalk/muxer-mdsftp'
import { commit, query, reserve, type ChunkInfo, type ReserveOptions } from './client.ts'
import { pause, systemClock } from './clock.ts'
import type { StorageConnection } from './connection.ts'
import { BACKOFF_FIRST_MS, BACKOFF_MOST_MS, GIVE_UP_MS, JOURNAL_BYTES, MAX_DURABLE_SEND_BYTES, MAX_RESTARTS } from './constants.ts'
import { StorageError } from './errors.ts'
import type { RandomAccess } from './feed.ts'
import { Backoff } from './pool-state.ts'
import { Report } from './transfer.ts'
import { giveUp, put, sendChunk, type SendOptions } from './upload.ts'

/** What is remembered of one upload: plain data, to be kept as JSON or otherwise. */
export interface UploadRecord {
  readonly chunkId: Id
  /** Bytes of the whole. */
  readonly size: number
  /** Bytes that the peer had when this was written, at least. */
  readonly acknowledged: number
  /** What the content is, in the caller's words. */
  readonly tag: string
}

/** Where one upload is remembered. */
export interface UploadJournal {
  /** `undefined` when nothing is remembered. */
  load (options?: AbortOptions): Promise<UploadRecord | undefined>
  /** Remembers this instead of whatever was. When it resolves, it survives what the upload is to survive. */
  save (record: UploadRecord, options?: AbortOptions): Promise<void>
  /** The upload is over. */
  clear (options?: AbortOptions): Promise<void>
}

export interface DurableOptions extends SendOptions, Omit<ReserveOptions, 'durable'> {
  journal: UploadJournal
  /** What the content is: its size and time of change, say. Of a record with another tag nothing is used, and the peer is told to forget it. */
  tag?: string | undefined
  /** Bytes acknowledged after which the journal is written anew. Default 16 MiB. */
  journalBytes?: number | undefined
}

/** Runs an operation on a connection to the peer, and makes one if there is none: `(operation, options) => pool.use(nodeId, operation, options)`. */
export type Use = <T>(operation: (connection: StorageConnection) => Promise<T>, options: AbortOptions) => Promise<T>

export interface PersistentOptions extends DurableOptions {
  /** How long attempts may bring nothing new before the last error is passed on. Default 5 min. */
  giveUpMs?: number | undefined
  /** Wait after an attempt that failed, doubled with each, and the longest. Default 0.5 s and 30 s. */
  backoffFirstMs?: number | undefined
  backoffMostMs?: number | undefined
  /** Whether it is worth trying again when there was no connection. By default it is. */
  retry?: ((error: unknown) => boolean) | undefined
  /** Told of each attempt that failed and will be followed by another. */
  onRetry?: ((error: unknown, waitMs: number) => void) | undefined
  /** At least 0 and below 1. For tests. */
  random?: (() => number) | undefined
}

/**
 * Stores `content`: begins an upload, or goes on with the one in the journal where the peer has it; then commits it and
 * clears the journal. When it fails, calling it again with the same journal goes on. Not in the seed profile.
 */
export async function putDurable (connection: StorageConnection, content: RandomAccess, options: DurableOptions): Promise<ChunkInfo> {
  return await reported(options, async report => await attempt(connection, content, options, report))
}

/**
 * `putDurable`, as often as it takes: on a new connection after each that was lost, until the chunk is committed, what is
 * wrong is nothing that another attempt could cure, or no attempt has got anywhere for `giveUpMs`.
 */
export async function putPersistent (use: Use, content: RandomAccess, options: PersistentOptions): Promise<ChunkInfo> {
  const { signal, clock = systemClock, giveUpMs = GIVE_UP_MS, backoffFirstMs: firstMs = BACKOFF_FIRST_MS, backoffMostMs: mostMs = BACKOFF_MOST_MS, retry = () => true, random = Math.random, onRetry } = options
  return await reported(options, async report => {
    let backoff = new Backoff({ firstMs, mostMs })
    let seen = report.best
    let aliveAt = clock.now()
    for (let restarts = 0; ;) {
      let connected = false
      try {
        return await use(async connection => {
          connected = true
          return await attempt(connection, content, options, report)
        }, { signal })
      } catch (error) {
        signal?.throwIfAborted()
        const gone = connected && isStorage(error, 'ERR_NOT_FOUND')
        if (gone && ++restarts > MAX_RESTARTS) throw error
        if (!gone && !(connected ? isCurable(error) : retry(error))) throw error
        if (report.best > seen) {
          backoff = new Backoff({ firstMs, mostMs })
          seen = report.best
          aliveAt = clock.now()
        }
        if (clock.now() - aliveAt >= giveUpMs) throw error
        backoff.failed(clock.now(), random())
        const waitMs = backoff.wait(clock.now())
        onRetry?.(error, waitMs)
        await pause(clock, waitMs, signal)
      }
    }
  })
}

/** A journal that lasts as long as the process. */
export function memoryJournal (record?: UploadRecord): UploadJournal & { readonly record: UploadRecord | undefined } {
  return {
    get record () { return record },
    load: async () => record,
    save: async saved => { record = saved },
    clear: async () => { record = undefined }
  }
}

/** Tells of one transfer however many attempts it takes: what was acknowledged never gets less. */
class Whole {
  best = 0
  readonly #report: Report

  constructor (report: Report) {
    this.#report = report
  }

  progress (bytes: number): void {
    if (bytes <= this.best) return
    this.best = bytes
    this.#report.progress(bytes)
  }
}

async function reported (options: DurableOptions, work: (whole: Whole) => Promise<ChunkInfo>): Promise<ChunkInfo> {
  const { size, name = '', onEvent } = options
  const report = new Report(onEvent, name, 'send', size)
  try {
    const stored = await work(new Whole(report))
    report.finished()
    return stored
  } catch (error) {
    report.failed(error)
    throw error
  }
}

async function attempt (connection: StorageConnection, content: RandomAccess, options: DurableOptions, whole: Whole): Promise<ChunkInfo> {
  if (connection.profile.name === 'seed') throw new RangeError('the seed profile cannot go on with an upload')
  const { size, journal } = options
  // Of nothing there is nothing to go on with, and no Put could say it (specification section 4.6).
  if (size === 0) return await put(connection, [], { ...options, onEvent: undefined })

  const { record, offset } = await goOn(connection, options) ?? { record: await begin(connection, options), offset: 0 }
  const { chunkId } = record
  whole.progress(offset)
  if (offset < size) await sendRest(connection, content, record, offset, options, whole)
  try {
    await commit(connection, chunkId, 'final', options)
  } catch (error) {
    // Whatever the peer had, it has it no more: the next attempt begins anew.
    if (isStorage(error, 'ERR_NOT_FOUND')) await journal.clear(options)
    throw error
  }
  await journal.clear(options)
  return { chunkId, size }
}

async function begin (connection: StorageConnection, options: DurableOptions): Promise<UploadRecord> {
  const { size, tag = '', journal } = options
  const record = { chunkId: await reserve(connection, size, { ...options, durable: true }), size, acknowledged: 0, tag }
  // Before the first byte: a process that dies from here on comes back for it.
  await journal.save(record, options)
  return record
}

/** What the journal speaks of, and how much of it the peer has; nothing where it has to begin anew. */
async function goOn (connection: StorageConnection, options: DurableOptions): Promise<{ record: UploadRecord, offset: number } | undefined> {
  const { size, tag = '', journal } = options
  const record = await journal.load(options)
  if (record === undefined) return undefined
  const same = record.size === size && record.tag === tag
  const found = same ? await query(connection, record.chunkId, options) : undefined
  if (found !== undefined && found.size <= size) {
    // The original counts from the last interruption on, and would put what it has twice behind itself (finding 8). A
    // node of ours counts what is in the file, and has less only after a loss of power.
    if (connection.courtesy === undefined || found.size >= record.acknowledged) return { record, offset: found.size }
  }
  if (!same || found !== undefined) await giveUp(connection, record.chunkId, options)
  await journal.clear(options)
  return undefined
}

async function sendRest (connection: StorageConnection, content: RandomAccess, record: UploadRecord, offset: number, options: DurableOptions, whole: Whole): Promise<void> {
  const { journal, journalBytes = JOURNAL_BYTES } = options
  let acknowledged = offset
  let written = record.acknowledged
  let writing: Promise<void> | undefined
  // The peer knows better than the journal: one that cannot be written now costs nothing but its watchfulness.
  const note = async (): Promise<void> => {
    written = acknowledged
    await journal.save({ ...record, acknowledged }).catch(() => {})
  }
  const progress = (bytes: number): void => {
    acknowledged = offset + bytes
    whole.progress(acknowledged)
    if (acknowledged - written >= journalBytes) writing ??= note().finally(() => { writing = undefined })
  }
  try {
    await sendChunk(connection, record.chunkId, content, { ...options, maxBytes: options.maxBytes ?? MAX_DURABLE_SEND_BYTES, size: record.size - offset, append: offset > 0, from: offset }, { progress })
  } catch (error) {
    await writing
    if (isStorage(error, 'ERR_NOT_FOUND')) await journal.clear()
    else if (acknowledged > written) await note()
    throw error
  }
  await writing
}

/** What another attempt, on another connection, may cure. Busy is what the node still thinks of a connection that is gone. */
function isCurable (error: unknown): boolean {
  return isStorage(error, 'ERR_INTERRUPTED', 'ERR_TIMEOUT', 'ERR_NOT_AVAILABLE')
}

function isStorage (error: unknown, ...codes: string[]): boolean {
  return error instanceof StorageError && codes.includes(error.code)
}
