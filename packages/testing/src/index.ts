/**
 * What tests of Ropewalk are made of: pairs, cuts, hexdumps, a virtual clock, faults, a scripted peer, measured sources.
 * The suites have entry points of their own: `@ropewalk/testing/muxer-suite`, `store-suite`, `ledger-suite`.
 *
 * @module
 */
export { collect } from './bytes.ts'
export { VirtualClock } from './clock.ts'
export type { Clock } from './clock.ts'
export { chopped, cuts, oneByOne } from './cuts.ts'
export { TestingError } from './errors.ts'
export type { TestingErrorCode, TestingErrorOptions } from './errors.ts'
export { faulty, Gate, seededChunks } from './faults.ts'
export type { Faults } from './faults.ts'
export { dump, hexdump } from './hexdump.ts'
export { linear } from './linear.ts'
export type { Growth, LinearOptions } from './linear.ts'
export { DEFAULT_CAPACITY_BYTES, duplexPair, link } from './pair.ts'
export type { Link, PairOptions } from './pair.ts'
export { counting, pattern, patternAt, PatternCheck, verify } from './pattern.ts'
export type { Counted } from './pattern.ts'
export type { Chunker } from './pipe.ts'
export { scriptedPeer } from './scripted.ts'
export type { LastWords, ScriptedPeer } from './scripted.ts'
export { settle, turn } from './turn.ts'
