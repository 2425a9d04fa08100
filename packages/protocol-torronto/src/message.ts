/** A peer, by the text and number that name it in everybody's list. */
export interface PeerAddress {
  readonly host: string
  readonly port: number
}

/** Whose numbers and shapes a peer speaks: those of the original as it runs, those of its README, or our own frames. */
export type ProfileName = 'as-implemented' | 'documented' | 'hardened'

/** How messages of one connection each are written. */
export interface Profile {
  readonly name: 'as-implemented' | 'documented'
  /** What stands first in `chunks` of Have, Download and Upload, where the profile is `documented`. */
  readonly firstNumber: 'size' | 'count'
}

export const AS_IMPLEMENTED: Profile = { name: 'as-implemented', firstNumber: 'count' }
export const DOCUMENTED: Profile = { name: 'documented', firstNumber: 'size' }

/** One chunk of a file. */
export interface ChunkRef {
  readonly name: string
  /** Chunks of the file, as the sender counts them. */
  readonly count: number
  readonly index: number
  /** Bytes of the file, where the sender says so. */
  readonly size?: number | undefined
  /** SHA-256 in hex: of the chunk in a hardened Upload. */
  readonly sha256?: string | undefined
}

/** A file in a list. */
export interface ListedFile {
  readonly name: string
  /** Chunks of the file; `undefined` where the documented profile does not say. */
  readonly count: number | undefined
  /** Chunks that the sender holds, ascending. */
  readonly held: readonly number[]
  readonly size?: number | undefined
  /** SHA-256 of the file in hex. */
  readonly sha256?: string | undefined
  /** SHA-256 of each chunk from `offset` on, in hex. */
  readonly chunkSha256?: readonly string[] | undefined
  /** The first chunk that this entry is about: a file of many chunks takes several entries. */
  readonly offset?: number | undefined
}

export type Message =
  | { readonly action: 'Join' | 'Leave' | 'Query' | 'Remove', readonly from: PeerAddress }
  /** `path` is a path on the machine of the receiver. */
  | { readonly action: 'Insert', readonly from: PeerAddress, readonly path: string }
  /** `extension` is the version of the hardened frames that the sender can speak. */
  | { readonly action: 'Add' | 'Files', readonly from: PeerAddress, readonly files: readonly ListedFile[], readonly extension?: number | undefined }
  | { readonly action: 'Download' | 'Have', readonly from: PeerAddress, readonly chunk: ChunkRef }
  /** `data` is the block as it came, padding included. */
  | { readonly action: 'Upload', readonly from: PeerAddress, readonly chunk: ChunkRef, readonly data: Uint8Array }
  | { readonly action: 'Error', readonly from: PeerAddress, readonly code: number }

export type ActionName = Exclude<Message['action'], 'Error'>

/** Codes of errors: 0 to 5 the original's, the others between our own peers. */
export const Code = {
  Ok: 0, Connected: 1, Disconnected: 2, FileExists: 3, FileMissing: 4, BadPermission: 5,
  BadName: 6, BadChunk: 7, HashMismatch: 8, TooLarge: 9, UnknownPeer: 10, Unsupported: 11
} as const

export type Code = typeof Code[keyof typeof Code]

/** The text by which peers are told apart. */
export function peerKey ({ host, port }: PeerAddress): string {
  return `${host} ${port}`
}
