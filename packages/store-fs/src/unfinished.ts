import { constants } from 'node:fs'
import { DIRECT_FLAG, DirectFile, type DirectorySync } from '@ropewalk/disk'
import { MAX_KEPT_FILES } from './constants.ts'
import { StoreError, storeError } from './errors.ts'
import type { FileSystem, StoreFile } from './file-system.ts'
import type { Layout } from './layout.ts'
import type { Quota } from './quota.ts'
import { FileWriter, type WriterOwner } from './writer.ts'

/** What all objects of one store share. */
export interface Place {
  readonly fs: FileSystem
  readonly sync: DirectorySync
  readonly layout: Layout
  readonly quota: Quota
  /** Large writes go past the system's cache. */
  readonly direct: boolean
  /** Files that nobody writes to and that are open all the same. */
  readonly kept: Set<StoreFile>
}

/** One unfinished object: its file, its marker, and its writer when it has one. */
export class Unfinished implements WriterOwner {
  readonly id: string
  readonly #place: Place
  #size: number
  /** Bytes that the marker on disk promises; 0 when there is none. */
  #marker: number
  /** `unknown` is what an earlier run left behind. `tainted` can only be started over. */
  #data: 'unknown' | 'dirty' | 'clean' | 'tainted' = 'unknown'
  #writer: FileWriter | undefined
  /** The last writer's, for the sync that a commit needs: opening the file once more costs as much as writing little to it. */
  #handle: StoreFile | undefined

  constructor (place: Place, id: string, size = 0, marker = 0) {
    this.#place = place
    this.id = id
    this.#size = size
    this.#marker = marker
  }

  get size (): number {
    return this.#writer?.size ?? this.#size
  }

  get writer (): FileWriter | undefined {
    return this.#writer
  }

  /** Opens the file for appending at `offset`, which 0 makes the beginning. */
  async open (offset: number): Promise<FileWriter> {
    if (this.#writer != null) throw new StoreError('ERR_BUSY', `${this.id} has a writer`)
    await this.#takeHandle()?.close()
    if (offset !== 0 && this.#data === 'tainted') throw this.#lost()
    if (offset !== 0 && offset !== this.#size) throw this.#misplaced(offset, this.#size)

    if (offset === 0 && this.#marker > 0) {
      // The marker must be gone before the bytes it speaks of are: it would vouch for whatever comes in their place.
      await this.dropMarker()
      await this.#place.sync.sync(this.#place.layout.partial)
    }

    const handle = await this.#place.fs.open(this.#path, constants.O_WRONLY | constants.O_NOFOLLOW | (offset === 0 ? FRESH : 0), 0o600)
    try {
      const size = offset === 0 ? 0 : (await handle.stat()).size
      if (size !== offset) throw this.#misplaced(offset, size)
    } catch (error) {
      await handle.close()
      throw error
    }

    if (offset === 0) {
      this.#place.quota.giveBack(this.#size)
      this.#size = 0
      this.#data = 'dirty'
    }
    this.#writer = new FileWriter(this.id, handle, offset, this, this.#direct())
    return this.#writer
  }

  /** Syncs what no sync has covered yet; resolves to the size. There must be no writer. */
  async settle (): Promise<number> {
    if (this.#data === 'tainted') throw this.#lost()
    if (this.#data === 'clean') {
      await this.#takeHandle()?.close()
      return this.#size
    }

    const handle = this.#takeHandle() ?? await this.#place.fs.open(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      await handle.datasync()
      this.#data = 'clean'
      return this.#size
    } catch (error) {
      this.#data = 'tainted'
      throw storeError(error, `sync ${this.id}`)
    } finally {
      await handle.close()
    }
  }

  /** The store closes: lets the writer finish, and leaves a marker so that the next start can trust the file. */
  async rest (): Promise<void> {
    const writer = this.#writer
    await writer?.sync()
    await writer?.close()
    if (this.#data === 'tainted') return
    await this.settle()
    await this.synced(this.#size)
  }

  /** Removes file and marker; the caller syncs the directory. */
  async discard (): Promise<void> {
    await this.#takeHandle()?.close()
    await this.#place.fs.unlink(this.#path)
    this.#place.quota.giveBack(this.#size)
    this.#size = 0
    await this.dropMarker()
  }

  async dropMarker (): Promise<void> {
    if (this.#marker === 0) return
    await this.#place.fs.rm(this.#place.layout.markerOf(this.id, this.#marker), { force: true })
    this.#marker = 0
  }

  appending (bytes: number): void {
    this.#place.quota.take(bytes)
    if (this.#data !== 'tainted') this.#data = 'dirty'
  }

  failed (bytes: number): void {
    this.#place.quota.giveBack(bytes)
  }

  /** The size goes into the name of an empty file: the directory has to be synced anyway, so the promise costs no further sync. */
  async synced (size: number): Promise<void> {
    const { fs, layout, sync } = this.#place
    this.#data = 'clean'
    if (size === this.#marker || size === 0) return

    const old = this.#marker
    const marker = await fs.open(layout.markerOf(this.id, size), constants.O_WRONLY | FRESH, 0o600)
    await marker.close()
    await sync.sync(layout.partial)
    this.#marker = size
    if (old > 0) await fs.rm(layout.markerOf(this.id, old), { force: true })
  }

  tainted (): void {
    this.#data = 'tainted'
  }

  async released (size: number, handle: StoreFile): Promise<void> {
    const { kept } = this.#place
    try {
      if (kept.size >= MAX_KEPT_FILES || this.#data !== 'dirty') await handle.close()
      else kept.add(this.#handle = handle)
    } catch (error) {
      this.tainted()
      throw storeError(error, `close ${this.id}`)
    } finally {
      this.#writer = undefined
      this.#size = size
    }
  }

  #takeHandle (): StoreFile | undefined {
    const handle = this.#handle
    this.#handle = undefined
    if (handle !== undefined) this.#place.kept.delete(handle)
    return handle
  }

  #direct (): DirectFile | undefined {
    const flag = DIRECT_FLAG
    if (!this.#place.direct || flag === undefined) return undefined
    return new DirectFile(() => this.#place.fs.open(this.#path, constants.O_WRONLY | constants.O_NOFOLLOW | flag))
  }

  get #path (): string {
    return this.#place.layout.partialOf(this.id)
  }

  #lost (): StoreError {
    return new StoreError('ERR_IO', `the system lost bytes of ${this.id}: it has to be written from the start`)
  }

  #misplaced (offset: number, size: number): StoreError {
    return new StoreError('ERR_OFFSET', `offset ${offset} != ${size} bytes of ${this.id}`)
  }
}

const FRESH = constants.O_CREAT | constants.O_TRUNC
