/**
 * What an offer tells of a large file, found by several threads: its blocks have digests of their own, and each thread takes the next one. A
 * transfer cannot begin before that.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { AbortOptions } from '@ropewalk/interface'
import { factsOf, type ContentFacts } from '../content-digest.ts'
import { WarpdriveError } from '../errors.ts'
import { blockBytesOf } from '../manifest-codec.ts'
import { DIGEST_BYTES, type FactsTold, type FactsWork } from './facts-thread.ts'

/** Threads for one file, at most: more wait for the same memory. Ours. */
const MAX_THREADS = 2

/** Between two words on how much was read. Ours. */
const TELL_MS = 250

export interface FactsOptions extends AbortOptions {
  /** Is told now and then how many bytes more were read. */
  readonly onRead?: ((bytes: number) => void) | undefined
}

/**
 * The facts of the first `size` bytes behind the descriptor `fd`, which stays open until this settles. Undefined when there are fewer. A thread takes
 * some ten milliseconds to begin, and 9 MiB: for files of a hundred mebibytes and more.
 */
export async function fileFacts (fd: number, size: number, { signal, onRead }: FactsOptions = {}): Promise<ContentFacts | undefined> {
  signal?.throwIfAborted()
  const blockBytes = blockBytesOf(size)
  const count = Math.max(1, Math.ceil(size / blockBytes))
  const digests = new Uint8Array(new SharedArrayBuffer(count * DIGEST_BYTES))
  const work: FactsWork = { fd, size, blockBytes, next: new Int32Array(new SharedArrayBuffer(4)), digests }
  const threads = Array.from({ length: Math.min(MAX_THREADS, availableParallelism(), count) }, () => new Worker(THREAD, { workerData: work }))
  // Who is ended in a read is ended behind it.
  const end = async (): Promise<void> => { await Promise.all(threads.map(thread => thread.terminate())) }
  const stop = (): void => { void end() }
  signal?.addEventListener('abort', stop)
  let read = 0
  // Blocks that a thread has taken: a little more than was read.
  const timer = onRead === undefined ? undefined : setInterval(() => {
    const taken = Math.min(size, Atomics.load(work.next, 0) * blockBytes)
    onRead(taken - read)
    read = taken
  }, TELL_MS)
  try {
    const told = await Promise.all(threads.map(toldBy))
    signal?.throwIfAborted()
    if (!told.every(({ whole }) => whole)) return undefined
    onRead?.(size - read)
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    clearInterval(timer)
    await end()
  }
  const sha256 = (): { update (bytes: Uint8Array): void, digest (): Uint8Array } => {
    const hash = createHash('sha256')
    return { update: bytes => { hash.update(bytes) }, digest: () => new Uint8Array(hash.digest()) }
  }
  return await factsOf(sha256, Array.from({ length: count }, (_, block) => digests.slice(block * DIGEST_BYTES, (block + 1) * DIGEST_BYTES)))
}

const THREAD: URL = new URL(`./facts-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)

function toldBy (thread: Worker): Promise<FactsTold> {
  return new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', () => { reject(new WarpdriveError('ERR_FILES', 'the thread that hashes has ended', { remote: false, scope: 'transfer' })) })
  })
}
