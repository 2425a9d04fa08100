import { DIRECT_READ_BYTES, diskMemory, type DirectFile } from '@ropewalk/disk'
import type { FragmentReader } from '@ropewalk/interface'
import { StoreError, storeError } from './errors.ts'
import type { StoreFile } from './file-system.ts'

/** Reads through a descriptor of its own, so that removing the object does not disturb it. */
export class FileReader implements FragmentReader {
  readonly size: number
  readonly #handle: StoreFile
  readonly #id: string
  readonly #direct: DirectFile | undefined
  #closed: Promise<void> | undefined

  constructor (handle: StoreFile, id: string, size: number, direct?: DirectFile) {
    this.#handle = handle
    this.#id = id
    this.size = size
    this.#direct = direct
  }

  memory (bytes: number): Uint8Array {
    return this.#direct === undefined ? new Uint8Array(bytes) : diskMemory(bytes, DIRECT_READ_BYTES)
  }

  async read (into: Uint8Array, position: number): Promise<number> {
    if (!Number.isSafeInteger(position) || position < 0) throw new RangeError(`position ${position}`)
    if (this.#closed != null) throw new StoreError('ERR_CLOSED', `reader of ${this.#id} is closed`)
    const wanted = Math.min(into.length, Math.max(0, this.size - position))
    const failed = (error: unknown): never => { throw storeError(error, `read ${this.#id}`) }
    let filled = await this.#direct?.read(wanted === into.length ? into : into.subarray(0, wanted), position).catch(failed) ?? 0

    while (filled < wanted) {
      const { bytesRead } = await this.#handle.read(into, filled, wanted - filled, position + filled).catch(failed)
      if (bytesRead === 0) throw new StoreError('ERR_IO', `${this.#id} was cut short: ${position + filled} < ${this.size} bytes`)
      filled += bytesRead
    }
    return filled
  }

  close (): Promise<void> {
    this.#closed ??= Promise.all([this.#handle.close(), this.#direct?.close()]).then(() => {})
    return this.#closed
  }
}
