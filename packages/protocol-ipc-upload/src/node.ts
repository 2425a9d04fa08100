/**
 * What one server serves on all of its connections: transfers are shared, so that two connections of one user may fill the same.
 *
 * @module
 */
import type { AbortOptions } from '@ropewalk/interface'
import { toHex } from '@ropewalk/framing'
import { chunkId, isUuid } from './chunk-id-codec.ts'
import { BLOCK_BYTES, MAX_BLOCK_BYTES, MAX_CHUNKS, MAX_FILE_BYTES, MAX_FILES, MAX_NAME_BYTES, MAX_TAG_BYTES, MAX_TAGS, MAX_TOKEN_TRIES, MAX_WINDOW, MIN_BLOCK_BYTES, Reason } from './constants.ts'
import { utf8Bytes } from './json-codec.ts'
import { IpcUploadError } from './errors.ts'
import type { Block, Clock, Hashes, StoredUpload, UploadPlan, UploadStore, VerifyToken } from './ports.ts'
import { systemClock } from './clock.ts'
import { TransferState, type BlockPlace } from './transfer-state.ts'

export interface UploadNodeOptions {
  readonly store: UploadStore
  readonly verifyToken: VerifyToken
  readonly hashes: Hashes
  readonly clock?: Clock | undefined
  /** Largest file. Default 10,000,000. */
  readonly maxFileBytes?: number | undefined
  /** Files of one transfer. Default 64. */
  readonly maxFiles?: number | undefined
  /** Blocks of one transfer. Default 131,072. */
  readonly maxChunks?: number | undefined
  /** Largest block offered to who can do more than 1000 bytes. Default 16,384. */
  readonly blockBytes?: number | undefined
  /** Blocks under way offered to who can do more than one. Default 64. */
  readonly window?: number | undefined
  /** Whether ids of blocks that are not ours are refused, instead of given the next missing block. Default false. */
  readonly strict?: boolean | undefined
  /** Tokens that are refused before the connection ends. Default 3. */
  readonly maxTokenTries?: number | undefined
}

/** A transfer that connections have open. */
export interface OpenTransfer {
  readonly state: TransferState
  users: number
  /** The last step that changes it: steps of one transfer come one after the other. */
  tail: Promise<unknown>
}

/** Bytes of a file that is hashed whole, read at once. Ours. */
const HASHED_BYTES = 1_048_576

export class UploadNode {
  readonly store: UploadStore
  readonly verifyToken: VerifyToken
  readonly hashes: Hashes
  readonly clock: Clock
  readonly maxFileBytes: number
  readonly maxFiles: number
  readonly maxChunks: number
  readonly blockBytes: number
  readonly window: number
  readonly strict: boolean
  readonly maxTokenTries: number
  readonly #transfers = new Map<string, Promise<OpenTransfer>>()
  readonly #open = new Set<OpenTransfer>()

  constructor (options: UploadNodeOptions) {
    this.store = options.store
    this.verifyToken = options.verifyToken
    this.hashes = options.hashes
    this.clock = options.clock ?? systemClock
    this.maxFileBytes = within('maxFileBytes', options.maxFileBytes ?? MAX_FILE_BYTES, 0, Number.MAX_SAFE_INTEGER)
    this.maxFiles = within('maxFiles', options.maxFiles ?? MAX_FILES, 1, 65_536)
    this.maxChunks = within('maxChunks', options.maxChunks ?? MAX_CHUNKS, 1, 2 ** 30)
    this.blockBytes = within('blockBytes', options.blockBytes ?? MAX_BLOCK_BYTES, MIN_BLOCK_BYTES, MAX_BLOCK_BYTES)
    this.window = within('window', options.window ?? MAX_WINDOW, 1, MAX_WINDOW)
    this.strict = options.strict ?? false
    this.maxTokenTries = within('maxTokenTries', options.maxTokenTries ?? MAX_TOKEN_TRIES, 1, 1_000_000)
  }

  /** Transfers that connections have open now. */
  get openTransfers (): number {
    return this.#transfers.size
  }

  /** Those of them that are not whole. */
  get unfinishedTransfers (): number {
    let unfinished = 0
    for (const { state } of this.#open) if (!state.complete) unfinished++
    return unfinished
  }

  /** The block size for a client that can do `able`; 1000 when it says nothing. */
  blockFor (able: number | undefined): number {
    return able === undefined ? BLOCK_BYTES : Math.max(MIN_BLOCK_BYTES, Math.min(able, this.blockBytes))
  }

  /** Why a plan is refused, before anything is kept of it. */
  refusal (files: ReadonlyArray<{ readonly name: string, readonly size: bigint }>, tags: readonly string[], blockBytes: number): Reason | undefined {
    if (files.length > this.maxFiles) return Reason.TooManyFiles
    if (files.some(({ size }) => size > BigInt(this.maxFileBytes))) return Reason.TooBig
    if (!files.every(({ name }) => isFileName(name))) return Reason.BadName
    if (files.reduce((blocks, { size }) => blocks + Math.ceil(Number(size) / blockBytes), 0) > this.maxChunks) return Reason.TooBig
    if (tags.length > MAX_TAGS || !tags.every(tag => tag !== '' && utf8Bytes(tag) <= MAX_TAG_BYTES)) return Reason.Malformed
    return undefined
  }

  /** Opens what `plan` says, or what is there under its id; `release` it. */
  async open (plan: UploadPlan, options: AbortOptions = {}): Promise<{ transfer: OpenTransfer, created: boolean }> {
    let created = false
    const transfer = await this.#share(plan.id, async () => {
      const stored = await this.store.create(plan, options)
      created = stored.created
      return stored
    })
    return { transfer: transfer as OpenTransfer, created }
  }

  /** What is there under `id`, if anything is. */
  async existing (id: string, options: AbortOptions = {}): Promise<OpenTransfer | undefined> {
    return await this.#share(id, async () => await this.store.open(id, options))
  }

  async release (transfer: OpenTransfer): Promise<void> {
    await transfer.tail
    if (--transfer.users > 0) return
    this.#transfers.delete(transfer.state.plan.id)
    this.#open.delete(transfer)
  }

  /** Runs `step` when no other changes the transfer. */
  async exclusively<T> (transfer: OpenTransfer, step: () => Promise<T>): Promise<T> {
    const result = transfer.tail.then(step)
    transfer.tail = result.catch(() => {})
    return await result
  }

  /** Stores blocks and finishes what they complete. Files that are not what they were announced to be are returned; their blocks are missing again. */
  async keep (transfer: OpenTransfer, blocks: ReadonlyArray<BlockPlace & Block>): Promise<ReadonlySet<number>> {
    const { state } = transfer
    await this.store.write(state.plan, blocks)
    for (const block of blocks) state.mark(block)
    return await this.finish(transfer, new Set(blocks.map(({ file }) => file)))
  }

  async finish (transfer: OpenTransfer, files: Iterable<number>): Promise<ReadonlySet<number>> {
    const { state } = transfer
    const wrong = new Set<number>()
    for (const file of files) {
      if (!state.fileComplete(file)) continue
      const { digest } = state.plan.files[file] as { digest?: string }
      if (digest === undefined || digest === await this.#digestOf(transfer, file)) {
        await this.store.finish(state.plan, file)
      } else {
        await this.store.reset(state.plan, file)
        state.reset(file)
        wrong.add(file)
      }
    }
    return wrong
  }

  /** At most `most` bytes of a file from `position`, as many as there are; undefined where they lie behind its end, or are not all in the store. */
  async readBytes ({ state }: OpenTransfer, file: number, position: number, most: number): Promise<Uint8Array | undefined> {
    const { blockBytes, files } = state.plan
    const length = Math.min(most, (files[file] as { size: number }).size - position)
    if (!(position >= 0) || !(length > 0)) return undefined
    for (let index = Math.floor(position / blockBytes); index * blockBytes < position + length; index++) {
      const place = state.at(file, index)
      if (place === undefined || !state.has(place.number)) return undefined
    }
    if (this.store.readRange !== undefined) return await this.store.readRange(state.plan, file, position, length)
    const bytes = new Uint8Array(length)
    for (let filled = 0; filled < bytes.length;) {
      const index = Math.floor((position + filled) / blockBytes)
      const block = await this.store.read(state.plan, file, index)
      const from = position + filled - index * blockBytes
      const piece = block.subarray(from, from + bytes.length - filled)
      if (piece.length === 0) throw new IpcUploadError('ERR_STORE', 'transfer', `block ${index} of file ${file} has ${block.length} bytes in the store, fewer than it was written with`)
      bytes.set(piece, filled)
      filled += piece.length
    }
    return bytes
  }

  /** While one piece is hashed the next is read. */
  async #digestOf (transfer: OpenTransfer, file: number): Promise<string> {
    const { size } = transfer.state.plan.files[file] as { size: number }
    const hash = this.hashes.running()
    let next = this.readBytes(transfer, file, 0, HASHED_BYTES)
    for (let position = 0; position < size; position += HASHED_BYTES) {
      const bytes = await next
      if (bytes === undefined) throw new RangeError(`file ${file} is not all there: nothing at ${position} of ${size} bytes`)
      next = this.readBytes(transfer, file, position + HASHED_BYTES, HASHED_BYTES)
      hash.update(bytes)
    }
    return toHex(await hash.digest())
  }

  async #share (id: string, open: () => Promise<StoredUpload | undefined>): Promise<OpenTransfer | undefined> {
    for (;;) {
      const there = this.#transfers.get(id)
      if (there !== undefined) {
        const transfer = await there.catch(() => undefined)
        if (transfer === undefined || this.#transfers.get(id) !== there) continue
        transfer.users++
        return transfer
      }
      const opening = this.#make(id, open)
      this.#transfers.set(id, opening)
      try {
        return await opening
      } catch (error) {
        this.#transfers.delete(id)
        if (error === NOTHING) return undefined
        throw error
      }
    }
  }

  async #make (id: string, open: () => Promise<StoredUpload | undefined>): Promise<OpenTransfer> {
    const stored = await open()
    if (stored === undefined) throw NOTHING
    const naming = isUuid(id) ? (file: number, index: number) => chunkId(id, file, index, this.hashes.sha1) : undefined
    const transfer: OpenTransfer = { state: new TransferState(stored.plan, stored.missing, naming), users: 1, tail: Promise.resolve() }
    // Blocks that were all there when the process died, before the file was given its place.
    await this.finish(transfer, transfer.state.plan.files.keys())
    this.#open.add(transfer)
    return transfer
  }
}

const NOTHING: Error = new Error('nothing under that id')

/** A name, not a path; it is kept as data only, and still a client somewhere may take it for a path. */
export function isFileName (name: string): boolean {
  const bytes = utf8Bytes(name)
  return bytes >= 1 && bytes <= MAX_NAME_BYTES && name !== '.' && name !== '..' && !/[/\\\u0000-\u001f\u007f]/.test(name)
}

function within (name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) throw new RangeError(`${name} must be ${least} to ${most}: ${value}`)
  return value
}
