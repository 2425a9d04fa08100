/**
 * Files under names that somebody else chose. The name is checked once, and what was checked is what is used; nothing
 * below the root is reached through a link; a file has its name only when it is whole; and nothing is overwritten unasked.
 *
 * @module
 */
import { mkdir, statfs } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { AbortOptions } from '@ropewalk/interface'
import { STALE_AFTER_MS } from './constants.ts'
import { Directory, type Confinement } from './directory.ts'
import { ReceiveError, receiveError } from './errors.ts'
import { escapeName } from './escape.ts'
import { StagedWriter, type Announced, type ReceiveWriter } from './file-writer.ts'
import { normaliseName } from './name.ts'
import { Placement, type Overwrite } from './placement.ts'
import { Staging } from './staging.ts'

export interface ReceiverOptions {
  /** Bytes of one file. Unlimited by default. */
  maxFileBytes?: number | undefined
  /** Refuse names that only Windows refuses, for instance with a `?`. Off by default. */
  portable?: boolean | undefined
  /** `refuse` names that differ from one that exists only in case, with `ERR_COLLISION`. `allow` by default. */
  collisions?: 'allow' | 'refuse' | undefined
  /** `path` gives up race-free confinement. By default `descriptor` on Linux, and `path` where there is nothing better. */
  confinement?: Confinement | undefined
  /** When left-overs go of which nobody can tell whether their process lives. A day by default. */
  staleAfterMs?: number | undefined
}

export interface FileOptions extends AbortOptions {
  /** Bytes that the file must have in the end. Nothing is allocated by it. */
  size?: number | undefined
  /** Permissions that the sender asks for. The umask applies; setuid, setgid and sticky are dropped; the owner can always read and write. */
  mode?: number | undefined
  /** When the file was last changed, in milliseconds since 1970. */
  mtimeMs?: number | undefined
  /** What to do when the name is taken. `refuse` by default. */
  overwrite?: Overwrite | undefined
}

/** Writes files below one root. */
export interface Receiver extends AsyncDisposable {
  /** The root, absolute. */
  readonly root: string
  readonly confinement: Confinement
  /** Checks the name and begins a file. Aborting the signal, now or later, removes what was written. */
  file (name: string, options?: FileOptions): Promise<ReceiveWriter>
  /** Aborts what is open and clears the staging folder. Idempotent. */
  close (): Promise<void>
}

/** Opens the root, which is made if it is missing, and clears away what dead receivers have left in its staging folder. */
export async function openReceiver (root: string, options: ReceiverOptions = {}): Promise<Receiver> {
  const { maxFileBytes = Infinity, staleAfterMs = STALE_AFTER_MS } = options
  if (!(maxFileBytes >= 0)) throw new RangeError(`maxFileBytes ${maxFileBytes}`)
  if (!(staleAfterMs >= 0)) throw new RangeError(`staleAfterMs ${staleAfterMs}`)
  const confinement = options.confinement ?? (process.platform === 'linux' ? 'descriptor' : 'path')
  const path = resolve(root)
  let directory: Directory | undefined

  try {
    await mkdir(path, { recursive: true })
    directory = await Directory.root(path, confinement)
    const staging = await Staging.open(directory, staleAfterMs)
    return new DirectoryReceiver(path, confinement, directory, staging, { ...options, maxFileBytes })
  } catch (error) {
    await directory?.close()
    throw receiveError(error, `open ${escapeName(path)} for receiving`)
  }
}

class DirectoryReceiver implements Receiver {
  readonly root: string
  readonly confinement: Confinement
  readonly #directory: Directory
  readonly #staging: Staging
  readonly #placement: Placement
  readonly #portable: boolean
  readonly #maxFileBytes: number
  readonly #open = new Set<ReceiveWriter>()
  /** Files that are being begun. */
  readonly #beginning = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor (root: string, confinement: Confinement, directory: Directory, staging: Staging, options: ReceiverOptions & { maxFileBytes: number }) {
    this.root = root
    this.confinement = confinement
    this.#directory = directory
    this.#staging = staging
    this.#placement = new Placement(directory, options.collisions === 'refuse')
    this.#portable = options.portable ?? false
    this.#maxFileBytes = options.maxFileBytes
  }

  async file (name: string, options: FileOptions = {}): Promise<ReceiveWriter> {
    options.signal?.throwIfAborted()
    if (this.#closed != null) throw new ReceiveError('ERR_CLOSED', 'the receiver is closed')
    const beginning = this.#begin(this.#check(name, options), options.signal)
    this.#beginning.add(beginning)
    try {
      return await beginning
    } finally {
      this.#beginning.delete(beginning)
    }
  }

  close (): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  #check (name: string, { size, mode, mtimeMs, overwrite = 'refuse' }: FileOptions): Announced {
    const normal = normaliseName(name, { portable: this.#portable })
    if (size != null && (!Number.isSafeInteger(size) || size < 0)) throw new RangeError(`size ${size}`)
    if (mode != null && (!Number.isInteger(mode) || mode < 0)) throw new RangeError(`mode ${mode}`)
    if (mtimeMs != null && !(Math.abs(mtimeMs) <= MAX_TIME_MS)) throw new RangeError(`mtimeMs ${mtimeMs}`)
    if (!OVERWRITES.has(overwrite)) throw new TypeError(`overwrite ${String(overwrite)}`)
    if (size != null && size > this.#maxFileBytes) {
      throw new ReceiveError('ERR_SIZE', `"${escapeName(normal)}": ${size} > ${this.#maxFileBytes} bytes`)
    }
    return { name: normal, path: placed => join(this.root, placed), size, maxBytes: this.#maxFileBytes, mode, mtimeMs, overwrite }
  }

  async #begin (announced: Announced, signal: AbortSignal | undefined): Promise<ReceiveWriter> {
    const { name, size, overwrite } = announced
    try {
      if (size != null) await this.#checkSpace(name, size)
      await this.#placement.look(name, overwrite)
      const file = await this.#staging.create()

      const onAbort = (): void => { void writer.abort() }
      const writer = new StagedWriter(announced, file, this.#staging, this.#placement, () => {
        signal?.removeEventListener('abort', onAbort)
        this.#open.delete(writer)
      })
      this.#open.add(writer)
      signal?.addEventListener('abort', onAbort, { once: true })
      if (signal?.aborted === true) await writer.abort()
      signal?.throwIfAborted()
      return writer
    } catch (error) {
      if (signal?.aborted === true && error === signal.reason) throw error
      throw receiveError(error, `begin "${escapeName(name)}"`)
    }
  }

  /** Better refused now than after an hour. */
  async #checkSpace (name: string, size: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory.pathOf('.'))
    if (size > bavail * bsize) throw new ReceiveError('ERR_NO_SPACE', `"${escapeName(name)}": ${size} > ${bavail * bsize} bytes free`)
  }

  async #close (): Promise<void> {
    await Promise.allSettled(this.#beginning)
    await Promise.all(Array.from(this.#open, async writer => { await writer.abort() }))
    try {
      await this.#staging.close()
    } finally {
      await this.#directory.close()
    }
  }
}

/** From the language: the range of a Date. */
const MAX_TIME_MS = 8.64e15

const OVERWRITES: ReadonlySet<string> = new Set(['refuse', 'replace', 'rename'])
