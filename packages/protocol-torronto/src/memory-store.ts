import type { LocalFile } from './facts.ts'
import type { SwarmStore } from './store.ts'
import { chunkLength } from './name-codec.ts'

/** Files in memory: for tests, and for a peer in a browser. */
export class MemorySwarmStore implements SwarmStore {
  readonly #whole = new Map<string, LocalFile & { readonly chunks: ReadonlyMap<number, Uint8Array> }>()
  readonly #open = new Map<string, Map<number, Uint8Array>>()
  readonly setAside: Array<{ name: string, index: number, from: string, bytes: Uint8Array }> = []

  async * list (): AsyncIterable<LocalFile> {
    for (const { name, size, nulTail } of this.#whole.values()) yield { name, size, nulTail }
  }

  async read (name: string, index: number): Promise<Uint8Array | undefined> {
    return (this.#whole.get(name)?.chunks ?? this.#open.get(name))?.get(index)
  }

  async write (name: string, index: number, bytes: Uint8Array): Promise<void> {
    let chunks = this.#open.get(name)
    if (chunks === undefined) this.#open.set(name, chunks = new Map())
    chunks.set(index, bytes.slice())
  }

  async finish (name: string, size: number): Promise<void> {
    const chunks = new Map<number, Uint8Array>()
    for (const [index, bytes] of this.#open.get(name) ?? []) if (chunkLength(size, index) > 0) chunks.set(index, bytes.subarray(0, chunkLength(size, index)))
    const last = chunks.get(chunks.size - 1)
    this.#open.delete(name)
    this.#whole.set(name, { name, size, nulTail: last?.at(-1) === 0, chunks })
  }

  async discard (name: string): Promise<void> {
    this.#open.delete(name)
  }

  async aside (name: string, index: number, from: string, bytes: Uint8Array): Promise<void> {
    this.setAside.push({ name, index, from, bytes })
  }

  /** The bytes of a whole file. */
  bytes (name: string): Uint8Array | undefined {
    const file = this.#whole.get(name)
    if (file === undefined) return undefined
    const bytes = new Uint8Array(file.size)
    for (const [index, chunk] of file.chunks) bytes.set(chunk, index * 65_536)
    return bytes
  }
}
