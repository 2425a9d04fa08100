import type { FragmentInfo, FragmentReader, FragmentStore, FragmentWriter } from '@ropewalk/interface'

/** An error as stores throw them. */
export class MemoryStoreError extends Error {
  override readonly name = 'MemoryStoreError'
  readonly code: string

  constructor (code: string) {
    super(code)
    this.code = code
  }
}

interface Stored { pieces: Uint8Array[], size: number, committed: boolean, writer: boolean }

/** A FragmentStore in memory, that can be told to fail, and that counts what is open. */
export class MemoryStore implements FragmentStore {
  readonly objects = new Map<string, Stored>()
  maxBytes = Infinity
  /** Called before each operation; throw to make it fail, wait to make it slow. */
  before: (operation: 'write' | 'append' | 'commit' | 'read' | 'readAt' | 'stat' | 'remove' | 'close', id: string) => Promise<void> | void = () => {}
  openWriters = 0
  openReaders = 0

  get bytes (): number {
    return [...this.objects.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** A committed object, put there by hand. */
  plant (id: string, content: Uint8Array): void {
    this.objects.set(id, { pieces: [content.slice()], size: content.length, committed: true, writer: false })
  }

  content (id: string): Uint8Array | undefined {
    const object = this.objects.get(id)
    return object === undefined ? undefined : new Uint8Array(Buffer.concat(object.pieces))
  }

  async write (id: string, offset: number): Promise<FragmentWriter> {
    await this.before('write', id)
    let object = this.objects.get(id)
    if (object?.committed === true) throw new MemoryStoreError('ERR_EXISTS')
    if (object?.writer === true) throw new MemoryStoreError('ERR_BUSY')
    if (offset !== 0 && offset !== object?.size) throw new MemoryStoreError('ERR_OFFSET')
    if (object === undefined || offset === 0) {
      object = { pieces: [], size: 0, committed: false, writer: false }
      this.objects.set(id, object)
    }
    object.writer = true
    this.openWriters++
    return new MemoryWriter(this, id, object)
  }

  async commit (id: string): Promise<void> {
    await this.before('commit', id)
    const object = this.objects.get(id)
    if (object === undefined) throw new MemoryStoreError('ERR_NOT_FOUND')
    if (object.writer) throw new MemoryStoreError('ERR_BUSY')
    object.committed = true
  }

  async read (id: string): Promise<FragmentReader> {
    await this.before('read', id)
    const content = this.content(id)
    if (content === undefined || this.objects.get(id)?.committed !== true) throw new MemoryStoreError('ERR_NOT_FOUND')
    this.openReaders++
    let open = true
    return {
      size: content.length,
      read: async (into, position) => {
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

  async stat (id: string): Promise<FragmentInfo | undefined> {
    await this.before('stat', id)
    const object = this.objects.get(id)
    return object === undefined ? undefined : { id, size: object.size, committed: object.committed }
  }

  async remove (id: string): Promise<boolean> {
    await this.before('remove', id)
    if (this.objects.get(id)?.writer === true) throw new MemoryStoreError('ERR_BUSY')
    return this.objects.delete(id)
  }

  async * list (): AsyncGenerator<FragmentInfo> {
    for (const [id, { size, committed }] of this.objects) yield { id, size, committed }
  }

  async available (): Promise<number> {
    return this.maxBytes - this.bytes
  }

  async close (): Promise<void> {}
}

class MemoryWriter implements FragmentWriter {
  readonly #store: MemoryStore
  readonly #id: string
  readonly #object: Stored
  #open = true

  constructor (store: MemoryStore, id: string, object: Stored) {
    this.#store = store
    this.#id = id
    this.#object = object
  }

  get size (): number {
    return this.#object.size
  }

  async write (bytes: Parameters<FragmentWriter['write']>[0]): Promise<void> {
    const copy = bytes.slice()
    await this.#store.before('append', this.#id)
    if (this.#store.bytes + copy.length > this.#store.maxBytes) throw new MemoryStoreError('ERR_NO_SPACE')
    this.#object.pieces.push(copy)
    this.#object.size += copy.length
  }

  async sync (): Promise<void> {}

  async close (): Promise<void> {
    await this.#store.before('close', this.#id)
    if (this.#open) this.#store.openWriters--
    this.#open = false
    this.#object.writer = false
  }
}
