/**
 * A file that is sent in parts, read from anywhere and hashed once, in order: the whole, and each part. Watched for changes.
 *
 * @module
 */
import { open, type FileHandle } from 'node:fs/promises'
import { createSHA256 } from 'hash-wasm'
import { fileError, RopewalkError } from '../errors.ts'
import type { HashLog, HashPoint } from './hash-log.ts'

type Sha256 = Awaited<ReturnType<typeof createSHA256>>

/** Bytes read at a time to catch up with what a node has. Ours. */
const CATCH_UP_BYTES = 262_144

/** Points that are kept until the node has acknowledged what they stand for: more than any window has fragments. Ours. */
const MAX_POINTS = 4096

export class HashedFile implements AsyncDisposable {
  readonly size: number
  readonly changedNs: bigint
  readonly #handle: FileHandle
  readonly #whole: Sha256
  readonly #part: Sha256
  readonly #digests = new Map<number, string>()
  /** Where parts begin, and where the last ends; one part needs no hash of its own. */
  #bounds: readonly number[] = []
  #log: HashLog | undefined
  #hashed = 0
  #acknowledged = 0
  #points: HashPoint[] = []
  #turn: Promise<unknown> = Promise.resolve()

  private constructor (handle: FileHandle, size: number, changedNs: bigint, whole: Sha256, part: Sha256) {
    this.#handle = handle
    this.size = size
    this.changedNs = changedNs
    this.#whole = whole
    this.#part = part
  }

  /** Opens a regular file. `ERR_NOT_A_FILE` for anything else. */
  static async open (path: string): Promise<HashedFile> {
    return await HashedFile.of(await open(path).catch((error: unknown) => { throw fileError(error) }))
  }

  /** Takes over `handle`, which is closed with the file. */
  static async of (handle: FileHandle): Promise<HashedFile> {
    try {
      const stat = await handle.stat({ bigint: true })
      if (!stat.isFile()) throw new RopewalkError('ERR_NOT_A_FILE', stat.isDirectory() ? 'is a directory' : 'not a regular file; use - and a pipe for anything that streams')
      const [whole, part] = await Promise.all([createSHA256(), createSHA256()])
      return new HashedFile(handle, Number(stat.size), stat.mtimeNs, whole.init(), part.init())
    } catch (error) {
      await handle.close()
      throw fileError(error)
    }
  }

  /** Where its parts begin, and a log to go on from and to keep points in. */
  async begin (offsets: readonly number[], log?: HashLog): Promise<void> {
    this.#bounds = [...offsets, this.size]
    this.#log = log
    const point = await log?.load()
    if (point === undefined || point.offset > this.size) return
    try {
      this.#whole.load(point.whole)
      if (this.#hasParts) this.#part.load(point.part)
      this.#hashed = point.offset
    } catch {
      // Of another version of the hash, or no state at all: everything is hashed again.
      this.#whole.init()
      this.#part.init()
    }
  }

  /** Bytes that are hashed. */
  get hashed (): number {
    return this.#hashed
  }

  /** Fills `into` from `position`, and hashes what was not before. */
  async read (into: Uint8Array, position: number): Promise<number> {
    // Read-ahead asks in order, but does not wait for one answer before it asks again.
    const done = this.#turn.then(async () => {
      await this.#catchUp(position)
      const bytes = await this.#readAt(into, position)
      this.#hash(into.subarray(0, bytes), position)
      return bytes
    })
    this.#turn = done.catch(() => {})
    return await done
  }

  /** A node has everything before `offset`: the log may say so. */
  acknowledged (offset: number): void {
    this.#acknowledged = offset
    const passed = this.#points.findLastIndex(point => point.offset <= offset)
    if (passed === -1) return
    this.#log?.save(this.#points[passed] as HashPoint)
    this.#points.splice(0, passed + 1)
  }

  /** SHA-256 of the part that begins at `offset`, which ends at `end`: whatever of it was not hashed is read now. */
  async partDigest (offset: number, end: number): Promise<string | undefined> {
    await this.#turn
    await this.#catchUp(end)
    return this.#digests.get(offset)
  }

  /** SHA-256 of the whole. Call it once, at the end. `ERR_FILE_CHANGED` when the file is not what it was. */
  async digest (): Promise<string> {
    await this.#turn
    await this.#catchUp(this.size)
    await this.requireUnchanged()
    return this.#whole.digest('hex')
  }

  async requireUnchanged (): Promise<void> {
    const { size, mtimeNs } = await this.#handle.stat({ bigint: true })
    if (size !== BigInt(this.size)) throw changed(`it had ${this.size} bytes and now has ${size}`)
    if (mtimeNs !== this.changedNs) throw changed('it was written to')
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#turn
    await this.#handle.close()
  }

  get #hasParts (): boolean {
    return this.#bounds.length > 2
  }

  async #catchUp (position: number): Promise<void> {
    const buffer = new Uint8Array(CATCH_UP_BYTES)
    while (this.#hashed < position) {
      const wanted = buffer.subarray(0, Math.min(buffer.length, position - this.#hashed))
      const at = this.#hashed
      this.#hash(wanted.subarray(0, await this.#readAt(wanted, at)), at)
    }
  }

  async #readAt (into: Uint8Array, position: number): Promise<number> {
    let bytes = 0
    try {
      while (bytes < into.length) {
        const { bytesRead } = await this.#handle.read(into, bytes, into.length - bytes, position + bytes)
        if (bytesRead === 0) break
        bytes += bytesRead
      }
    } catch (error) {
      throw fileError(error)
    }
    if (bytes < into.length && position + bytes < this.size) throw changed(`it ended after ${position + bytes} of ${this.size} bytes`)
    if (position + bytes >= this.size) await this.requireUnchanged()
    return bytes
  }

  #hash (bytes: Uint8Array, position: number): void {
    let rest = bytes.subarray(Math.max(0, this.#hashed - position))
    if (rest.length === 0) return
    this.#whole.update(rest)
    while (rest.length > 0) {
      const end = this.#bounds.find(bound => bound > this.#hashed) ?? this.size
      const piece = rest.subarray(0, end - this.#hashed)
      rest = rest.subarray(piece.length)
      if (this.#hasParts) this.#part.update(piece)
      this.#hashed += piece.length
      if (this.#hasParts && this.#hashed === end) {
        this.#digests.set(this.#bounds.findLast(bound => bound < end) as number, this.#part.digest('hex'))
        this.#part.init()
      }
    }
    if (this.#log === undefined) return
    if (this.#points.length >= MAX_POINTS) this.#points.shift()
    this.#points.push({ offset: this.#hashed, whole: this.#whole.save(), part: this.#hasParts ? this.#part.save() : new Uint8Array() })
    // Who catches up with what a node has will not be told of it again.
    if (this.#hashed <= this.#acknowledged) this.acknowledged(this.#acknowledged)
  }
}

function changed (how: string): RopewalkError {
  return new RopewalkError('ERR_FILE_CHANGED', `the file changed while it was read: ${how}`)
}
