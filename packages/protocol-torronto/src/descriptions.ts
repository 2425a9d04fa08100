/** What stands beside a file that is being filled, so that another process can go on with it. */
import type { FileState } from './file-state.ts'
import type { SwarmStore } from './store.ts'

interface Described {
  readonly file: unknown
  readonly done: Promise<void> | undefined
}

export class Descriptions {
  readonly #store: SwarmStore
  readonly #described = new Map<string, Described>()

  constructor (store: SwarmStore) {
    this.#store = store
  }

  /** Resolves when the file is described, where it is known whole: before its first chunk is written. */
  async write (name: string, file: Readonly<FileState> | undefined): Promise<void> {
    let described = this.#described.get(name)
    if (described?.file !== file) {
      if (file?.size === undefined || !file.hashed) return
      described = { file, done: this.#store.describe?.({ name, size: file.size, chunkSha256: [...file.hashes] }) }
      this.#described.set(name, described)
    }
    await described?.done
  }

  forget (name: string): void {
    this.#described.delete(name)
  }
}
