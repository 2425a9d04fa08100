/**
 * Which protocol a channel speaks: multistream-select 1.0.
 *
 * @module
 */
export { select, type SelectOptions } from './client.ts'
export { DEADLINE_MS, HEADER, MAX_LINE_BYTES, MAX_PROPOSALS } from './constants.ts'
export { type Negotiated, type NegotiateOptions } from './conversation.ts'
export { NegotiateError, type NegotiateErrorCode } from './errors.ts'
export { handle, type HandleOptions } from './server.ts'
