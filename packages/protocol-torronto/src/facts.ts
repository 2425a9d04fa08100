/** What a swarm's state takes and gives. Types only. */
import type { ChunkRef, Message, PeerAddress, ProfileName } from './message.ts'

export type SwarmEvent =
  | { readonly event: 'connected' | 'disconnected' | 'avoided', readonly peer: PeerAddress }
  /** A chunk came, and was checked and written. `bytes` of the file are here now, of `size` where that is known. */
  | { readonly event: 'chunk', readonly name: string, readonly index: number, readonly from: PeerAddress, readonly bytes: number, readonly size: number | undefined }
  /** A chunk of `bytes` was given to a peer, of a file of `size` where that is known. */
  | { readonly event: 'given', readonly name: string, readonly index: number, readonly to: PeerAddress, readonly bytes: number, readonly size: number | undefined }
  /** A peer has said that it holds all of a file. */
  | { readonly event: 'replicated', readonly name: string, readonly peer: PeerAddress }
  | { readonly event: 'finished', readonly name: string, readonly size: number, readonly sizeUncertain: boolean }
  /** The store cannot take the file: it is done without. */
  | { readonly event: 'refused', readonly name: string, readonly reason: Error }
  /** The store could not give a chunk that it holds: the peer that has asked for it is told that it is missing. */
  | { readonly event: 'unread', readonly name: string, readonly index: number, readonly peer: PeerAddress, readonly reason: Error }
  /** Our listener broke: nobody reaches this peer any more. It can still leave. */
  | { readonly event: 'unheard', readonly reason: Error }
  /** `damaged`: an original has other bytes than we gave it (rule T9). */
  | { readonly event: 'poisoned' | 'conflict' | 'damaged', readonly name: string, readonly index: number, readonly peer: PeerAddress }
  | { readonly event: 'withheld', readonly name: string, readonly peer: PeerAddress, readonly why: 'fragile' | 'too-long' | 'too-many' }

export type SwarmEffect =
  | { readonly type: 'send', readonly to: PeerAddress, readonly message: Message }
  /** Read the chunk and send it as an Upload. */
  | { readonly type: 'serve', readonly to: PeerAddress, readonly chunk: ChunkRef }
  /** Check by the hash, where there is one, and write; then `written` or `rejected`. */
  | { readonly type: 'write', readonly from: PeerAddress, readonly chunk: ChunkRef, readonly data: Uint8Array }
  /** An original's copy of a chunk that we hold: compare them; then `compared`. */
  | { readonly type: 'compare', readonly from: PeerAddress, readonly chunk: ChunkRef, readonly data: Uint8Array }
  /** All chunks are there: set the length and give the file its name. */
  | { readonly type: 'finish', readonly name: string, readonly size: number }
  /** Two holders disagree: keep both, and neither as the chunk. */
  | { readonly type: 'aside', readonly from: PeerAddress, readonly chunk: ChunkRef, readonly data: Uint8Array }
  | { readonly type: 'event', readonly event: SwarmEvent }

export interface LocalFile {
  readonly name: string
  readonly size: number
  readonly sha256?: string | undefined
  readonly chunkSha256?: readonly string[] | undefined
  /** The last byte is NUL. */
  readonly nulTail?: boolean | undefined
}

/** A file that is being filled, once all of its hashes are known. */
export interface PartialFile {
  readonly name: string
  readonly size: number
  readonly chunkSha256: readonly string[]
}

export interface StateOptions {
  readonly self: PeerAddress
  /** The others; ourselves among them is fine. */
  readonly peers: readonly PeerAddress[]
  readonly profile?: ProfileName | undefined
  /** Any whole number: which of equally rare chunks are asked for first. Without it, in order. */
  readonly seed?: number | undefined
  /** Tell others that we speak hardened frames. Default true. */
  readonly extension?: boolean | undefined
  /** Chunks of our own kind are asked for only when their hashes are known: somebody can check them. Default false. */
  readonly verify?: boolean | undefined
  /** Ask originals for what we gave them, and compare (rule T9). Default false. */
  readonly checkCopies?: boolean | undefined
  /** Offer originals what they would damage: empty files, and files that end in NUL. Default false. */
  readonly shareFragile?: boolean | undefined
  /** Take chunks of known files that we did not ask for, as from who leaves. Default true. */
  readonly acceptPushes?: boolean | undefined
  readonly maxFiles?: number | undefined
}
