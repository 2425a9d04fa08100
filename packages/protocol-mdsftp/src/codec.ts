/**
 * The wire alone, for tools that record, inspect or forge: packets, the preamble before them, and their fields by the
 * names of the specification.
 *
 * @module
 */
export {
  commitAction, decodePacket, Deframer, encodeFragment, encodePacket, FRAGMENT_PREFIX_BYTES, HEADER_BYTES, Kind, MAX_FRAGMENT_BYTES,
  MdsftpError, SEED, SEED_CODE, SEED_CODE_CHANNEL_OPEN, UPSTREAM, writeFragmentHeader, writeHeader
} from '@ropewalk/muxer-mdsftp/codec'
export type {
  CommitFlags, ControlPacket, ErrorKind, Id, LockKind, MdsftpErrorCode, PacketSink, PacketType, Profile, ProfileName, ReserveFlags, WireRange
} from '@ropewalk/muxer-mdsftp/codec'
export { NODE_ID_BYTES, TOKEN_BYTES } from './constants.ts'
export { describePacket } from './describe-codec.ts'
export type { FragmentHead, PacketFields } from './describe-codec.ts'
export { StorageError } from './errors.ts'
export type { StorageErrorCode, StorageErrorOptions, StorageErrorScope } from './errors.ts'
export { decodePreamble, encodePreamble, preambleBytes } from './preamble-codec.ts'
export type { Preamble } from './preamble-codec.ts'
