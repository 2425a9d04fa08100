/** Most UTF-8 bytes of the name that a node gives itself. Ours. */
export const MAX_NAME_BYTES = 64

/** How long a code is good for. Ours. */
export const CODE_LIFETIME_MS = 120_000

/** How long the whole exchange may take. Ours. */
export const EXCHANGE_TIMEOUT_MS = 10_000

/** How long the other side may take to end after the last message. Ours. */
export const CLOSE_TIMEOUT_MS = 1_000

/** Characters of the secret part of a code: 40 bits, of which one is guessed once. Ours. */
export const SECRET_CHARACTERS = 8

/** Codes that may be out at once and yet be told apart by their first two digits. Ours. */
export const PLATES = 100

/** Crockford's alphabet: no letter in it looks like a digit or another letter. */
export const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** The version of the exchange, which its first byte says. Ours. */
export const VERSION = 1

/** Bytes that each side contributes to the session identifier. Ours. */
export const NONCE_BYTES = 16

/** An encoded element of ristretto255, and a scalar. From RFC 9496. */
export const ELEMENT_BYTES = 32

/** A tag: HMAC with SHA-512. */
export const TAG_BYTES = 64

/** The domain of CPACE-RISTR255-SHA512. From draft-irtf-cfrg-cpace-21, section 8.3. */
export const DOMAIN = 'CPaceRistretto255'

/** Bytes of an input block of SHA-512. From FIPS 180-4. */
export const HASH_BLOCK_BYTES = 128

/** What the identities of both sides are bound to. Ours. */
export const CHANNEL = 'ropewalk-pair-1'
