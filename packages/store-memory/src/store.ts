import type { AbortOptions, FragmentInfo, FragmentReader, FragmentStore, FragmentWriter } from '@ropewalk/interface'
import { StoreError } from './errors.ts'
import { MemoryWriter, type Stored } from './writer.ts'

export type StoreOperation = 'write' | 'append' | 'sync' | 'commit' | 'read' | 'readAt' | 'stat' | 'remove' | 'close'

export interface MemoryStoreOptions {
  /** Bytes that all objects together may take. Unlimited by default. */
  maxBytes?: number | undefined
}

/**
 * A FragmentStore that lasts as long as the process. It can be told to fail, and counts what is open: whoever tests what
 * stands on a store needs both.
 */
export class MemoryStore implements FragmentStore {
  readonly objects: Map<string, Stored> = new Map()
  maxBytes: number
  /** Called before each operation: throw to make it fail, wait to make it slow. */
  before: (operation: StoreOperation, id: string) => Promise<void> | void = () => {}
  openWriters = 0
  openReaders = 0
  #closed = false

  constructor ({ maxBytes = Infinity }: MemoryStoreOptions = {}) {
    this.maxBytes = maxBytes
  }

  /** Bytes of all objects. */
  get bytes (): number {
    let bytes = 0
    for (const { size } of this.objects.values()) bytes += size
    return bytes
  }

  /** Puts a committed object there by hand. */
  plant (id: string, content: Uint8Array): void {
    this.objects.set(id, { pieces: [content.slice()], size: content.length, committed: true, writer: undefined })
  }

  /** The bytes of an object, committed or not. */
  content (id: string): Uint8Array | undefined {
    const object = this.objects.get(id)
    return object === undefined ? undefined : joined(object)
  }

  /** The same objects after the death of the process: open writers and readers are gone. */
  revive (): MemoryStore {
    const store = new MemoryStore({ maxBytes: this.maxBytes })
    for (const [id, { pieces, size, committed }] of this.objects) store.objects.set(id, { pieces: [...pieces], size, committed, writer: undefined })
    return store
  }

  async write (id: string, offset: number, options?: AbortOptions): Promise<FragmentWriter> {
    if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`offset ${offset}`)
    await this.#begin('write', id, options)
    let object = this.objects.get(id)
    if (object?.committed === true) throw new StoreError('ERR_EXISTS', `${id} is committed and cannot be written to`)
    if (object?.writer !== undefined) throw new StoreError('ERR_BUSY', `${id} has a writer`)
    if (offset !== 0 && offset !== object?.size) throw new StoreError('ERR_OFFSET', `offset ${offset} != ${object?.size ?? 0} bytes of ${id}`)
    if (object === undefined || offset === 0) {
      object = { pieces: [], size: 0, committed: false, writer: undefined }
      this.objects.set(id, object)
    }
    return object.writer = new MemoryWriter(this, id, object)
  }

  async commit (id: string, options?: AbortOptions): Promise<void> {
    await this.#begin('commit', id, options)
    const object = this.objects.get(id)
    if (object === undefined) throw missing(id)
    if (object.writer !== undefined) throw new StoreError('ERR_BUSY', `${id} has a writer`)
    object.committed = true
  }

  async read (id: string, options?: AbortOptions): Promise<FragmentReader> {
    await this.#begin('read', id, options)
    const object = this.objects.get(id)
    if (object?.committed !== true) throw missing(id)
    const content = joined(object)
    let open = true
    this.openReaders++
    return {
      size: content.length,
      read: async (into, position) => {
        if (!Number.isSafeInteger(position) || position < 0) throw new RangeError(`position ${position}`)
        if (!open) throw new StoreError('ERR_CLOSED', `reader of ${id} is closed`)
        await this.before('readAt', id)
        const part = content.subarray(position, position + into.length)
        into.set(part)
        return part.length
      },
      close: async () => {
        if (open) this.openReaders--
        open = false
      }
    }
  }

  async stat (id: string, options?: AbortOptions): Promise<FragmentInfo | undefined> {
    await this.#begin('stat', id, options)
    const object = this.objects.get(id)
    return object === undefined ? undefined : { id, size: object.size, committed: object.committed }
  }

  async remove (id: string, options?: AbortOptions): Promise<boolean> {
    await this.#begin('remove', id, options)
    if (this.objects.get(id)?.writer !== undefined) throw new StoreError('ERR_BUSY', `${id} has a writer`)
    return this.objects.delete(id)
  }

  async * list (options?: AbortOptions): AsyncGenerator<FragmentInfo> {
    this.#check(options)
    for (const [id, { size, committed }] of this.objects) {
      this.#check(options)
      yield { id, size, committed }
    }
  }

  async available (options?: AbortOptions): Promise<number> {
    this.#check(options)
    return Math.max(0, this.maxBytes - this.bytes)
  }

  async close (): Promise<void> {
    this.#closed = true
    for (const { writer } of this.objects.values()) await writer?.close()
  }

  async #begin (operation: StoreOperation, id: string, options: AbortOptions | undefined): Promise<void> {
    if (!/^[0-9a-f]{32}$/.test(id)) throw new StoreError('ERR_BAD_ID', `${JSON.stringify(id)} is no id: 32 lower-case hex digits`)
    this.#check(options)
    await this.before(operation, id)
  }

  #check (options: AbortOptions | undefined): void {
    options?.signal?.throwIfAborted()
    if (this.#closed) throw new StoreError('ERR_CLOSED', 'the store is closed')
  }
}

function joined ({ pieces, size }: Stored): Uint8Array {
  const content = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    content.set(piece, at)
    at += piece.length
  }
  return content
}

function missing (id: string): StoreError {
  return new StoreError('ERR_NOT_FOUND', `${id} is not committed here`)
}
