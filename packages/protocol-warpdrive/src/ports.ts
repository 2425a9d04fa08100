/**
 * What a node asks of the outside world.
 *
 * @module
 */
import type { AbortOptions, Channel } from '@ropewalk/interface'
import type { FileInfo, Offer, Peer } from './json-codec.ts'

/** One entry that can be offered: what the peer is told, and what we call it ourselves. */
export interface OfferedFile extends FileInfo {
  /** Names the file to `read`. */
  readonly source: string
}

export interface ReadOptions extends AbortOptions {
  /**
   * Memory for the next `bytes` bytes, at most `READ_BYTES`, that is used again for later ones. Whoever reads takes it in the order in which he gives what he has
   * read, and for no more than one array ahead. Where it is missing nobody can tell when it is free.
   */
  readonly memory?: ((bytes: number) => Uint8Array) | undefined
}

/** Files to offer. */
export interface FileSource {
  /** Reads the first bytes of a file, as many as `into` takes, at once: of small files that is less than `read` would take to begin. The bytes there were. */
  whole? (source: string, into: Uint8Array): number | Promise<number>
  /** The entries below `path`, a folder before what is in it; `uri` relative, `path` not telling where it lies. */
  list (path: string, options: AbortOptions): Promise<OfferedFile[]>
  /** Bytes from `start` up to `end`; fewer when the file has become shorter. */
  read (source: string, start: number, end: number, options: ReadOptions): AsyncIterable<Uint8Array>
}

export interface InboxFileOptions extends AbortOptions {
  /** Names the transfer: who sends, and which offer. Of one transfer each name comes once. */
  readonly peer: string
  readonly offer: string
  readonly size: number
  /** Permission bits only; the owner can always read and write. */
  readonly mode: number
  readonly mtimeMs: number | undefined
  /** Goes on behind so many bytes, which an earlier writer of the same transfer has kept. */
  readonly offset: number
}

/** A file that has come whole and is verified. */
export interface InboxWholeFile extends Pick<InboxFileOptions, 'mode' | 'mtimeMs'> {
  readonly name: string
  /** All of its content. Valid until what was asked is settled. */
  readonly bytes: Uint8Array
}

/** Of which transfer the folder is part, and what it should be. */
export type InboxFolderOptions = Pick<InboxFileOptions, 'peer' | 'offer' | 'mode' | 'mtimeMs' | 'signal'>

export interface InboxWriter {
  /** The array may be used again once it resolves. */
  write (bytes: Uint8Array): Promise<void>
  /** An array of `bytes` bytes that `write` likes to get, for instance one that a disk takes without the system's cache, or that the thread of a digest sees. By default any. Nobody uses it any more when `finish`, `keep` or `abort` is called. */
  readonly memory?: ((bytes: number) => Uint8Array) | undefined
  /** The file is whole: gives it its name. */
  finish (): Promise<unknown>
  /** `why` broke the transfer: keeps what was written for one that goes on, at most `most` bytes. Resolves to the bytes kept; 0 when it keeps nothing. */
  keep (most?: number, why?: unknown): Promise<number>
  /** Removes what was written, because of `why`. */
  abort (why?: unknown): Promise<void>
  /** What was kept, from byte `from` up to `offset`, to be hashed. `from` is 0 where the writer has no `verified`. */
  kept (from: number): AsyncIterable<Uint8Array>
  /** So many of the first bytes were said to be verified, in an earlier life too: they are not hashed again. */
  readonly verified?: number | undefined
  /** All that was written is verified. It is not waited for before the next write. */
  verify? (): Promise<void>
}

/** Where received files go. Names were checked, and may be checked again. */
export interface Inbox {
  directory (name: string, options: InboxFolderOptions): Promise<void>
  file (name: string, options: InboxFileOptions): Promise<InboxWriter>
  /** Small files in one go, of one transfer: gives each its name. What becomes of each is told by itself, in their order. Where it is missing they come one by one. */
  wholeFiles? (files: readonly InboxWholeFile[], options: Pick<InboxFileOptions, 'peer' | 'offer' | 'signal'>): Promise<Array<PromiseSettledResult<unknown>>>
  /** What is there of a file of a transfer, which may be more than our state knows: it is asked before each download. */
  kept? (name: string, transfer: Pick<InboxFileOptions, 'peer' | 'offer'>): { readonly bytes: number, readonly whole: boolean }
  /** Only called where links were asked for. */
  link? (name: string, target: string, options: Pick<InboxFileOptions, 'peer' | 'offer' | 'mtimeMs' | 'signal'>): Promise<void>
}

/** An offer, and what of it is done. */
export interface StoredOffer extends Offer {
  /** SHA-256 of the manifest: what is consented to. */
  readonly digest: string
  /** Entries that are whole. */
  readonly done: readonly number[]
  /** Bytes that are kept of others. */
  readonly parts: ReadonlyArray<readonly [index: number, bytes: number]>
  /** Entries that failed alone when they were last tried, and why. */
  readonly failures?: ReadonlyArray<readonly [index: number, code: string, message: string]> | undefined
  /** It is ours and withdrawn, and the peer has not been told yet. */
  readonly untold?: boolean | undefined
}

/** What survives a restart, where it survives one. */
export interface StateStore {
  load (): Promise<{ readonly offers: readonly StoredOffer[], readonly peers: readonly Peer[] }>
  putOffer (offer: StoredOffer): Promise<void>
  removeOffer (incoming: boolean, id: string): Promise<void>
  putPeer (peer: Peer): Promise<void>
  removePeer (id: string): Promise<void>
}

/** Opens a session with a node: asks `peer` for `port`. */
export type Query = (peer: string, port: string, options: AbortOptions) => Promise<Channel>

/** A digest that is fed piece by piece, perhaps by another thread. */
export interface ContentHash {
  /** The array may be used again when it returns, or what it returns resolves. Calls are not waited for before the next one. */
  update (bytes: Uint8Array): void | Promise<void>
  /** Of all that `update` was called with. It comes once to each, also when nobody wants it any more. */
  digest (): Uint8Array | Promise<Uint8Array>
}

/** Makes a SHA-256. */
export type Sha256 = () => ContentHash
