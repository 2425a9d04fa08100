/**
 * The swarm of torronto: peers that replicate files to each other, and lose nothing on the way.
 *
 * @module
 */
export { systemClock } from './clock.ts'
export type { Clock } from './clock.ts'
export { AS_IMPLEMENTED, Code, decodeMessage, decodeStatus, describe, DOCUMENTED, encodeMessage, encodeStatus, formatPeers, MessageCutter, parsePeers } from './codec.ts'
export type { ChunkRef, FileStatus, ListedFile, Message, MessageFields, PeerAddress, Profile, ProfileName } from './codec.ts'
export { CHUNK_BYTES, MAX_CONNECTIONS, MAX_FILES, MAX_HARDENED_PEERS, MAX_PEERS, MAX_REQUESTS, MIN_KEY_BYTES } from './constants.ts'
export { SwarmError } from './errors.ts'
export type { SwarmErrorCode, SwarmErrorOptions, SwarmErrorScope } from './errors.ts'
export { swarmKey } from './membership.ts'
export type { SwarmKey } from './membership.ts'
export { MemorySwarmStore } from './memory-store.ts'
export { SwarmState } from './state.ts'
export type { LocalFile, PartialFile, StateOptions, SwarmEffect, SwarmEvent } from './facts.ts'
export type { SwarmStore } from './store.ts'
export { joinSwarm, Swarm } from './swarm.ts'
export type { SwarmOptions } from './options.ts'
