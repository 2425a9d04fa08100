/**
 * The codec alone: cslq, JSON, commands, and the description of commands and replies. Pure.
 *
 * @module
 */
export { argumentBytes, CommandCutter, decodeCommand, encodeCommand, hasJson, PATTERNS } from './command-codec.ts'
export type { Command, CutCommand, CutterLimits, Filter } from './command-codec.ts'
export { decodeCslq, encodeCslq } from './cslq-codec.ts'
export type { CslqValue } from './cslq-codec.ts'
export { describeCommand, SessionDescriber } from './describe-codec.ts'
export type { CommandFields, Description } from './describe-codec.ts'
export {
  encodeJson, encodeJsonArgument, infoJson, listOf, offerJson, parseJson, peerJson, readInfo, readOffer, readPeer, readStatus, readUpdate, statusJson
} from './json-codec.ts'
export type { FileInfo, Offer, OfferStatus, OfferStatusName, Peer } from './json-codec.ts'
export { ReplyDescriber } from './reply-codec.ts'
export type { Reply } from './reply-codec.ts'
export { commandOf, GO_838779E, LOCAL_COMMANDS, portOf, PROFILES, SEED } from './profile-codec.ts'
export type { CommandType, Profile } from './profile-codec.ts'
