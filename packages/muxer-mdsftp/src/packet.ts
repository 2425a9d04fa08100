/** An id of 16 bytes (chunk, file, bucket) as 32 lower-case hex digits, in the order of the wire. */
export type Id = string

/** What can travel on a channel besides content. 64-bit numbers are bigint; ids are hex. Field meanings: specification section 1.3. */
export type ControlPacket =
  | { readonly type: 'Retrieve', readonly chunkId: Id, readonly chunkBuffer: number, readonly range?: WireRange | undefined }
  /** `flags` is the byte as the seed profile carries it, where no bit has a meaning. */
  | { readonly type: 'Put', readonly append: boolean, readonly flags?: number | undefined, readonly chunkId: Id, readonly size: bigint }
  | { readonly type: 'RecvAck', readonly number: number }
  | { readonly type: 'DeleteChunk', readonly chunkId: Id }
  | { readonly type: 'Reserve', readonly flags: ReserveFlags, readonly size: bigint, readonly fileId?: Id | undefined, readonly bucketId?: Id | undefined }
  | { readonly type: 'ReserveCancel', readonly chunkId: Id }
  | { readonly type: 'ReserveOk', readonly chunkId: Id, readonly chunkBuffer: number }
  | { readonly type: 'ReserveErr', readonly spaceLeft: bigint }
  | { readonly type: 'LockReq', readonly kind: LockKind, readonly chunkId: Id }
  | { readonly type: 'LockAcquire', readonly kind: LockKind, readonly chunkId: Id }
  | { readonly type: 'LockErr', readonly kind: LockKind, readonly errorKind: ErrorKind, readonly chunkId: Id }
  | { readonly type: 'PutOk', readonly chunkBuffer: number }
  | { readonly type: 'PutErr', readonly errorKind: ErrorKind }
  | { readonly type: 'Commit', readonly flags: CommitFlags, readonly chunkId: Id }
  | { readonly type: 'CommitOk' }
  | { readonly type: 'CommitErr', readonly errorKind: ErrorKind }
  | { readonly type: 'Query', readonly chunkId: Id }
  /** `size` means nothing unless the chunk exists. */
  | { readonly type: 'QueryResponse', readonly exists: boolean, readonly size: bigint }
  | { readonly type: 'ChannelOpen' }
  | { readonly type: 'ChannelClose' }
  | { readonly type: 'ChannelErr' }

/** Bytes `start` to `end` − 1. On the wire 0 and 0 mean the whole chunk: then there is no range here. */
export interface WireRange {
  readonly start: bigint
  readonly end: bigint
}

export interface ReserveFlags {
  readonly autoStart: boolean
  readonly durable: boolean
  readonly temp: boolean
  readonly overwrite: boolean
}

export interface CommitFlags {
  readonly reject: boolean
  readonly keepAlive: boolean
  readonly final: boolean
}

export type LockKind = 'read' | 'write'
export type ErrorKind = 'not_available' | 'not_found'
