/**
 * The wire of torronto in its three profiles, as bytes and as fields. Pure.
 *
 * @module
 */
export { ACTIONS, actionName, actionNumber, DOCUMENTED_ACTIONS, hasBlock } from './action-codec.ts'
export { describe } from './describe-codec.ts'
export type { MessageFields } from './describe-codec.ts'
export { decodeFrame, encodeFrame, FRAME_PREFIX_BYTES, frameLengths, splitList } from './hardened-codec.ts'
export type { HardenedFrame } from './hardened-codec.ts'
export { formatJson, parseJson } from './json-codec.ts'
export type { Fraction, JsonObject, JsonValue } from './json-codec.ts'
export { AS_IMPLEMENTED, Code, DOCUMENTED, peerKey } from './message.ts'
export type { ActionName, ChunkRef, ListedFile, Message, PeerAddress, Profile, ProfileName } from './message.ts'
export { decodeMessage, encodeMessage, listBytes } from './message-codec.ts'
export type { DecodeLimits, EncodeOptions } from './message-codec.ts'
export { MessageCutter } from './message-cutter-codec.ts'
export { checkName, chunkCount, chunkLength, lengthWithoutNuls } from './name-codec.ts'
export { formatPeers, parsePeers } from './peers-codec.ts'
export { decodeStatus, encodeStatus, fileStatus } from './status-codec.ts'
export type { FileStatus } from './status-codec.ts'
