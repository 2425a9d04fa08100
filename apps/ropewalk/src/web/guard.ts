/**
 * Who may see the page, and who may act by it.
 *
 * A browser does what any page asks of it. So a request counts only under a name that is this machine's (a name that somebody else has pointed
 * here, DNS rebinding, is none), and what changes something only when it comes from this page (CSRF).
 *
 * @module
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { isLoopback } from '../address.ts'
import type { VerifyToken } from '../credentials.ts'

/** Nobody needs more to be believed. Ours. */
export const MAX_TOKEN_BYTES = 256

/** Who was let in lately; the oldest must say its token again. Ours. */
const MAX_SESSIONS = 64

/** The header without which nothing is changed: no form and no other page can set it. */
export const ASKING_HEADER = 'x-ropewalk'

const COOKIE = 'ropewalk'

export class Guard {
  readonly #verifyToken: VerifyToken | undefined
  readonly #loopback: boolean
  readonly #sessions: Buffer[] = []

  constructor (verifyToken: VerifyToken | undefined, host: string) {
    this.#verifyToken = verifyToken
    this.#loopback = isLoopback(host)
  }

  /** Undefined when the request may be answered; else the status and why not. */
  refuse (request: IncomingMessage): readonly [status: number, why: string] | undefined {
    const { host = '' } = request.headers
    if (!this.#isOurs(host)) return [421, 'This page is not known by that name.']
    const site = request.headers['sec-fetch-site']
    if (site === 'cross-site' || site === 'same-site') return [403, 'Another page has asked for this.']
    if (request.method === 'GET' || request.method === 'HEAD') return undefined
    const { origin } = request.headers
    if (origin !== undefined && origin !== `http://${host}`) return [403, 'Another page has asked for this.']
    if (request.headers[ASKING_HEADER] === undefined) return [403, `The header ${ASKING_HEADER} is missing.`]
    return undefined
  }

  /** True when no token is asked for, or the request has shown one. */
  knows (request: IncomingMessage): boolean {
    if (this.#verifyToken === undefined) return true
    const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (bearer !== undefined) return this.#isToken(bearer)
    const shown = new RegExp(`(?:^|; )${COOKIE}=([\\da-f]{64})(?:;|$)`).exec(request.headers.cookie ?? '')?.[1]
    if (shown === undefined) return false
    const bytes = Buffer.from(shown, 'hex')
    return this.#sessions.reduce((found, session) => timingSafeEqual(session, bytes) || found, false)
  }

  /** The cookie for whoever has shown a token; undefined when it is none. */
  admit (token: string): string | undefined {
    if (!this.#isToken(token)) return undefined
    const session = randomBytes(32)
    this.#sessions.push(session)
    if (this.#sessions.length > MAX_SESSIONS) this.#sessions.shift()
    return `${COOKIE}=${session.toString('hex')}; HttpOnly; SameSite=Strict; Path=/`
  }

  #isToken (text: string): boolean {
    return text.length <= MAX_TOKEN_BYTES && this.#verifyToken?.(text, '') === true
  }

  /** An address cannot be pointed elsewhere; of names only this machine's own count. */
  #isOurs (text: string): boolean {
    const [, host = ''] = /^\[?([^\]]+?)\]?(?::\d{1,5})?$/.exec(text.toLowerCase()) ?? []
    if (isLoopback(host)) return true
    if (this.#loopback) return false
    const own = hostname().toLowerCase()
    return isIP(host) !== 0 || host === own || host === `${own}.local`
  }
}
