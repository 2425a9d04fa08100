/**
 * Files that stay open from one use to the next.
 *
 * @module
 */
import type { FileHandle } from 'node:fs/promises'

/** So many; the one that was not used for longest is closed. Ours. */
const MAX_OPEN = 32

interface OpenFile {
  readonly opened: Promise<FileHandle | undefined>
  users: number
  /** Nobody finds it any more: the last who uses it closes it. */
  over: boolean
}

/** Whoever uses a file keeps it open until it is done, whatever others do with it meanwhile. */
export class OpenFiles {
  readonly #files = new Map<string, OpenFile>()
  readonly #closing = new Set<Promise<void>>()

  /** What `work` makes of the file `name`, which `open` opens unless it is open; undefined where it opens none. */
  async use<T> (name: string, open: () => Promise<FileHandle | undefined>, work: (handle: FileHandle) => Promise<T>): Promise<T | undefined> {
    const file = this.#files.get(name) ?? { opened: open(), users: 0, over: false }
    this.#files.delete(name)
    this.#files.set(name, file)
    file.users++
    try {
      if (this.#files.size > MAX_OPEN) this.#forget(this.#files.keys().next().value as string)
      const handle = await file.opened.catch((error: unknown) => {
        if (this.#files.get(name) === file) this.#forget(name)
        throw error
      })
      if (handle !== undefined) return await work(handle)
      if (this.#files.get(name) === file) this.#forget(name)
      return undefined
    } finally {
      file.users--
      this.#release(file)
    }
  }

  has (name: string): boolean {
    return this.#files.has(name)
  }

  /** Whoever wants this file from now on opens it anew. */
  #forget (name: string): void {
    const file = this.#files.get(name)
    if (file === undefined) return
    this.#files.delete(name)
    file.over = true
    this.#release(file)
  }

  /** Resolves when everything that was closed so far is. */
  async close (name: string): Promise<void> {
    this.#forget(name)
    await Promise.all(this.#closing)
  }

  async closeAll (): Promise<void> {
    for (const name of [...this.#files.keys()]) this.#forget(name)
    await Promise.all(this.#closing)
  }

  #release (file: OpenFile): void {
    if (!file.over || file.users > 0) return
    // What has to be on the disk was synced, and tells of what went wrong by itself.
    const closing = file.opened.then(async handle => { await handle?.close() }).catch(() => {}).finally(() => { this.#closing.delete(closing) })
    this.#closing.add(closing)
  }
}
