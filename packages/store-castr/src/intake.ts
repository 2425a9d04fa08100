/**
 * The way into a store for whoever cuts chunks: they are hashed, compressed and written by threads, so that a core is left for the cutting.
 * What is on its way lies in a fixed number of buffers.
 *
 * @module
 */
import { availableParallelism } from 'node:os'
import { copyTo } from '@ropewalk/disk'
import type { ChunkDigest } from '@ropewalk/interface'
import type { WrittenFormat } from './at-once.ts'
import { INTAKE_BATCH_BYTES, INTAKE_BATCH_CHUNKS, MAX_INTAKE_CHUNK_BYTES, MAX_THREADS } from './constants.ts'
import { CastrError } from './errors.ts'
import type { HashingAnswer, HashingQuestion } from './hashing-thread.ts'
import type { IntakeAnswer, IntakeQuestion } from './intake-thread.ts'
import type { Kept, KeepingOptions } from './keeping.ts'
import type { NamingOptions } from './naming.ts'
import { shared, Threads } from './threads.ts'

export interface IntakeOptions {
  /** What ids are made of. Default SHA-512/256. */
  digest?: ChunkDigest | undefined
  /** Longest chunk that will come, at most 2 MiB. */
  maxChunkBytes: number
  /** How chunks are compressed. Default zstd. */
  format?: WrittenFormat | undefined
  /** The digest of all chunks together, too, by a thread of its own. Default false. */
  whole?: boolean | undefined
}

/** A chunk that is in the store, or on its way there. */
export interface KeptChunk extends Kept {
  readonly length: number
}

export interface Intake {
  /** More of the chunk that grows. Copied at once. Not while `room` has to be waited for. */
  push (bytes: Uint8Array): void
  /** The chunk ends here. True when `room` has to be waited for before the next byte. */
  cut (): boolean
  room (): Promise<void>
  /** What is done, in the order of the chunks, and was not told yet. */
  done (): KeptChunk[]
  /** Waits for everything; then all of it is durable. Tells the rest. */
  finish (): Promise<KeptChunk[]>
  /** Of all chunks together, in hex: with `whole`, once `finish` has resolved. */
  readonly digest: string | undefined
  close (): Promise<void>
}

export interface IntakeUse {
  /** Answers what an intake asks. */
  readonly program?: 'intake-thread' | 'naming-thread' | undefined
  /** Called now and then while it goes on. */
  readonly onBatch?: (() => Promise<void>) | undefined
  /** Called for each answer as it comes, in any order. */
  readonly onAnswer?: ((answer: IntakeAnswer, lengths: readonly number[]) => void) | undefined
  /** What the digest of everything is made with, where that is wanted. */
  readonly whole?: ChunkDigest | undefined
}

interface Batch {
  readonly lengths: readonly number[]
  answer: IntakeAnswer | undefined
}

/** Ids that were new a short while ago: two threads may have one each before either can see the other's. */
const RECENT_IDS = 8192

export class ThreadedIntake implements Intake {
  digest: string | undefined
  readonly #threads: Threads
  readonly #whole: Threads | undefined
  readonly #maxChunkBytes: number
  readonly #onBatch: () => Promise<void>
  readonly #onAnswer: (answer: IntakeAnswer, lengths: readonly number[]) => void
  readonly #free: Array<Uint8Array<SharedArrayBuffer>>
  readonly #batches: Batch[] = []
  readonly #recent = new Set<string>()
  #buffer: Uint8Array<SharedArrayBuffer> | undefined
  #filled = 0
  #start = 0
  #lengths: number[] = []
  #waiting: (() => void) | undefined
  #failure: { readonly error: unknown } | undefined

  constructor (options: KeepingOptions | NamingOptions, maxChunkBytes: number, { program = 'intake-thread', onBatch = async () => {}, onAnswer = () => {}, whole }: IntakeUse = {}) {
    if (maxChunkBytes > MAX_INTAKE_CHUNK_BYTES) throw new CastrError('ERR_CHUNK_SIZE', `chunks of up to ${maxChunkBytes} > ${MAX_INTAKE_CHUNK_BYTES} bytes are put one by one`)
    this.#maxChunkBytes = maxChunkBytes
    this.#onBatch = onBatch
    this.#onAnswer = onAnswer
    this.#threads = new Threads(program, Math.min(MAX_THREADS, availableParallelism()), options)
    this.#whole = whole === undefined ? undefined : new Threads('hashing-thread', 1, whole)
    this.#free = Array.from({ length: 2 * this.#threads.count }, () => shared(INTAKE_BATCH_BYTES + maxChunkBytes))
    this.#buffer = this.#free.pop()
  }

  push (bytes: Uint8Array): void {
    if (this.#buffer === undefined) throw new TypeError('there is no room yet')
    if (this.#filled + bytes.length - this.#start > this.#maxChunkBytes) throw new CastrError('ERR_CHUNK_SIZE', `a chunk of more than ${this.#maxChunkBytes} bytes`)
    copyTo(this.#buffer, this.#filled, bytes)
    this.#filled += bytes.length
  }

  cut (): boolean {
    this.#lengths.push(this.#filled - this.#start)
    this.#start = this.#filled
    if (this.#filled < INTAKE_BATCH_BYTES && this.#lengths.length < INTAKE_BATCH_CHUNKS) return false
    this.#send()
    return true
  }

  async room (): Promise<void> {
    await this.#onBatch()
    while (this.#failure === undefined && (this.#buffer === undefined || this.#batches.length > MAX_BATCHES)) await this.#change()
    if (this.#failure !== undefined) throw this.#failure.error
  }

  done (): KeptChunk[] {
    const chunks: KeptChunk[] = []
    for (let first = this.#batches[0]; first?.answer !== undefined; first = this.#batches[0]) {
      const { ids, fresh } = first.answer
      for (const [i, length] of first.lengths.entries()) {
        const id = ids[i] as string
        chunks.push({ id, length, fresh: fresh[i] === true && this.#isNew(id) })
      }
      this.#batches.shift()
    }
    return chunks
  }

  async finish (): Promise<KeptChunk[]> {
    if (this.#lengths.length > 0) this.#send()
    while (this.#failure === undefined && this.#batches.some(({ answer }) => answer === undefined)) await this.#change()
    if (this.#failure !== undefined) throw this.#failure.error
    await this.#threads.askAll({} satisfies IntakeQuestion)
    this.digest ??= (await this.#whole?.ask<HashingAnswer>({} satisfies HashingQuestion))?.digest
    return this.done()
  }

  /** What is under way is finished, as far as that is possible. */
  async close (): Promise<void> {
    await this.#threads.askAll({} satisfies IntakeQuestion).catch(() => {})
    await Promise.all([this.#threads.close(), this.#whole?.close()])
  }

  #send (): void {
    const buffer = this.#buffer as Uint8Array<SharedArrayBuffer>
    const batch: Batch = { lengths: this.#lengths, answer: undefined }
    this.#batches.push(batch)
    this.#buffer = this.#free.pop()
    this.#lengths = []
    this.#filled = 0
    this.#start = 0
    void this.#ask(batch, buffer)
  }

  async #ask (batch: Batch, buffer: Uint8Array<SharedArrayBuffer>): Promise<void> {
    try {
      const bytes = batch.lengths.reduce((sum, length) => sum + length, 0)
      const hashed = this.#whole?.ask<HashingAnswer>({ buffer: buffer.buffer, bytes } satisfies HashingQuestion)
      const [answer] = await Promise.all([this.#threads.ask<IntakeAnswer>({ buffer: buffer.buffer, lengths: batch.lengths } satisfies IntakeQuestion), hashed])
      this.#onAnswer(answer, batch.lengths)
      batch.answer = answer
      if (this.#buffer === undefined) this.#buffer = buffer
      else this.#free.push(buffer)
    } catch (error) {
      this.#failure ??= { error }
    }
    this.#waiting?.()
  }

  async #change (): Promise<void> {
    await new Promise<void>(resolve => { this.#waiting = resolve })
  }

  #isNew (id: string): boolean {
    if (this.#recent.has(id)) return false
    if (this.#recent.size >= RECENT_IDS) for (const oldest of this.#recent) { this.#recent.delete(oldest); break }
    this.#recent.add(id)
    return true
  }
}

/** Answers that wait for one before them. Ours. */
const MAX_BATCHES = 256
