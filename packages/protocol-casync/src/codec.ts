/**
 * The formats alone: chunk boundaries, indexes, messages and what they mean, without waiting.
 *
 * @module
 */
export { assertChunkSizes, chunkSizesAround, DEFAULT_CHUNK_SIZES, discriminator, parseChunkSizes } from './chunk-sizes.ts'
export type { ChunkSizes } from './chunk-sizes.ts'
export { Chunker } from './chunker-state.ts'
export { CasyncError } from './errors.ts'
export type { CasyncErrorCode, CasyncErrorOptions, CasyncErrorScope } from './errors.ts'
export { digestOf, indexBytes, IndexDecoder, IndexEncoder } from './index-codec.ts'
export type { IndexHeader, IndexItem, IndexLimits, IndexOptions } from './index-codec.ts'
export { PullAnswers, PushAnswers } from './answer-state.ts'
export { HELLO_FLAGS, MESSAGE_TYPES } from './constants.ts'
export { Conversation, helloFlags } from './hello-state.ts'
export type { HelloFlag } from './hello-state.ts'
export { encodeMessage, MessageDecoder, requestedIds } from './message-codec.ts'
export type { Message, MessageType } from './message-codec.ts'
export { PullClientState, PullServerState } from './pull-state.ts'
export type { Fact, Kinds } from './pull-state.ts'
export { PushClientState, PushServerState } from './push-state.ts'
export { chunkFormat, describeMessage } from './describe-codec.ts'
export type { MessageFields } from './describe-codec.ts'
export { CasyncInspector } from './inspect-codec.ts'
export type { InspectedMessage } from './inspect-codec.ts'
