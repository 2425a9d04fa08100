import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { startFlush, type DirectorySync } from '@ropewalk/disk'
import type { ChunkId } from '@ropewalk/interface'
import { GROUP_BYTES, GROUP_CHUNKS } from './constants.ts'
import type { FileSystem } from './file-system.ts'

/** A chunk that was written under a temporary name. */
export interface Written {
  readonly id: ChunkId
  readonly handle: FileHandle
  readonly temporary: string
  readonly path: string
  readonly bytes: number
}

/**
 * Makes chunks durable in groups. First all their contents are synced, then all are renamed, then the folders are synced, each once: a
 * chunk that can be seen under its name is whole, whatever happens.
 */
export class Group {
  readonly #fs: FileSystem
  readonly #directories: DirectorySync
  #open: Written[] = []
  #openBytes = 0
  #closing: readonly Written[] = []
  #running: Promise<void> | undefined
  #failure: { error: unknown } | undefined

  constructor (fs: FileSystem, directories: DirectorySync) {
    this.#fs = fs
    this.#directories = directories
  }

  /** Where the chunk lies for now, and what it will be called. */
  find (id: ChunkId): Pick<Written, 'temporary' | 'path'> | undefined {
    return this.#open.find(written => written.id === id) ?? this.#closing.find(written => written.id === id)
  }

  /** Waits only when the group before this one is not done yet and this one is full. */
  async add (written: Written): Promise<void> {
    this.#open.push(written)
    this.#openBytes += written.bytes
    if (this.#open.length < GROUP_CHUNKS && this.#openBytes < GROUP_BYTES) return
    await this.#running
    if (this.#failure !== undefined) throw this.#failure.error
    // Whoever waited too may have begun it.
    if (this.#open.length >= GROUP_CHUNKS || this.#openBytes >= GROUP_BYTES) void this.#begin()
  }

  /** Resolves once everything that was added before is durable. Once that failed it always rejects: nobody knows what the disk has. */
  async flush (): Promise<void> {
    while (this.#failure === undefined && (this.#running !== undefined || this.#open.length > 0)) await (this.#running ?? this.#begin())
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Never rejects. */
  #begin (): Promise<void> {
    const group = this.#open
    this.#closing = group
    this.#open = []
    this.#openBytes = 0
    this.#running = this.#publish(group).catch(async (error: unknown) => {
      this.#failure ??= { error }
      await Promise.allSettled(group.map(({ temporary }) => this.#fs.unlink(temporary)))
    }).finally(() => {
      this.#closing = []
      this.#running = undefined
    })
    return this.#running
  }

  async #publish (group: readonly Written[]): Promise<void> {
    try {
      if (group.length >= WORTH_A_FLUSH) await startFlush(dirname((group[0] as Written).path))
      await all(group, ({ handle }) => handle.sync())
    } finally {
      await all(group, ({ handle }) => handle.close())
    }
    await all(group, ({ temporary, path }) => this.#fs.rename(temporary, path))
    await all([...new Set(group.map(({ path }) => dirname(path)))], directory => this.#directories.sync(directory))
  }
}

/** Fewer fsyncs than that take less time than another process. Ours. */
const WORTH_A_FLUSH = 32

/** Everything at once, and to the end: nothing goes on behind the back of whoever is told of the first failure. */
async function all<T> (items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(items.map(work))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
