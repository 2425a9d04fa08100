/**
 * Files of keys: what a file holds says what it is good for.
 *
 *      -----BEGIN PRIVATE KEY-----, or a JWK with one    signs, by RS256, ES256 or EdDSA
 *      -----BEGIN PUBLIC KEY-----, a JWK, or a JWKS      verifies those
 *      anything else                                     a shared secret, for HS256: signs and verifies
 *
 * Nothing of a file is ever part of an error.
 *
 * @module
 */
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { MIN_KEY_BYTES } from '../constants.ts'
import type { VerifyToken } from '../ports.ts'
import { readKeyFile, verifyWithKey, verifyWithPublicKeys, type PublicKeysOptions, type SigningKey, type TokenAlgorithm, type TokenRules } from './tokens.ts'

/** Opens a file of keys that are to verify. Private keys are refused: a server has no use for them. */
export async function openVerifier (path: string, rules: TokenRules = {}): Promise<VerifyToken> {
  const parsed = parse(await readFile(path))
  if (parsed === undefined) return verifyWithKey({ ...rules, key: await readKeyFile(path) })
  if ('keys' in parsed) return verifyWithPublicKeys({ ...rules, jwks: parsed })
  if (parsed.key.type !== 'public') throw new TypeError('a private key, where the public one is needed')
  return verifyWithPublicKeys({ ...rules, jwks: { keys: [parsed.key.export({ format: 'jwk' }) as Record<string, unknown>] }, algorithms: [algorithmOf(parsed.key)] })
}

/** Opens the file of a key that is to sign. */
export async function openSigner (path: string): Promise<SigningKey> {
  const parsed = parse(await readFile(path))
  if (parsed === undefined) {
    const key = await readKeyFile(path)
    if (key.length < MIN_KEY_BYTES) throw new RangeError(`key too short: ${key.length} < ${MIN_KEY_BYTES} bytes`)
    return { algorithm: 'HS256', key }
  }
  if ('keys' in parsed || parsed.key.type !== 'private') throw new TypeError('a public key, which cannot sign')
  return { algorithm: algorithmOf(parsed.key), key: parsed.key, keyId: parsed.keyId }
}

interface ParsedKey {
  readonly key: KeyObject
  readonly keyId?: string | undefined
}

/** `undefined` for a shared secret. */
function parse (bytes: Uint8Array): ParsedKey | PublicKeysOptions['jwks'] | undefined {
  const text = new TextDecoder('latin1').decode(bytes).trim()
  try {
    if (text.startsWith('-----BEGIN ')) return { key: /^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text) ? createPrivateKey(text) : createPublicKey(text) }
    const json = jsonOf(text)
    if (json === undefined) return undefined
    if ('keys' in json) return json as unknown as PublicKeysOptions['jwks']
    const key = json['d'] === undefined ? createPublicKey({ key: json, format: 'jwk' }) : createPrivateKey({ key: json, format: 'jwk' })
    return { key, keyId: json['kid'] }
  } catch {
    // No cause: it may quote the file.
    throw new TypeError('a key that cannot be read')
  }
}

function jsonOf (text: string): JsonWebKey & { kid?: string } | undefined {
  if (!text.startsWith('{')) return undefined
  const json = JSON.parse(text) as JsonWebKey & { kid?: string }
  if (json.kty === 'oct') throw new TypeError('a shared secret stands in its file as it is')
  return json
}

function algorithmOf ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Exclude<TokenAlgorithm, 'HS256'> {
  if (asymmetricKeyType === 'rsa') return 'RS256'
  if (asymmetricKeyType === 'ed25519') return 'EdDSA'
  if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256'
  throw new TypeError('a key that is neither RSA, nor P-256, nor Ed25519')
}
