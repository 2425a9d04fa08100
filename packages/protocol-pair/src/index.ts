/**
 * Pair two nodes with a short code.
 *
 * @module
 */
export { pair } from './client.ts'
export { codeFrom, formatCode, parseCode } from './code-codec.ts'
export type { Code } from './code-codec.ts'
export { CodeState } from './code-state.ts'
export { CODE_LIFETIME_MS, EXCHANGE_TIMEOUT_MS, MAX_NAME_BYTES, SECRET_CHARACTERS } from './constants.ts'
export type { Paired, PairOptions } from './conversation.ts'
export type { Sha512 } from './cpace-codec.ts'
export { PairError } from './errors.ts'
export type { PairErrorCode, PairErrorOptions } from './errors.ts'
export type { Introduction } from './message-codec.ts'
export { answerPair } from './server.ts'
export type { AnswerOptions } from './server.ts'
