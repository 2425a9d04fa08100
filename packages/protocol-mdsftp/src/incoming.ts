/**
 * An upload that a node is receiving: the store's writer, and what becomes of the reservation when it ends.
 *
 * @module
 */
import type { FragmentWriter, LedgerEntry, LedgerLease, RunningHash } from '@ropewalk/interface'
import type { Id } from '@ropewalk/muxer-mdsftp'
import type { Uint8ArrayList } from 'uint8arraylist'
import { StorageError } from './errors.ts'

/** What became of an upload: complete, incomplete and kept to be resumed, or gone. */
export type Outcome = 'complete' | 'kept' | 'dropped'

/** Who uploads. */
export interface UploadOwner {
  /** Somebody removes the chunk: stop, and end the upload. */
  interrupt (reason: Error): void
  /** Whether the uploader is still there. */
  alive (): boolean
  /** Complete is committed: the seed profile has no Commit. */
  readonly final: boolean
}

/** An upload under way. Its owner alone writes, and ends it once. */
export interface Incoming {
  readonly id: Id
  readonly size: number
  /** Bytes that the store has. */
  readonly recorded: number
  /** Resolves when the upload is over and everything about it is settled. */
  readonly done: Promise<void>
  write (content: Uint8ArrayList): Promise<void>
  /** It is over. `broken` when the peer broke the rules: what came is dropped, durable or not. */
  end (broken: boolean): Promise<Outcome>
}

export interface UploadParts {
  readonly entry: LedgerEntry
  readonly lease: LedgerLease
  readonly writer: FragmentWriter
  readonly owner: UploadOwner
  /** Where somebody wants to know the digest, and every byte comes this way. */
  readonly hash: RunningHash | undefined
}

/** What an upload tells its node. */
export interface UploadNode {
  /** The store has so many bytes now. Resolves to false when the right to write is lost. */
  wrote (upload: Upload): Promise<boolean>
  /** The writer is closed: makes of the reservation what became of the upload. */
  settle (upload: Upload, outcome: Outcome, sha256: string | undefined): Promise<Outcome>
}

export class Upload implements Incoming {
  readonly id: Id
  readonly size: number
  readonly done: Promise<void>
  readonly entry: LedgerEntry
  readonly lease: LedgerLease
  readonly owner: UploadOwner
  ending = false
  readonly #writer: FragmentWriter
  readonly #hash: RunningHash | undefined
  readonly #node: UploadNode
  #revoked = false
  #resolve = (): void => {}

  constructor ({ entry, lease, writer, owner, hash }: UploadParts, node: UploadNode) {
    this.id = entry.id
    this.size = entry.size
    this.entry = entry
    this.lease = lease
    this.owner = owner
    this.#writer = writer
    this.#hash = hash
    this.#node = node
    this.done = new Promise(resolve => { this.#resolve = resolve })
  }

  get recorded (): number {
    return this.#writer.size
  }

  alive (): boolean {
    return this.owner.alive()
  }

  /** Somebody removes the chunk: whatever came is dropped. */
  revoke (): void {
    this.#revoked = true
    this.owner.interrupt(removed(this.id))
  }

  async write (content: Uint8ArrayList): Promise<void> {
    try {
      const written = this.#writer.write(content)
      // While the disk takes it. An upload of which a write fails is not whole, and has no digest.
      if (this.#hash !== undefined) for (const piece of content) this.#hash.update(piece)
      await written
    } catch (error) {
      throw new StorageError('ERR_STORE', 'transfer', `the store does not write ${this.id}`, { cause: error, remote: false })
    } finally {
      if (!await this.#node.wrote(this).catch(() => true)) this.#revoked = true
    }
    if (this.#revoked) throw removed(this.id)
  }

  async end (broken: boolean): Promise<Outcome> {
    this.ending = true
    let outcome: Outcome = 'dropped'
    let sha256: string | undefined
    try {
      const whole = this.#writer.size === this.size
      // Kept is a promise too: to who resumes after a loss of power.
      if (!broken && !this.#revoked && !whole && this.entry.durable) await this.#writer.sync().catch(() => {})
      await this.#writer.close()
      if (!broken && !this.#revoked) outcome = whole ? 'complete' : this.entry.durable ? 'kept' : 'dropped'
      if (outcome === 'complete' && this.#hash !== undefined) sha256 = hexOf(await this.#hash.digest())
    } catch {
      // What the store cannot even close is not worth keeping.
    }
    try {
      return await this.#node.settle(this, outcome, sha256)
    } finally {
      this.#resolve()
    }
  }
}

/** What an uploader learns when somebody else removes its chunk. */
export function removed (id: Id): StorageError {
  return new StorageError('ERR_REMOVED', 'transfer', `${id} was removed while it was being uploaded`)
}

export function hexOf (bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}
