/**
 * The wire alone, for tools that record, inspect or forge: no muxer, no connection.
 *
 * @module
 */
export { FRAGMENT_PREFIX_BYTES, HEADER_BYTES, Kind, MAX_FRAGMENT_BYTES, SEED, SEED_CODE, SEED_CODE_CHANNEL_OPEN, UPSTREAM } from './constants.ts'
export type { PacketType, Profile, ProfileName } from './constants.ts'
export { Deframer } from './deframer-codec.ts'
export type { PacketSink } from './deframer-codec.ts'
export { MdsftpError } from './errors.ts'
export type { MdsftpErrorCode } from './errors.ts'
export { commitAction, decodePacket, encodeFragment, encodePacket, writeFragmentHeader, writeHeader } from './packet-codec.ts'
export type { CommitFlags, ControlPacket, ErrorKind, Id, LockKind, ReserveFlags, WireRange } from './packet.ts'
