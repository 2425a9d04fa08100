import { constants } from 'node:fs'
import type { FileSystem } from './file-system.ts'

/**
 * Group commit for directories. Everybody who changed an entry waits for one fsync that *began* after the change: who
 * comes while one is under way waits for the next, which then serves all that came meanwhile.
 */
export class DirectorySync {
  readonly #fs: FileSystem
  readonly #running = new Map<string, Promise<void>>()
  readonly #next = new Map<string, Promise<void>>()
  /** How many times a directory was really synced. */
  syncs = 0

  constructor (fs: FileSystem) {
    this.#fs = fs
  }

  /** Resolves once every change made to `directory` before this call survives loss of power. */
  sync (directory: string): Promise<void> {
    const waiting = this.#next.get(directory)
    if (waiting != null) return waiting

    const running = this.#running.get(directory)
    if (running == null) return this.#run(directory)

    const next = running.then(nothing, nothing).then(() => {
      this.#next.delete(directory)
      return this.#run(directory)
    })
    this.#next.set(directory, next)
    return next
  }

  #run (directory: string): Promise<void> {
    const run = this.#fsync(directory).finally(() => {
      if (this.#running.get(directory) === run) this.#running.delete(directory)
    })
    this.#running.set(directory, run)
    return run
  }

  async #fsync (directory: string): Promise<void> {
    this.syncs++
    const handle = await this.#fs.open(directory, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
}

function nothing (): void {}
