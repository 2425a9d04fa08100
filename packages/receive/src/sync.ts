/**
 * Syncs that are shared: whoever asks while one is under way waits for the next, together with all who asked meanwhile. So many
 * files that end at the same time cost one sync of their folder, and one of their journal.
 *
 * @module
 */
import { fdatasync, fstatSync, fsync as fsyncFile } from 'node:fs'
import { promisify } from 'node:util'

/** One sync at a time, and one that waits. What was done before `sync` was called survives loss of power when it resolves. */
export class SharedSync {
  readonly #sync: () => Promise<void>
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor (sync: () => Promise<void>) {
    this.#sync = sync
  }

  sync (): Promise<void> {
    if (this.#next !== undefined) return this.#next
    const begin = (): Promise<void> => {
      this.#next = undefined
      const running = this.#sync().finally(() => { if (this.#running === running) this.#running = undefined })
      this.#running = running
      return running
    }
    // Also where nothing is under way it begins a little later, so that all who are ready now come along.
    this.#next = (this.#running ?? new Promise<void>(resolve => { setImmediate(resolve) })).then(begin, begin)
    return this.#next
  }
}

export const fsync: (fd: number) => Promise<void> = promisify(fsyncFile)
export const datasync: (fd: number) => Promise<void> = promisify(fdatasync)

/** Syncs the folder behind `fd`, which stays open until this resolves. Any descriptor of the folder does for all who wait. */
export async function syncFolder (fd: number): Promise<void> {
  // As numbers, two of those that some file systems have would be the same.
  const { dev, ino } = fstatSync(fd, { bigint: true })
  const key = `${dev} ${ino}`
  const waiting = FOLDERS.get(key) ?? waitingFor()
  FOLDERS.set(key, waiting)
  waiting.fds.push(fd)
  try {
    await waiting.shared.sync()
  } finally {
    waiting.fds.splice(waiting.fds.indexOf(fd), 1)
    if (waiting.fds.length === 0) FOLDERS.delete(key)
  }
}

interface Waiting {
  readonly fds: number[]
  readonly shared: SharedSync
}

function waitingFor (): Waiting {
  const fds: number[] = []
  // Whoever came last has a descriptor that is open until the sync that he waits for is over.
  return { fds, shared: new SharedSync(() => fsync(fds.at(-1) as number)) }
}

/** Folders that somebody waits for now. */
const FOLDERS = new Map<string, Waiting>()
