/**
 * One side's part in CPace: what it draws, sends, and can prove afterwards.
 *
 * @module
 */
import { CHANNEL, ELEMENT_BYTES } from './constants.ts'
import { elementOf, generatorOf, joinPieces, scalarOf, sessionKey, sharedOf, tagOf, type Sha512, type Share } from './cpace-codec.ts'

const encoder = new TextEncoder()

export interface ExchangeOptions {
  readonly sha512: Sha512
  readonly code: string
  readonly role: 'initiator' | 'responder'
  /** Fingerprints, in the order of the roles. */
  readonly initiator: string
  readonly responder: string
  readonly session: Uint8Array
  /** Our introduction. */
  readonly data: Uint8Array
}

export class Exchange {
  readonly share: Share
  readonly #options: ExchangeOptions
  readonly #scalar: bigint

  constructor (options: ExchangeOptions) {
    this.#options = options
    const { sha512, code, initiator, responder, session, data } = options
    const channel = joinPieces(...[CHANNEL, initiator, responder].map(text => encoder.encode(text)))
    this.#scalar = scalarOf(crypto.getRandomValues(new Uint8Array(ELEMENT_BYTES)))
    this.share = { element: elementOf(generatorOf(sha512, encoder.encode(code), channel, session), this.#scalar), data }
  }

  /** What we prove with, and what the other side must. */
  tags (theirs: Share): { readonly ours: Uint8Array, readonly theirs: Uint8Array } {
    const { sha512, session, role } = this.#options
    const shares = role === 'initiator' ? [this.share, theirs] as const : [theirs, this.share] as const
    const key = sessionKey(sha512, session, sharedOf(this.#scalar, theirs.element), ...shares)
    return { ours: tagOf(sha512, session, key, this.share), theirs: tagOf(sha512, session, key, theirs) }
  }
}
