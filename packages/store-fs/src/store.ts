/**
 * Fragments on disk.
 *
 * What can be read is whole and survives loss of power: data is synced before the rename that makes an object committed,
 * and nobody is told of the rename before the directories are synced. Whatever happens on the way, an id is committed and
 * whole, or unfinished, or absent.
 *
 * @module
 */
import { constants } from 'node:fs'
import { join } from 'node:path'
import { bootId, DIRECT_FLAG, DIRECT_READ_BYTES, DirectFile, DirectorySync } from '@ropewalk/disk'
import type { AbortOptions, FragmentInfo, FragmentReader, FragmentStore, FragmentWriter } from '@ropewalk/interface'
import { LIST_BATCH_FILES, MAX_READ_OBJECTS } from './constants.ts'
import { StoreError, storeError, systemCode } from './errors.ts'
import { nodeFileSystem, type FileSystem, type StoreFile } from './file-system.ts'
import { checkId, Layout, parseObject } from './layout.ts'
import { lockDirectory, type DirectoryLock } from './lock.ts'
import { Quota } from './quota.ts'
import { committedBytes, committedSize, makeFolders, recover } from './recover.ts'
import { FileReader } from './reader.ts'
import { Unfinished, type Place } from './unfinished.ts'

export interface FsStoreOptions {
  /** Bytes that all objects together may take. Unlimited by default; the store then need not look at every file when it opens. */
  maxBytes?: number | undefined
  /** What to do with unfinished objects found at the start. `keep` by default: uploads can go on where they stopped. */
  unfinished?: 'keep' | 'remove' | undefined
  /** Unfinished objects untouched for longer than this are removed at the start. Unlimited by default. */
  maxUnfinishedAgeMs?: number | undefined
  /** Large writes go past the system's cache, where it lets them. True by default: what is stored is seldom read at once. */
  direct?: boolean | undefined
  /** The file system, for tests that inject faults. */
  fs?: FileSystem | undefined
}

/** Opens the store in `directory`, which is made if it is missing. `ERR_LOCKED` while another store has it open. */
export async function openFsStore (directory: string, options: FsStoreOptions = {}): Promise<FragmentStore> {
  const { maxBytes = Infinity, unfinished = 'keep', maxUnfinishedAgeMs = Infinity, direct = true, fs = nodeFileSystem } = options
  if (!(maxBytes >= 0)) throw new RangeError(`maxBytes ${maxBytes}`)
  if (!(maxUnfinishedAgeMs >= 0)) throw new RangeError(`maxUnfinishedAgeMs ${maxUnfinishedAgeMs}`)
  const layout = new Layout(directory)
  const sync = new DirectorySync(fs)
  let lock: DirectoryLock | undefined

  try {
    await makeFolders(fs, sync, layout)
    lock = await lockDirectory(layout.lock)
    const found = await recover(fs, sync, layout, bootId(), { unfinished, maxUnfinishedAgeMs })
    let used = maxBytes === Infinity ? 0 : await committedBytes(fs, layout, found.shards)
    for (const { size } of found.unfinished.values()) used += size
    const place = { fs, sync, layout, quota: new Quota(maxBytes, used), direct, kept: new Set<StoreFile>() }
    const kept = Array.from(found.unfinished, ([id, { size, marker }]) => new Unfinished(place, id, size, marker))
    return new FsStore(place, lock, found.shards, kept)
  } catch (error) {
    await lock?.release()
    throw storeError(error, `open store ${directory}`)
  }
}

class FsStore implements FragmentStore {
  readonly #place: Place
  readonly #lock: DirectoryLock
  /** Shards that exist, each with the promise that its entry in `objects` is durable. */
  readonly #shards: Map<string, Promise<void>>
  /** Every unfinished object: the directory is ours alone, so what is not here has no file in `partial`. */
  readonly #unfinished: Map<string, Unfinished>
  /** The last thing under way for an id: what changes an object happens one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>()
  /** Objects that were read, the last one last. */
  readonly #read = new Set<string>()
  #closed: Promise<void> | undefined

  constructor (place: Place, lock: DirectoryLock, shards: Iterable<string>, unfinished: Iterable<Unfinished>) {
    this.#place = place
    this.#lock = lock
    this.#shards = new Map(Array.from(shards, shard => [shard, Promise.resolve()]))
    this.#unfinished = new Map(Array.from(unfinished, object => [object.id, object]))
  }

  write (id: string, offset: number, options?: AbortOptions): Promise<FragmentWriter> {
    if (!Number.isSafeInteger(offset) || offset < 0) return Promise.reject(new RangeError(`offset ${offset}`))

    return this.#inTurn(id, options, `open ${id} for writing`, async () => {
      const object = this.#unfinished.get(id) ?? new Unfinished(this.#place, id)
      if (!this.#unfinished.has(id) && await this.#committedSize(id) != null) {
        throw new StoreError('ERR_EXISTS', `${id} is committed and cannot be written to`)
      }
      const writer = await object.open(offset)
      this.#unfinished.set(id, object)
      return writer
    })
  }

  commit (id: string, options?: AbortOptions): Promise<void> {
    return this.#inTurn(id, options, `commit ${id}`, async () => {
      const object = this.#unfinished.get(id)
      if (object?.writer != null) throw new StoreError('ERR_BUSY', `${id} has a writer`)
      if (object != null) await this.#publish(object)
      else if (await this.#committedSize(id) == null) throw missing(id)
    })
  }

  async read (id: string, options?: AbortOptions): Promise<FragmentReader> {
    this.#check(id, options)
    // Renamed but not yet durable counts as unfinished.
    const size = this.#unfinished.has(id) ? undefined : await this.#committedSize(id)
    if (size == null) throw missing(id)
    const { fs, layout } = this.#place
    const path = size === 0 ? layout.emptyOf(id) : layout.objectOf(id)

    try {
      const handle = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      return new FileReader(handle, id, size, this.#readsPastCache(id, size) ? new DirectFile(() => this.#openDirect(path, handle)) : undefined)
    } catch (error) {
      throw systemCode(error) === 'ENOENT' ? missing(id) : storeError(error, `open ${id}`)
    }
  }

  async stat (id: string, options?: AbortOptions): Promise<FragmentInfo | undefined> {
    this.#check(id, options)
    const object = this.#unfinished.get(id)
    if (object != null) return { id, size: object.size, committed: false }
    const size = await this.#committedSize(id)
    return size == null ? undefined : { id, size, committed: true }
  }

  remove (id: string, options?: AbortOptions): Promise<boolean> {
    return this.#inTurn(id, options, `remove ${id}`, async () => {
      const { fs, layout, quota, sync } = this.#place
      const object = this.#unfinished.get(id)
      if (object?.writer != null) throw new StoreError('ERR_BUSY', `${id} has a writer`)
      if (object != null) {
        await object.discard()
        this.#unfinished.delete(id)
        await sync.sync(layout.partial)
        return true
      }

      const size = await this.#committedSize(id)
      if (size == null) return false
      await fs.rm(layout.objectOf(id), { force: true })
      await fs.rm(layout.emptyOf(id), { force: true })
      quota.giveBack(size)
      await sync.sync(layout.shardOf(id))
      return true
    })
  }

  async * list (options?: AbortOptions): AsyncGenerator<FragmentInfo> {
    const { fs, layout } = this.#place
    this.#checkOpen(options)
    const listed = new Set<string>()
    for (const { id, size } of [...this.#unfinished.values()]) {
      listed.add(id)
      yield { id, size, committed: false }
    }

    for (const shard of [...this.#shards.keys()]) {
      const names = await fs.readdir(join(layout.objects, shard)).catch(error => { throw storeError(error, `list ${shard}`) })
      // An id can be there under both its names, if one of the files is damaged.
      const ids = [...new Set(names.map(name => parseObject(name)?.id))].filter(id => id != null && !listed.has(id)) as string[]
      for (let begin = 0; begin < ids.length; begin += LIST_BATCH_FILES) {
        this.#checkOpen(options)
        const batch = await Promise.all(ids.slice(begin, begin + LIST_BATCH_FILES).map(async id => await this.stat(id)))
        for (const info of batch) if (info != null) yield info
      }
    }
  }

  async available (options?: AbortOptions): Promise<number> {
    this.#checkOpen(options)
    const { fs, layout, quota } = this.#place
    const { bavail, bsize } = await fs.statfs(layout.root).catch(error => { throw storeError(error, 'ask for free space') })
    return Math.min(bavail * bsize, quota.available)
  }

  close (): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close (): Promise<void> {
    try {
      await Promise.all(this.#turns.values())
      const failures = await Promise.allSettled(Array.from(this.#unfinished.values(), object => object.rest()))
      const failed = failures.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw storeError(failed.reason, 'close the store')
    } finally {
      await this.#lock.release()
    }
  }

  /** What is read again is likely to be so once more: then the cache is worth its memory. */
  #readsPastCache (id: string, size: number): boolean {
    if (!this.#place.direct || size < DIRECT_READ_BYTES || DIRECT_FLAG === undefined) return false
    const again = this.#read.delete(id)
    this.#read.add(id)
    const [oldest] = this.#read
    if (this.#read.size > MAX_READ_OBJECTS && oldest !== undefined) this.#read.delete(oldest)
    return !again
  }

  /** The file that `handle` has open, once more; undefined where its path has become another's. */
  async #openDirect (path: string, handle: StoreFile): Promise<StoreFile | undefined> {
    const opened = await this.#place.fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_DIRECT).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    })
    if (opened === undefined) return undefined
    const [ours, theirs] = await Promise.all([handle.stat(), opened.stat()])
    if (ours.ino === theirs.ino && ours.dev === theirs.dev) return opened
    await opened.close()
    return undefined
  }

  /** From unfinished to committed. The order of the steps is the promise. */
  async #publish (object: Unfinished): Promise<void> {
    const { fs, layout, sync } = this.#place
    const { id } = object
    const size = await object.settle()
    await this.#makeShard(id)
    const target = size === 0 ? layout.emptyOf(id) : layout.objectOf(id)
    await fs.rename(layout.partialOf(id), target)

    try {
      await object.dropMarker()
      await Promise.all([sync.sync(layout.shardOf(id)), sync.sync(layout.partial)])
    } catch (error) {
      // Not known to be durable, so not committed. If even this fails, the id stays hidden until the next start.
      await fs.rename(target, layout.partialOf(id))
      throw error
    }
    this.#unfinished.delete(id)
  }

  #makeShard (id: string): Promise<void> {
    const { fs, layout, sync } = this.#place
    const shard = id.slice(0, 2)
    const made = this.#shards.get(shard)
    if (made != null) return made

    const making = (async () => {
      await fs.mkdir(layout.shardOf(id), { recursive: true, mode: 0o700 })
      await sync.sync(layout.objects)
    })()
    this.#shards.set(shard, making)
    making.catch(() => this.#shards.delete(shard))
    return making
  }

  async #committedSize (id: string): Promise<number | undefined> {
    if (!this.#shards.has(id.slice(0, 2))) return undefined
    const { fs, layout } = this.#place
    return await committedSize(fs, layout, id).catch(error => { throw storeError(error, `look for ${id}`) })
  }

  #inTurn<T> (id: string, options: AbortOptions | undefined, doing: string, work: () => Promise<T>): Promise<T> {
    const previous = this.#turns.get(id)
    const turn = (async () => {
      this.#check(id, options)
      await previous?.catch(() => {})
      options?.signal?.throwIfAborted()
      try {
        return await work()
      } catch (error) {
        throw storeError(error, doing)
      }
    })()
    const settled = turn.catch(() => {}).finally(() => {
      if (this.#turns.get(id) === settled) this.#turns.delete(id)
    })
    this.#turns.set(id, settled)
    return turn
  }

  #check (id: string, options: AbortOptions | undefined): void {
    checkId(id)
    this.#checkOpen(options)
  }

  #checkOpen (options: AbortOptions | undefined): void {
    options?.signal?.throwIfAborted()
    if (this.#closed != null) throw new StoreError('ERR_CLOSED', 'the store is closed')
  }
}

function missing (id: string): StoreError {
  return new StoreError('ERR_NOT_FOUND', `${id} is not committed here`)
}
