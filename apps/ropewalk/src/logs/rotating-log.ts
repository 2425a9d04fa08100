/**
 * Records as lines of JSON in a file that is put aside when it is large: `audit.ndjson`, `audit.ndjson.1` and so on, the oldest removed.
 *
 * What was appended is on the disk when `flush` resolves, though not safe from loss of power. A disk that cannot be written is told once, and
 * what could not be kept is counted in the next line that can.
 *
 * @module
 */
import { createReadStream } from 'node:fs'
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { codeOf } from '../errors.ts'
import { encodeLine } from '../progress/ndjson.ts'

/** Lines, and bytes of them, that wait for the disk; more are not kept, but counted. Ours. */
const MAX_WAITING_LINES = 10_000
const MAX_WAITING_BYTES: number = 4 * 1024 * 1024

/** Longest line that is read back. Ours: a name has at most 1024 characters. */
const MAX_LINE_CHARACTERS = 65_536

export interface RotatingOptions {
  readonly path: string
  /** Bytes at which the file is put aside. */
  readonly maxBytes: number
  /** How many of those are kept. */
  readonly keep: number
}

export class RotatingLog {
  readonly #options: RotatingOptions
  readonly #waiting: string[] = []
  #waitingBytes = 0
  #lost = 0
  #size: number
  #handle: FileHandle
  #writing: Promise<void> | undefined
  #onTrouble: ((error: unknown) => void) | undefined

  private constructor (options: RotatingOptions, handle: FileHandle, size: number) {
    this.#options = options
    this.#handle = handle
    this.#size = size
  }

  static async open (options: RotatingOptions): Promise<RotatingLog> {
    const handle = await open(options.path, 'a', 0o600)
    return new RotatingLog(options, handle, (await handle.stat()).size)
  }

  /** Who is told when the disk cannot be written. */
  onTrouble (tell: (error: unknown) => void): void {
    this.#onTrouble = tell
  }

  append (record: object): void {
    const line = encodeLine(this.#lost > 0 ? { ...record, lost: this.#lost } : record)
    if (this.#waiting.length >= MAX_WAITING_LINES || this.#waitingBytes + line.length > MAX_WAITING_BYTES) {
      this.#lost++
      return
    }
    this.#lost = 0
    this.#waiting.push(line)
    this.#waitingBytes += line.length
    this.#writing ??= this.#write().finally(() => { this.#writing = undefined })
  }

  /** Resolves when everything that was appended is in the file, or could not be. */
  async flush (): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  async close (): Promise<void> {
    await this.flush()
    await this.#handle.close()
  }

  async #write (): Promise<void> {
    // What comes in one turn is one write.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const lines = this.#waiting.splice(0)
      this.#waitingBytes = 0
      const bytes = Buffer.from(lines.join(''))
      try {
        if (this.#size > 0 && this.#size + bytes.length > this.#options.maxBytes) await this.#putAside()
        await this.#handle.appendFile(bytes)
        this.#size += bytes.length
      } catch (error) {
        this.#lost += lines.length
        this.#onTrouble?.(error)
        this.#onTrouble = undefined
      }
    }
  }

  async #putAside (): Promise<void> {
    const { path, keep } = this.#options
    if (keep === 0) await rm(path, { force: true })
    for (let number = keep; number > 0; number--) {
      await rename(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`).catch((error: unknown) => { if (codeOf(error) !== 'ENOENT') throw error })
    }
    const before = this.#handle
    this.#handle = await open(path, 'a', 0o600)
    this.#size = 0
    await before.close()
  }
}

/** The records of a log, the oldest first. A line that is none, which a crash may leave, is passed over. */
export async function * readLog (path: string, keep: number): AsyncGenerator<Record<string, unknown>, void, undefined> {
  for (let number = keep; number >= 0; number--) {
    const name = number === 0 ? path : `${path}.${number}`
    if (!await stat(name).then(stats => stats.isFile(), () => false)) continue
    for await (const line of createInterface({ input: createReadStream(name), crlfDelay: Infinity })) {
      if (line.length > MAX_LINE_CHARACTERS) continue
      try {
        const record: unknown = JSON.parse(line)
        if (typeof record === 'object' && record !== null) yield record as Record<string, unknown>
      } catch {
        // Cut off in its middle.
      }
    }
  }
}
