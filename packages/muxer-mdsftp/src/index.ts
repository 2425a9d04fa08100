/**
 * Many channels over one connection, in the MDSFTP wire format.
 *
 * @module
 */
export { BytesChannel } from './bytes-channel.ts'
export {
  FAREWELL_MS, FRAGMENT_BYTES, HELD_BYTES, MAX_ACCEPT_BACKLOG, MAX_BLOCKS, MAX_BUFFERED_BYTES, MAX_CHANNELS, MAX_FRAGMENT_BYTES, MAX_ID_DRAWS, MAX_WAITING_PACKETS, MAX_WASTED_OPENS,
  RECENT_IDS, SEED, SEED_CODE, SHARED_WINDOW_BYTES, UPSTREAM, WASTED_OPENS_PER_SECOND, WINDOW_BYTES, WINDOW_FRAGMENTS, WRITE_BUFFER_BYTES
} from './constants.ts'
export type { Profile, ProfileName } from './constants.ts'
export { MdsftpError } from './errors.ts'
export type { MdsftpErrorCode } from './errors.ts'
export { mdsftp, mdsftpPackets } from './muxer.ts'
export type { ChannelFacts, MdsftpMuxer, MdsftpOptions, PacketMuxer } from './muxer.ts'
export type { ChannelObserver } from './observer.ts'
export { PacketChannel } from './packet-channel.ts'
export type { Fragment, Packet } from './packet-channel.ts'
export type { CommitFlags, ControlPacket, ErrorKind, Id, LockKind, ReserveFlags, WireRange } from './packet.ts'
