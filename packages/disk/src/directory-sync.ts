/**
 * Syncs of directories: what is in a file is durable by a sync of the file, under which name it is found by one of the directory.
 *
 * @module
 */
import { constants } from 'node:fs'
import * as promises from 'node:fs/promises'

/** What opens a directory for a sync; `node:fs/promises` does. */
export interface DirectoryOpener {
  open (path: string, flags: number): Promise<{ sync (): Promise<void>, close (): Promise<void> }>
}

/** Every change made to the entries of `directory` before this call survives loss of power. */
export async function syncDirectory (directory: string, fs: DirectoryOpener = promises): Promise<void> {
  // Windows cannot open a directory, and needs no such thing.
  if (process.platform === 'win32') return
  const handle = await fs.open(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Group commit for directories. Everybody who changed an entry waits for one fsync that *began* after the change: who
 * comes while one is under way waits for the next, which then serves all that came meanwhile.
 */
export class DirectorySync {
  readonly #fs: DirectoryOpener
  readonly #running = new Map<string, Promise<void>>()
  readonly #next = new Map<string, Promise<void>>()

  constructor (fs: DirectoryOpener = promises) {
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
    const run = syncDirectory(directory, this.#fs).finally(() => {
      if (this.#running.get(directory) === run) this.#running.delete(directory)
    })
    this.#running.set(directory, run)
    return run
  }
}

function nothing (): void {}
