/**
 * What a client or server of this package is given by whoever composes it.
 *
 * @module
 */
import type { AbortOptions, RunningHash } from '@ropewalk/interface'
import type { MissingRange } from './readme-codec.ts'

/** Who a token belongs to. */
export interface Identity {
  readonly uid: number
  readonly login: string
  /** When the token is no longer accepted, leeway included, in milliseconds since 1970. */
  readonly expiresAt?: number | undefined
}

/** Rejects with `ERR_TOKEN` or `ERR_TOKEN_EXPIRED`; any other error refuses the token as well. */
export type VerifyToken = (token: string, options?: AbortOptions) => Promise<Identity>

export interface Hashes {
  sha1 (bytes: Uint8Array): Uint8Array
  sha256 (bytes: Uint8Array): Uint8Array
  /** The same in lower-case hex, where the machine makes that faster. */
  sha256Hex? (bytes: Uint8Array): string
  /** SHA-256 of what comes piece by piece. */
  running (): RunningHash
  /** base64 of the machine, where it has one that is faster than ours. */
  readonly base64?: MachineBase64 | undefined
}

export interface MachineBase64 {
  /** Writes standard base64 with padding at `offset` of `target`, which has room. */
  write (bytes: Uint8Array, target: Uint8Array, offset: number): void
  /** What the ASCII in `text` stands for. Whatever is not base64 may be passed over: the caller compares lengths. */
  read (text: Uint8Array): Uint8Array
}

/** Time as an argument. */
export interface Clock {
  /** Milliseconds since 1970. */
  now (): number
  /** Calls `run` once, `ms` from now. Returns what cancels it. */
  after (ms: number, run: () => void): () => void
}

export interface PlannedFile {
  /** What the client calls it. Never part of a path. */
  readonly name: string
  readonly size: number
  /** SHA-256 of the content, in hex, where the client said so. */
  readonly digest?: string | undefined
}

/** What is to be stored under one id: a UUID (`readme`) or the SHA-256 of the content, in hex (`final`). */
export interface UploadPlan {
  readonly id: string
  readonly owner: number
  readonly blockBytes: number
  readonly files: readonly PlannedFile[]
  readonly tags: readonly string[]
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

export interface StoredUpload {
  readonly plan: UploadPlan
  /** Blocks that are not in the store. */
  readonly missing: readonly MissingRange[]
  /** Whether this call made it. */
  readonly created: boolean
}

export interface Block {
  readonly file: number
  readonly index: number
  readonly bytes: Uint8Array
}

/** Keeps uploads, whole and in parts. What it has promised survives the death of the process and loss of power. */
export interface UploadStore {
  open (id: string, options?: AbortOptions): Promise<StoredUpload | undefined>
  /** Makes it, or opens what is there, whatever its plan. */
  create (plan: UploadPlan, options?: AbortOptions): Promise<StoredUpload>
  /** Writes blocks by their position. They are durable, and known to be there, when it resolves. */
  write (plan: UploadPlan, blocks: readonly Block[], options?: AbortOptions): Promise<void>
  /** Bytes of a block that is there. */
  read (plan: UploadPlan, file: number, index: number, options?: AbortOptions): Promise<Uint8Array>
  /** Bytes from any position, of blocks that are all there; by way of `read`, where it is missing. */
  readRange? (plan: UploadPlan, file: number, position: number, length: number, options?: AbortOptions): Promise<Uint8Array>
  /** All blocks of the file are there and right: gives it its final place. */
  finish (plan: UploadPlan, file: number, options?: AbortOptions): Promise<void>
  /** The file turned out wrong: sets it aside; all of its blocks are missing again. */
  reset (plan: UploadPlan, file: number, options?: AbortOptions): Promise<void>
  /** The first file that `wanted` fits: of profile `final`, whose files are everybody's; or whole, and the owner's own. */
  find (wanted: WantedFile, options?: AbortOptions): Promise<FoundFile | undefined>
}

export interface WantedFile {
  /** SHA-256 of the content, in hex. */
  readonly digest?: string | undefined
  readonly name?: string | undefined
  /** All of them. */
  readonly tags?: readonly string[] | undefined
  /** Who asks. */
  readonly owner: number
}

export interface FoundFile {
  readonly plan: UploadPlan
  /** Which of its files. */
  readonly file: number
}
