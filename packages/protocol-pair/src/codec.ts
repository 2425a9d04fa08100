/**
 * Codes, the arithmetic of CPace and the messages, without channels and waiting.
 *
 * @module
 */
export { codeFrom, formatCode, parseCode } from './code-codec.ts'
export type { Code } from './code-codec.ts'
export { elementOf, generatorOf, generatorString, joinPieces, scalarOf, sessionKey, sharedOf, tagOf } from './cpace-codec.ts'
export type { Sha512, Share } from './cpace-codec.ts'
export { equalBytes } from './equal-bytes.ts'
export {
  decodeIntroduction, encodeAnswer, encodeDone, encodeHello, encodeIntroduction, encodeProof, encodeRefused, encodeShare, encodeWelcome,
  FIXED_BYTES, Kind, MAX_INTRODUCTION_BYTES, Refusal, refusalOf
} from './message-codec.ts'
export type { Introduction } from './message-codec.ts'
