/**
 * MDSFTP as a stream muxer of libp2p, and libp2p streams as channels.
 *
 * @module
 */
export { toChannel } from './channel.ts'
export type { ChannelOptions } from './channel.ts'
export { PROTOCOL } from './constants.ts'
export { Libp2pError } from './errors.ts'
export type { Libp2pErrorCode } from './errors.ts'
export { mdsftp } from './factory.ts'
export type { MdsftpStream } from './stream.ts'
export type { MdsftpInit, MdsftpStreamMuxer } from './stream-muxer.ts'
