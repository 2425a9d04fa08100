/**
 * The numbers and words of this package.
 *
 * @module
 */

/** What each side says first. From the specification of multistream-select 1.0. */
export const HEADER = '/multistream/1.0.0'

/** The answer to a protocol that is not spoken. From the specification. */
export const NOT_AVAILABLE = 'na'

/** The question which protocols are spoken. From the specification. */
export const LIST = 'ls'

/** Bytes of a line, its line feed included. The Go and JavaScript implementations use the same. */
export const MAX_LINE_BYTES = 1024

/** Bytes of a line's length. Two are enough for `MAX_LINE_BYTES`. */
export const MAX_LENGTH_BYTES = 2

/** Lines that a dialler may send behind its header before one is accepted. Ours. */
export const MAX_PROPOSALS = 64

/** For the whole handshake. Ours. */
export const DEADLINE_MS = 10_000
