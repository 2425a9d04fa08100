/**
 * Warpdrive: offer files to a peer, who accepts and downloads them.
 *
 * @module
 */
export {
  acceptOffer, createOffer, download, downloaded, endSession, finishDownload, listenOffers, listenStatus, listOffers, listPeers, ping, sendOffer, settleOffer, updatePeer
} from './client.ts'
export { systemClock } from './clock.ts'
export type { Clock } from './clock.ts'
export { GO_838779E, portOf, PROFILES, SEED } from './codec.ts'
export type { Command, CommandType, FileInfo, Filter, Offer, OfferStatus, OfferStatusName, Peer, Profile } from './codec.ts'
export {
  FINISHED_AHEAD, IDLE_TIMEOUT_MS, MANY_BYTES, MANY_ENTRIES, MAX_ARRAY_ITEMS, MAX_BLOCKS, MAX_ENTRIES, MAX_JSON_BYTES, MAX_JSON_DEPTH, MAX_NAME_BYTES, MAX_PEER_OFFERS, MAX_PEER_SESSIONS, MAX_PEERS,
  MAX_QUEUED_EVENTS, MAX_UNCONFIRMED, MAX_WAITING_BYTES, Outcome, PROGRESS_TIMEOUT_MS, READ_BYTES, REPLY_TIMEOUT_MS, STROKE_BYTES
} from './constants.ts'
export { ContentDigest } from './content-digest.ts'
export type { ContentFacts } from './content-digest.ts'
export { WarpdriveError } from './errors.ts'
export type { WarpdriveErrorCode, WarpdriveErrorOptions, WarpdriveErrorScope } from './errors.ts'
export { MemoryState } from './memory-store.ts'
export { openNode, WarpdriveNode } from './node.ts'
export type { Transfer } from './node.ts'
export type { NodeOptions } from './node-options.ts'
export type { ContentHash, FileSource, Inbox, InboxFileOptions, InboxFolderOptions, InboxWholeFile, InboxWriter, OfferedFile, Query, ReadOptions, Sha256, StateStore, StoredOffer } from './ports.ts'
export type { Pieces } from './sending.ts'
export { serveSession } from './server.ts'
export type { Answers, ServeOptions } from './server.ts'
export { Session } from './session.ts'
export type { SessionOptions } from './session.ts'
