/**
 * Chunks on disk, in the layout that casync and desync read and write.
 *
 * What can be seen under the name of a chunk is whole, and survives loss of power once `sync` has resolved. Nothing is given out that
 * does not fit its id.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { DirectorySync } from '@ropewalk/disk'
import { toHex } from '@ropewalk/framing'
import type { AbortOptions, Chunk, ChunkCompression, ChunkDigest, ChunkGetOptions, ChunkId, ChunkPutOptions, ChunkStore, Hasher, LentBytes, Source } from '@ropewalk/interface'
import { beginLease, type Adopted } from './adopt.ts'
import type { WrittenFormat } from './at-once.ts'
import { collect, restore, type Collected, type CollectOptions } from './collect.ts'
import { nodeCompression } from './compression.ts'
import { MAX_CHUNK_BYTES } from './constants.ts'
import { CastrError, castrError, systemCode } from './errors.ts'
import { namesIn, nodeFileSystem, type FileSystem } from './file-system.ts'
import { Group } from './group.ts'
import { nodeHash } from './hash.ts'
import { ThreadedInlet, type Inlet, type InletOptions } from './inlet.ts'
import { ThreadedIntake, type Intake, type IntakeOptions } from './intake.ts'
import type { KeepingOptions } from './keeping.ts'
import { checkId, isShard, Layout } from './layout.ts'
import type { Lease } from './lease.ts'
import { Lending, type Reader, type ReaderOptions } from './lending.ts'
import { ThreadedOutlet, type Outlet, type OutletOptions } from './outlet.ts'
import { ABSENT, mostCompressed, readChunkFile, readChunkFileAtOnce } from './read-chunk.ts'
import { survey, type StoreSurvey } from './survey.ts'

export interface CastrOptions {
  /** What ids are made of. Default: either, SHA-512/256 tried first. */
  digest?: ChunkDigest | undefined
  /** Longest chunk that is given out or taken. Default 128 MiB, the most that there may be. */
  maxChunkBytes?: number | undefined
  /** False keeps chunks as they are; casync reads that too, desync does not. Default true. */
  compress?: boolean | undefined
  /** What names of compressed chunks end with. Default `.cacnk`. */
  suffix?: string | undefined
  /** False leaves it to the system when bytes reach the disk. Default true. */
  durable?: boolean | undefined
  /** Hold a lease from the first `put` or `has` to `close`: no collection takes away what was put or found. For whoever makes an index. Default false. */
  lease?: boolean | undefined
  /** Chunks are read without letting anything else run meanwhile, past `fs`: for a process that does nothing else, which it spares a third of its work. Default false. */
  readAtOnce?: boolean | undefined
  /** Default: those of Node. */
  hash?: Hasher | undefined
  compression?: ChunkCompression | undefined
  /** The file system, for tests that inject faults. */
  fs?: FileSystem | undefined
}

export interface CastrStore extends Required<ChunkStore>, AsyncDisposable {
  readonly directory: string
  /** Threads that hash, compress and write what somebody cuts. They use the file system of Node, whatever the store was given. */
  intake (options: IntakeOptions): Promise<Intake>
  /** Threads that verify and keep chunks that come from elsewhere, as they came. They use the file system of Node, whatever the store was given. */
  inlet (options?: InletOptions): Promise<Inlet>
  /** Threads that write chunks of this store, and of files, to their places in a file. They use the file system of Node, whatever the store was given. */
  outlet (options: OutletOptions): Outlet
  /** Threads that read, decompress and verify chunks of this store for whoever looks at what is in them. They use the file system of Node, whatever the store was given. */
  reader (options?: ReaderOptions): Reader
  /** Takes away what `keep` does not name. Nothing that a lease protects. */
  collect (keep: () => Source<ChunkId>, options?: CollectOptions): Promise<Collected>
  /** Counts what lies in it. */
  survey (options?: AbortOptions): Promise<StoreSurvey>
  /** Makes everything durable and refuses what comes later. Idempotent. */
  close (): Promise<void>
}

/** The store in `directory`, which is made when the first chunk is put. Several may be open at a time, in as many processes. */
export function castr (directory: string, options: CastrOptions = {}): CastrStore {
  const { maxChunkBytes = MAX_CHUNK_BYTES } = options
  if (!(Number.isInteger(maxChunkBytes) && maxChunkBytes >= 1 && maxChunkBytes <= MAX_CHUNK_BYTES)) throw new RangeError(`maxChunkBytes ${maxChunkBytes}`)
  return new DirectoryStore(directory, options)
}

class DirectoryStore implements CastrStore {
  readonly directory: string
  readonly #fs: FileSystem
  readonly #layout: Layout
  readonly #hash: Hasher
  readonly #compression: ChunkCompression
  readonly #compress: boolean
  readonly #suffix: string | undefined
  readonly #durable: boolean
  readonly #read: (path: string, maxBytes: number) => Uint8Array | undefined | Promise<Uint8Array | undefined>
  readonly #lending: Lending | undefined
  readonly #maxChunkBytes: number
  readonly #directories: DirectorySync
  readonly #group: Group
  /** Folders that are there, each with the promise that it is durable. */
  readonly #shards = new Map<string, Promise<void>>()
  /** Chunks that are being put: of one id there is one content, so the second put waits for the first. */
  readonly #putting = new Map<ChunkId, Promise<boolean>>()
  readonly #leases: boolean
  #lease: Promise<Lease> | undefined
  #digests: readonly ChunkDigest[]
  #closed = false

  constructor (directory: string, options: CastrOptions) {
    this.directory = directory
    this.#fs = options.fs ?? nodeFileSystem
    this.#layout = new Layout(directory, options.suffix)
    this.#hash = options.hash ?? nodeHash
    this.#compression = options.compression ?? nodeCompression()
    this.#compress = options.compress ?? true
    this.#suffix = options.suffix
    this.#durable = options.durable ?? true
    this.#read = options.readAtOnce === true ? readChunkFileAtOnce : async (path, maxBytes) => await readChunkFile(this.#fs, path, maxBytes)
    this.#leases = options.lease ?? false
    this.#maxChunkBytes = options.maxChunkBytes ?? MAX_CHUNK_BYTES
    this.#digests = options.digest === undefined ? ['sha512-256', 'sha256'] : [options.digest]
    this.#lending = options.readAtOnce === true ? new Lending({ root: directory, suffix: options.suffix, digests: this.#digests, maxChunkBytes: this.#maxChunkBytes }) : undefined
    this.#directories = new DirectorySync(this.#fs)
    this.#group = new Group(this.#fs, this.#directories)
  }

  async get (id: ChunkId, { length, signal }: ChunkGetOptions = {}): Promise<Chunk | undefined> {
    checkId(id)
    signal?.throwIfAborted()
    const maxBytes = Math.min(length ?? this.#maxChunkBytes, this.#maxChunkBytes)
    try {
      const found = await this.#find(id, maxBytes)
      if (found === undefined) return undefined
      signal?.throwIfAborted()
      const { content, compressed } = found
      const bytes = compressed ? await this.#compression.decompress(content, maxBytes) : content
      await this.#verify(id, bytes, length)
      return compressed ? { id, bytes, compressed: content } : { id, bytes }
    } catch (error) {
      if (error instanceof CastrError && error.id === undefined) throw new CastrError(error.code, `chunk ${id}: ${error.message}`, { cause: error, id, remote: error.remote })
      throw error
    }
  }

  async lend (id: ChunkId, { signal }: AbortOptions = {}): Promise<LentBytes | undefined> {
    return await this.#lending?.lend(id, { signal })
  }

  async has (id: ChunkId, { signal }: AbortOptions = {}): Promise<boolean> {
    checkId(id)
    signal?.throwIfAborted()
    await this.#protect()
    return this.#group.find(id) !== undefined || await this.#isFile(this.#layout.compressedOf(id)) || await this.#isFile(this.#layout.plainOf(id))
  }

  async put (chunk: Chunk, { verified = false, signal }: ChunkPutOptions = {}): Promise<boolean> {
    checkId(chunk.id)
    signal?.throwIfAborted()
    if (this.#closed) throw new CastrError('ERR_CLOSED', 'the store is closed')
    const before = this.#putting.get(chunk.id)
    if (before !== undefined) return await before.then(() => false)
    const putting = this.#put(chunk, verified)
    this.#putting.set(chunk.id, putting)
    try {
      return await putting
    } finally {
      this.#putting.delete(chunk.id)
    }
  }

  async sync (): Promise<void> {
    try {
      await this.#group.flush()
      await Promise.all(this.#shards.values())
      if (this.#lease !== undefined) await restore(this.#fs, this.#layout)
    } catch (error) {
      throw castrError(error, `sync ${this.directory}`)
    }
  }

  async * list ({ signal }: AbortOptions = {}): AsyncGenerator<ChunkId, void, undefined> {
    await this.sync()
    for (const shard of (await namesIn(this.#fs, this.directory)).filter(isShard)) {
      signal?.throwIfAborted()
      const names = await namesIn(this.#fs, join(this.directory, shard))
      yield * new Set(names.map(name => this.#layout.parse(shard, name)).filter(id => id !== undefined))
    }
  }

  async remove (id: ChunkId, { signal }: AbortOptions = {}): Promise<boolean> {
    checkId(id)
    signal?.throwIfAborted()
    if (this.#group.find(id) !== undefined) await this.sync()
    const removed = await Promise.all([this.#layout.compressedOf(id), this.#layout.plainOf(id)].map(async path => {
      try {
        await this.#fs.unlink(path)
        return true
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return false
        throw castrError(error, `remove ${path}`, id)
      }
    }))
    return removed.includes(true)
  }

  async intake ({ digest = 'sha512-256', maxChunkBytes, format = 'zstd', whole = false }: IntakeOptions): Promise<Intake> {
    return new ThreadedIntake(await this.#keeping(digest, format), maxChunkBytes, { onBatch: async () => { await this.#protect() }, whole: whole ? digest : undefined })
  }

  async inlet ({ digest = 'sha512-256' }: InletOptions = {}): Promise<Inlet> {
    return new ThreadedInlet(await this.#keeping(digest, 'zstd'))
  }

  outlet ({ file, digest = 'sha512-256' }: OutletOptions): Outlet {
    if (this.#closed) throw new CastrError('ERR_CLOSED', 'the store is closed')
    return new ThreadedOutlet({ root: this.directory, suffix: this.#suffix, file, digest })
  }

  reader ({ digest = 'sha512-256' }: ReaderOptions = {}): Reader {
    if (this.#closed) throw new CastrError('ERR_CLOSED', 'the store is closed')
    return new Lending({ root: this.directory, suffix: this.#suffix, digests: [digest], maxChunkBytes: this.#maxChunkBytes }, Math.max(1, availableParallelism() - 1))
  }

  async collect (keep: () => Source<ChunkId>, options?: CollectOptions): Promise<Collected> {
    await this.sync()
    return await collect(this.#fs, this.#layout, keep, options)
  }

  async survey (options?: AbortOptions): Promise<StoreSurvey> {
    return await survey(this.#layout, options)
  }

  async close (): Promise<void> {
    this.#closed = true
    await Promise.allSettled([...this.#putting.values(), this.#lending?.close()])
    try {
      await this.sync()
    } finally {
      const lease = this.#lease
      this.#lease = undefined
      // Where it was not to be had, whoever needed it was told.
      await lease?.then(held => held.close(), () => {})
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  async #keeping (digest: ChunkDigest, format: WrittenFormat): Promise<KeepingOptions> {
    if (this.#closed) throw new CastrError('ERR_CLOSED', 'the store is closed')
    await this.#protect()
    return { root: this.directory, suffix: this.#suffix, digest, format: this.#compress ? format : undefined, durable: this.#durable, lease: (await this.#lease)?.mark }
  }

  /** Takes the lease when it is first needed, and says that it lives. */
  async #protect (): Promise<void> {
    if (!this.#leases || this.#closed) return
    this.#lease ??= this.#begin()
    await (await this.#lease).renew()
  }

  async #begin (): Promise<Lease> {
    try {
      return await beginLease({ fs: this.#fs, layout: this.#layout, hash: this.#hash, compression: this.#compression, take: async chunk => { await this.#adopt(chunk) } })
    } catch (error) {
      this.#lease = undefined
      throw castrError(error, `take a lease of ${this.directory}`)
    }
  }

  async #adopt ({ id, temporary, compressed, bytes }: Adopted): Promise<void> {
    const path = compressed ? this.#layout.compressedOf(id) : this.#layout.plainOf(id)
    if (!this.#durable) return await this.#fs.rename(temporary, path)
    const handle = await this.#fs.open(temporary, constants.O_RDONLY | constants.O_NOFOLLOW)
    await this.#group.add({ id, handle, temporary, path, bytes })
  }

  async #put (chunk: Chunk, verified: boolean): Promise<boolean> {
    const { id, bytes } = chunk
    if (bytes.length < 1 || bytes.length > this.#maxChunkBytes) {
      throw new CastrError('ERR_CHUNK_SIZE', `chunk ${id}: ${bytes.length}, not 1 ... ${this.#maxChunkBytes} bytes`, { id })
    }
    if (await this.has(id)) return false
    if (!verified) await this.#verify(id, bytes, undefined)
    const content = this.#compress ? chunk.compressed ?? await this.#compression.compress(bytes) : bytes
    const path = this.#compress ? this.#layout.compressedOf(id) : this.#layout.plainOf(id)
    const temporary = this.#layout.temporaryOf(id, ((await this.#lease)?.mark ?? '') + toHex(randomBytes(8)))
    try {
      await this.#makeShard(this.#layout.shardOf(id))
      const handle = await this.#write(temporary, content)
      if (this.#durable) {
        await this.#group.add({ id, handle, temporary, path, bytes: content.length })
      } else {
        await handle.close()
        await this.#fs.rename(temporary, path)
      }
    } catch (error) {
      throw castrError(error, `put ${id}`, id)
    }
    return true
  }

  async #write (path: string, content: Uint8Array): Promise<FileHandle> {
    const handle = await this.#fs.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o444)
    try {
      await handle.writeFile(content)
      return handle
    } catch (error) {
      await handle.close().catch(() => {})
      await this.#fs.unlink(path).catch(() => {})
      throw error
    }
  }

  async #makeShard (shard: string): Promise<void> {
    let durable = this.#shards.get(shard)
    if (durable === undefined) {
      const made = this.#fs.mkdir(shard, { recursive: true })
      durable = made.then(async first => {
        if (!this.#durable || first === undefined) return
        await this.#directories.sync(this.directory)
        if (first !== shard) await this.#directories.sync(dirname(first))
      })
      durable.catch(() => { this.#shards.delete(shard) })
      this.#shards.set(shard, durable)
    }
    await durable
  }

  async #find (id: ChunkId, maxBytes: number): Promise<{ content: Uint8Array, compressed: boolean } | undefined> {
    // A chunk of the group that is open lies under another name; looked for first, since it may be renamed at any moment.
    const written = this.#group.find(id)
    const places: Array<[string, boolean]> = [[this.#layout.compressedOf(id), true], [this.#layout.plainOf(id), false], [this.#layout.collectedOf(basename(this.#layout.compressedOf(id))), true]]
    for (const [path, compressed] of written === undefined ? places : [[written.temporary, written.path === this.#layout.compressedOf(id)] as const, ...places]) {
      const content = await this.#read(path, compressed ? mostCompressed(maxBytes) : maxBytes)
      if (content !== undefined) return { content, compressed }
    }
    return undefined
  }

  /** Under a lease, what was found is made young, or has gone. */
  async #isFile (path: string): Promise<boolean> {
    try {
      if (!(await this.#fs.lstat(path)).isFile()) return false
      if (this.#lease !== undefined) await this.#fs.utimes(path, Date.now() / 1000, Date.now() / 1000)
      return true
    } catch (error) {
      if (ABSENT.has(systemCode(error) ?? '')) return false
      throw castrError(error, `look for ${path}`)
    }
  }

  async #verify (id: ChunkId, bytes: Uint8Array, length: number | undefined): Promise<void> {
    if (length !== undefined && bytes.length !== length) throw new CastrError('ERR_CHUNK_SIZE', `chunk ${id}: ${bytes.length}, not ${length} bytes`, { id, remote: true })
    for (const digest of this.#digests) {
      if (toHex(await this.#hash(digest, bytes)) !== id) continue
      if (digest !== this.#digests[0]) this.#digests = [digest, ...this.#digests.filter(other => other !== digest)]
      return
    }
    throw new CastrError('ERR_CHUNK_DAMAGED', `chunk ${id}: its ${bytes.length} bytes have another digest`, { id, remote: true })
  }
}
