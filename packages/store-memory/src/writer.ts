import type { FragmentWriter } from '@ropewalk/interface'
import { StoreError } from './errors.ts'
import type { MemoryStore } from './store.ts'

export interface Stored {
  pieces: Uint8Array[]
  size: number
  committed: boolean
  writer: MemoryWriter | undefined
}

/** Appends to one object. */
export class MemoryWriter implements FragmentWriter {
  readonly #store: MemoryStore
  readonly #id: string
  readonly #object: Stored
  /** Calls that overlap are done in the order they were made. */
  #tail: Promise<unknown> = Promise.resolve()
  #open = true

  constructor (store: MemoryStore, id: string, object: Stored) {
    this.#store = store
    this.#id = id
    this.#object = object
    store.openWriters++
  }

  get size (): number {
    return this.#object.size
  }

  write (bytes: Parameters<FragmentWriter['write']>[0]): Promise<void> {
    const copy = bytes.slice()
    return this.#inTurn(async () => {
      await this.#store.before('append', this.#id)
      const all = this.#store.bytes + copy.length
      if (all > this.#store.maxBytes) throw new StoreError('ERR_NO_SPACE', `${all} > ${this.#store.maxBytes} bytes`)
      this.#object.pieces.push(copy)
      this.#object.size += copy.length
    })
  }

  sync (): Promise<void> {
    return this.#inTurn(async () => { await this.#store.before('sync', this.#id) })
  }

  async close (): Promise<void> {
    const wasOpen = this.#open
    this.#open = false
    await this.#tail
    if (!wasOpen) return
    try {
      await this.#store.before('close', this.#id)
    } finally {
      this.#store.openWriters--
      this.#object.writer = undefined
    }
  }

  #inTurn (work: () => Promise<void>): Promise<void> {
    if (!this.#open) return Promise.reject(new StoreError('ERR_CLOSED', `writer of ${this.#id} is closed`))
    const done = this.#tail.then(work)
    this.#tail = done.catch(() => {})
    return done
  }
}
