/** What a server knows of one connection. Pure. */
import { MAX_MALFORMED, MAX_TOKEN_TRIES, Reason } from './constants.ts'
import type { Identity } from './ports.ts'

export class ServerState {
  readonly #maxTokenTries: number
  #identity: Identity | undefined
  #refused = 0
  #malformed = 0

  constructor (maxTokenTries: number = MAX_TOKEN_TRIES) {
    this.#maxTokenTries = maxTokenTries
  }

  /** Whether the connection has to end, after what was answered last. */
  get over (): boolean {
    return this.#refused >= this.#maxTokenTries || this.#malformed >= MAX_MALFORMED
  }

  get uid (): number | undefined {
    return this.#identity?.uid
  }

  /** Of a token that was verified. Somebody else's is refused: a connection has one user. */
  authenticated (identity: Identity): Reason | undefined {
    if (this.#identity !== undefined && this.#identity.uid !== identity.uid) return Reason.AlreadyAuthenticated
    this.#identity = identity
    return undefined
  }

  tokenRefused (): void {
    this.#refused++
  }

  malformed (): void {
    this.#malformed++
  }

  /** Why a request that needs a user is refused at `now`, if it is: a token counts while it lasts, not only when it came. */
  refusal (now: number): Reason | undefined {
    if (this.#identity === undefined) return Reason.NotLogged
    if (this.#identity.expiresAt !== undefined && now >= this.#identity.expiresAt) return Reason.TokenExpired
    return undefined
  }
}
