import type { Bytes } from '@ropewalk/interface'
import { ALLOWED_MODE, GATHER_PIECES, MIN_VECTOR_BYTES, OWNER_MODE } from './constants.ts'
import { ReceiveError, receiveError } from './errors.ts'
import { escapeName } from './escape.ts'
import type { Overwrite, Placement } from './placement.ts'
import type { StagedFile, Staging } from './staging.ts'

/** A file that was received whole. */
export interface ReceivedFile {
  readonly path: string
  /** As it is below the root; another than asked for with `overwrite: 'rename'`. */
  readonly name: string
  readonly size: number
}

/** Takes the content of one file. */
export interface ReceiveWriter extends AsyncDisposable {
  /** The name in its normal form. */
  readonly name: string
  /** Bytes written. */
  readonly size: number
  /** Appends. Resolves when the system has the bytes; the array may then be reused. */
  write (bytes: Bytes): Promise<void>
  /** Gives the file its name. When it resolves, the file is whole and survives loss of power. */
  finish (): Promise<ReceivedFile>
  /** Removes what was written. Idempotent; never throws; does nothing to a finished file. Disposing does the same. */
  abort (): Promise<void>
}

/** What the sender said of the file, checked. */
export interface Announced {
  readonly name: string
  readonly path: (name: string) => string
  readonly size: number | undefined
  readonly maxBytes: number
  readonly mode: number | undefined
  readonly mtimeMs: number | undefined
  readonly overwrite: Overwrite
}

export class StagedWriter implements ReceiveWriter {
  readonly #announced: Announced
  readonly #file: StagedFile
  readonly #staging: Staging
  readonly #placement: Placement
  readonly #released: () => void
  #size = 0
  #tail: Promise<unknown> = Promise.resolve()
  #failure: ReceiveError | undefined
  #ended: 'finishing' | 'aborted' | undefined
  #ending: Promise<void> | undefined

  constructor (announced: Announced, file: StagedFile, staging: Staging, placement: Placement, released: () => void) {
    this.#announced = announced
    this.#file = file
    this.#staging = staging
    this.#placement = placement
    this.#released = released
  }

  get name (): string {
    return this.#announced.name
  }

  get size (): number {
    return this.#size
  }

  write (bytes: Bytes): Promise<void> {
    return this.#inTurn(() => this.#append(bytes))
  }

  finish (): Promise<ReceivedFile> {
    const finished = this.#inTurn(() => this.#finish())
    this.#ended ??= 'finishing'
    return finished
  }

  async abort (): Promise<void> {
    this.#ended = 'aborted'
    this.#ending ??= this.#tail.then(() => this.#drop())
    await this.#ending
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.abort()
  }

  /** Calls that overlap are done one after the other, in the order they were made. */
  #inTurn<T> (work: () => Promise<T>): Promise<T> {
    if (this.#ended != null) return Promise.reject(new ReceiveError('ERR_CLOSED', `"${escapeName(this.name)}" is ${this.#ended === 'aborted' ? 'aborted' : 'finished'}`))
    const done = this.#tail.then(async () => {
      if (this.#failure != null) throw this.#failure
      return await work()
    })
    this.#tail = done.catch(() => {})
    return done
  }

  async #append (bytes: Bytes): Promise<void> {
    const { size, maxBytes } = this.#announced
    const total = this.#size + bytes.byteLength
    try {
      if (size != null && total > size) throw this.#wrongSize(total, '>', size)
      if (total > maxBytes) throw this.#wrongSize(total, '>', maxBytes)
      await this.#writeAll(vectorsOf(bytes), this.#size)
      this.#size = total
    } catch (error) {
      this.#failure = receiveError(error, `write ${bytes.byteLength} bytes of "${escapeName(this.name)}" at ${this.#size}`)
      throw this.#failure
    }
  }

  async #writeAll (vectors: Uint8Array[], position: number): Promise<void> {
    const { handle } = this.#file
    for (let begin = 0; begin < vectors.length; begin += GATHER_PIECES) {
      let rest = vectors.slice(begin, begin + GATHER_PIECES)
      while (rest.length > 0) {
        const { bytesWritten } = rest.length === 1
          ? await handle.write(rest[0] as Uint8Array, 0, undefined, position)
          : await handle.writev(rest, position)
        if (bytesWritten === 0) throw new ReceiveError('ERR_IO', `the system took 0 bytes at ${position}`)
        position += bytesWritten
        rest = skip(rest, bytesWritten)
      }
    }
  }

  async #finish (): Promise<ReceivedFile> {
    const { name, path, size, overwrite } = this.#announced
    try {
      if (size != null && size !== this.#size) throw this.#wrongSize(this.#size, '<', size)
      await this.#seal()
      if (this.#ended === 'aborted') throw new ReceiveError('ERR_CLOSED', `"${escapeName(name)}" is aborted`)
      const placed = await this.#placement.place(this.#file.path, name, overwrite)
      this.#ending = Promise.resolve()
      this.#released()
      return { path: path(placed), name: placed, size: this.#size }
    } catch (error) {
      await this.#drop()
      throw receiveError(error, `finish "${escapeName(name)}"`)
    }
  }

  /** Permissions and time go to the descriptor, before the file has a name that others know. */
  async #seal (): Promise<void> {
    const { handle } = this.#file
    const { mode, mtimeMs } = this.#announced
    // It was made with every permission, so what it has is what the umask leaves.
    const permitted = (await handle.stat()).mode & ALLOWED_MODE
    await handle.chmod(((mode ?? 0o666) & permitted) | OWNER_MODE)
    if (mtimeMs != null) await handle.utimes(new Date(), new Date(mtimeMs))
    await handle.sync()
    await handle.close()
  }

  /** Done twice, it does nothing more. */
  async #drop (): Promise<void> {
    await this.#file.handle.close().catch(() => {})
    await this.#staging.remove(this.#file).catch(() => {})
    this.#released()
  }

  #wrongSize (found: number, relation: '<' | '>', wanted: number): ReceiveError {
    return new ReceiveError('ERR_SIZE', `"${escapeName(this.name)}": ${found} ${relation} ${wanted} bytes`)
  }
}

function vectorsOf (bytes: Bytes): Uint8Array[] {
  if (bytes.byteLength === 0) return []
  if (bytes instanceof Uint8Array) return [bytes]
  const vectors = [...bytes].filter(vector => vector.length > 0)
  return vectors.length > 1 && bytes.byteLength < vectors.length * MIN_VECTOR_BYTES ? [bytes.subarray()] : vectors
}

/** What remains of `vectors` after `bytes` of them are done. */
function skip (vectors: Uint8Array[], bytes: number): Uint8Array[] {
  let index = 0
  let done = bytes
  while (index < vectors.length && done >= (vectors[index] as Uint8Array).length) done -= (vectors[index++] as Uint8Array).length
  const rest = vectors.slice(index)
  if (done > 0) rest[0] = (rest[0] as Uint8Array).subarray(done)
  return rest
}
