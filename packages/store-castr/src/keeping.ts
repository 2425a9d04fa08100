/**
 * Hashes, compresses and writes chunks, one after the other and without waiting: for a thread of its own. What can be seen under the name of
 * a chunk is whole, as in the store: contents are synced in groups before they are renamed.
 *
 * @module
 */
import { hash, randomBytes } from 'node:crypto'
import { closeSync, constants, fdatasyncSync, fsyncSync, lstatSync, mkdirSync, openSync, renameSync, unlinkSync, utimesSync } from 'node:fs'
import { dirname } from 'node:path'
import { flushFileSystem, writeAtOnce } from '@ropewalk/disk'
import type { ChunkDigest, ChunkId } from '@ropewalk/interface'
import { AtOnce, type WrittenFormat } from './at-once.ts'
import { GROUP_BYTES, GROUP_CHUNKS, MAX_INTAKE_CHUNK_BYTES } from './constants.ts'
import { castrError, systemCode } from './errors.ts'
import { Layout } from './layout.ts'

export interface KeepingOptions {
  readonly root: string
  readonly suffix: string | undefined
  readonly digest: ChunkDigest
  /** `undefined` keeps chunks as they are. */
  readonly format: WrittenFormat | undefined
  readonly durable: boolean
  /** The mark of the lease under which the store is: what was found is made young. */
  readonly lease: string | undefined
}

export interface Kept {
  readonly id: ChunkId
  /** False when the store had it already. */
  readonly fresh: boolean
}

interface Written {
  readonly id: ChunkId
  readonly file: number
  readonly temporary: string
  readonly path: string
}

export class Keeping {
  readonly #options: KeepingOptions
  readonly #root: string
  readonly #layout: Layout
  readonly #atOnce = new AtOnce()
  /** Of its temporary names: no chunk has two at a time. */
  readonly #random: string
  readonly #shards = new Set<string>()
  readonly #pending = new Set<ChunkId>()
  #group: Written[] = []
  #groupBytes = 0
  /** Folders with names that are not durable yet. */
  readonly #renamed = new Set<string>()
  #failure: { readonly error: unknown } | undefined

  constructor (options: KeepingOptions) {
    this.#options = options
    this.#root = options.root
    this.#layout = new Layout(this.#root, options.suffix)
    this.#random = (options.lease ?? '') + randomBytes(8).toString('hex')
  }

  keep (bytes: Uint8Array): Kept {
    if (this.#failure !== undefined) throw this.#failure.error
    const id = hash(this.#options.digest, bytes)
    return { id, fresh: this.#put(id, () => this.#options.format === undefined ? bytes : this.#atOnce.compress(bytes, this.#options.format)) }
  }

  /** Keeps a chunk as it came. False when that is not the chunk, or compressed otherwise than with zstd, or longer than 2 MiB: then nothing was done. */
  keepPacked (id: ChunkId, length: number, data: Uint8Array, compressed: boolean): boolean {
    if (this.#failure !== undefined) throw this.#failure.error
    const { digest, format } = this.#options
    if (length > MAX_INTAKE_CHUNK_BYTES) return false
    const bytes = compressed ? this.#atOnce.decompress(data, length) : data
    if (bytes?.length !== length || hash(digest, bytes) !== id) return false
    this.#put(id, () => format === undefined ? bytes : compressed ? data : this.#atOnce.compress(bytes, format))
    return true
  }

  /** False when it is there, or on its way. */
  #put (id: ChunkId, content: () => Uint8Array): boolean {
    if (this.#pending.has(id)) return false
    try {
      const shard = this.#layout.shardOf(id)
      if (!this.#make(shard) && (this.#has(this.#layout.compressedOf(id)) || this.#has(this.#layout.plainOf(id)))) return false
      this.#write(id, content())
      return true
    } catch (error) {
      throw castrError(error, `put ${id}`, id)
    }
  }

  /** Makes everything durable. Once that failed it always throws: nobody knows what the disk has. */
  sync (): void {
    this.#publish()
    if (!this.#options.durable || this.#renamed.size === 0) return
    try {
      if (!flushFileSystem(this.#root)) for (const folder of this.#renamed) syncFolder(folder)
      this.#renamed.clear()
    } catch (error) {
      throw castrError(error, `sync ${this.#root}`)
    }
  }

  /** True when the folder is new, so that nothing is in it. */
  #make (shard: string): boolean {
    if (this.#shards.has(shard)) return false
    let fresh = true
    try {
      mkdirSync(shard)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') {
        const first = mkdirSync(shard, { recursive: true })
        if (first !== undefined && first !== shard) this.#renamed.add(dirname(first))
      } else if (systemCode(error) === 'EEXIST') {
        fresh = false
      } else {
        throw error
      }
    }
    if (fresh) this.#renamed.add(this.#root)
    this.#shards.add(shard)
    return fresh
  }

  #has (path: string): boolean {
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false
    try {
      // Under a lease, what was found is made young, or has gone.
      if (this.#options.lease !== undefined) utimesSync(path, Date.now() / 1000, Date.now() / 1000)
      return true
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false
      throw error
    }
  }

  #write (id: ChunkId, content: Uint8Array): void {
    const temporary = this.#layout.temporaryOf(id, this.#random)
    const path = this.#options.format === undefined ? this.#layout.plainOf(id) : this.#layout.compressedOf(id)
    const file = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o444)
    try {
      writeAtOnce(file, content)
    } catch (error) {
      closeSync(file)
      remove(temporary)
      throw error
    }
    this.#group.push({ id, file, temporary, path })
    this.#groupBytes += content.length
    this.#pending.add(id)
    if (this.#group.length >= GROUP_CHUNKS || this.#groupBytes >= GROUP_BYTES) this.#publish()
  }

  #publish (): void {
    if (this.#failure !== undefined) throw this.#failure.error
    const group = this.#group
    if (group.length === 0) return
    this.#group = []
    this.#groupBytes = 0
    try {
      if (this.#options.durable) {
        flushFileSystem(this.#root)
        // Next to nothing is left to write, but whatever went wrong with a file is told here.
        for (const { file } of group) fdatasyncSync(file)
      }
      for (const { temporary, path } of group) {
        renameSync(temporary, path)
        this.#renamed.add(dirname(path))
      }
    } catch (error) {
      this.#failure = { error: castrError(error, `sync ${this.#root}`) }
      for (const { temporary } of group) remove(temporary)
      throw this.#failure.error
    } finally {
      for (const { file } of group) closeSync(file)
      this.#pending.clear()
    }
  }
}

function remove (path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It may have its name already.
  }
}

function syncFolder (path: string): void {
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
