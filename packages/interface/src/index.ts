/**
 * The contracts of Ropewalk: types only, no runtime code.
 *
 * @module
 */
export type { AbortOptions, Bytes, Channel, ReceiveOptions, Source } from './channel.ts'
export type {
  Chunk, ChunkCompression, ChunkDigest, ChunkGetOptions, ChunkId, ChunkPutOptions, ChunkSource, ChunkStore, Hasher, LentBytes
} from './chunk-store.ts'
export type { ByteFlow, ByteReceiver, Connection, Dial, Listen, Listener, RemoteInfo } from './connection.ts'
export type {
  Ledger, LedgerAnswer, LedgerDrop, LedgerEntry, LedgerLease, LedgerLimits, LedgerOptions, LedgerRequest, LedgerState, LedgerUsage, RunningHash
} from './ledger.ts'
export type { Muxer } from './muxer.ts'
export type { ByteRange, FragmentInfo, FragmentReader, FragmentStore, FragmentWriter } from './store.ts'
export type { TransferEvent, TransferFailed, TransferFinished, TransferProgress, TransferStarted } from './transfer.ts'
export type {
  TreeAcl, TreeAclEntry, TreeAttribute, TreeDefaultAcl, TreeItem, TreeKept, TreeMark, TreeNode, TreeNodeType, TreePart, TreeXattr
} from './tree.ts'
