/**
 * Tokens: signed with a shared key, or by whoever's public key stands in a file.
 *
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createLocalJWKSet, decodeJwt, errors, jwtVerify, SignJWT, type JSONWebKeySet, type JWTVerifyGetKey, type JWTVerifyOptions, type JWTVerifyResult } from 'jose'
import { LEEWAY_MS, MAX_TOKEN_CHARACTERS, MAX_UID, MIN_KEY_BYTES } from '../constants.ts'
import { IpcUploadError } from '../errors.ts'
import type { Identity, VerifyToken } from '../ports.ts'

/** Never `none`, and never a shared key where a public one is expected. */
export type TokenAlgorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA'

export interface TokenRules {
  /** Whom the token must be meant for, where that is asked. */
  readonly audience?: string | undefined
  /** What clocks may differ by. Default 60 s. */
  readonly leewayMs?: number | undefined
  /** Milliseconds since 1970. Default: the machine's clock. */
  readonly now?: (() => number) | undefined
}

export interface SharedKeyOptions extends TokenRules {
  readonly key: Uint8Array
  /** Shortest key that is taken. Default 16 bytes; less is for tests, and for the original's public default key. */
  readonly minKeyBytes?: number | undefined
}

export interface PublicKeysOptions extends TokenRules {
  /** A JWKS: public keys as JSON. */
  readonly jwks: { readonly keys: ReadonlyArray<Readonly<Record<string, unknown>>> }
  /** Default: all three. */
  readonly algorithms?: ReadonlyArray<Exclude<TokenAlgorithm, 'HS256'>> | undefined
}

const PUBLIC: ReadonlyArray<Exclude<TokenAlgorithm, 'HS256'>> = ['RS256', 'ES256', 'EdDSA']

/** HS256, and nothing else, whatever a token says of itself. */
export function verifyWithKey (options: SharedKeyOptions): VerifyToken {
  const { key, minKeyBytes = MIN_KEY_BYTES } = options
  if (key.length < minKeyBytes) throw new RangeError(`key too short: ${key.length} < ${minKeyBytes} bytes`)
  const secret = Uint8Array.from(key)
  return verifier(options, async (token, rules) => await jwtVerify(token, secret, { ...rules, algorithms: ['HS256'] }))
}

/** Signatures of public keys. Keys that are secrets are refused: nobody may sign with what everybody can read. */
export function verifyWithPublicKeys (options: PublicKeysOptions): VerifyToken {
  const { jwks, algorithms = PUBLIC } = options
  for (const algorithm of algorithms) if (!PUBLIC.includes(algorithm)) throw new TypeError(`not an algorithm of public keys: ${String(algorithm)}`)
  if (!Array.isArray(jwks.keys) || jwks.keys.length === 0) throw new TypeError('a JWKS without keys')
  if (jwks.keys.some(({ kty, d, k }) => kty === 'oct' || d !== undefined || k !== undefined)) throw new TypeError('a JWKS with secret keys')
  const known = createLocalJWKSet(jwks as unknown as JSONWebKeySet)
  const [only, ...others] = jwks.keys
  // A key that is alone and has no name is meant whatever the token calls it.
  const keys: JWTVerifyGetKey = others.length > 0 || only?.['kid'] !== undefined
    ? known
    : async (header, token) => await known({ ...header, kid: undefined } as typeof header, token)
  return verifier(options, async (token, rules) => await jwtVerify(token, keys, { ...rules, algorithms: [...algorithms] }))
}

/** A key file is read whole, one final line end removed. */
export async function readKeyFile (path: string): Promise<Uint8Array> {
  const bytes = await readFile(path)
  let end = bytes.length
  if (bytes[end - 1] === 0x0a) end -= bytes[end - 2] === 0x0d ? 2 : 1
  return Uint8Array.from(bytes.subarray(0, end))
}

export async function readJwksFile (path: string): Promise<PublicKeysOptions['jwks']> {
  return JSON.parse(await readFile(path, 'utf8')) as PublicKeysOptions['jwks']
}

/** What signs tokens: a shared secret for HS256, a private key for the others. */
export interface SigningKey {
  readonly algorithm: TokenAlgorithm
  readonly key: Uint8Array | KeyObject
  readonly keyId?: string | undefined
}

export interface IssueOptions {
  /** Bytes are the shared secret of HS256. */
  readonly key: Uint8Array | SigningKey
  readonly login: string
  readonly uid: number
  /** How long it is good for; without it, for ever, as the original's. */
  readonly ttlMs?: number | undefined
  readonly audience?: string | undefined
  readonly now?: (() => number) | undefined
}

/** A token as the original's token service makes it, with an end where `ttlMs` is given. */
export async function issueToken ({ key, login, uid, ttlMs, audience, now = Date.now }: IssueOptions): Promise<string> {
  if (!isUid(uid)) throw new RangeError(`a user id is 0 to ${MAX_UID}: ${uid}`)
  if (login === '') throw new TypeError('a login that is empty')
  const signing: SigningKey = key instanceof Uint8Array ? { algorithm: 'HS256', key } : key
  const { algorithm: alg, keyId: kid } = signing
  const token = new SignJWT({ login, uid }).setProtectedHeader({ typ: 'JWT', alg, ...(kid === undefined ? {} : { kid }) })
  if (ttlMs !== undefined) token.setExpirationTime(Math.floor((now() + ttlMs) / 1000))
  if (audience !== undefined) token.setAudience(audience)
  return await token.sign(signing.key)
}

/** Who a token says that it belongs to. Nothing is verified: for those who hold it, not for those who are shown it. */
export function readIdentity (token: string): Pick<Identity, 'login' | 'uid'> | undefined {
  try {
    const { login, uid } = decodeJwt(token)
    return typeof login === 'string' && isUid(uid) ? { login, uid } : undefined
  } catch {
    return undefined
  }
}

function verifier (rules: TokenRules, verify: (token: string, options: JWTVerifyOptions) => Promise<JWTVerifyResult>): VerifyToken {
  const { audience, leewayMs = LEEWAY_MS, now = Date.now } = rules
  return async token => {
    if (token.length > MAX_TOKEN_CHARACTERS) throw refused()
    let claims
    try {
      const options = { clockTolerance: leewayMs / 1000, currentDate: new Date(now()), ...(audience === undefined ? {} : { audience }) }
      claims = (await verify(token, options)).payload
    } catch (error) {
      // No cause: it carries the claims.
      if (error instanceof errors.JWTExpired) throw new IpcUploadError('ERR_TOKEN_EXPIRED', 'connection', 'the token has expired')
      throw refused()
    }
    const { login, uid, exp } = claims
    if (typeof login !== 'string' || login === '' || !isUid(uid)) throw refused()
    return { login, uid, ...(exp === undefined ? {} : { expiresAt: exp * 1000 + leewayMs }) }
  }
}

function isUid (uid: unknown): uid is number {
  return Number.isInteger(uid) && (uid as number) >= 0 && (uid as number) <= MAX_UID
}

function refused (): IpcUploadError {
  return new IpcUploadError('ERR_TOKEN', 'connection', 'the token is not accepted')
}
