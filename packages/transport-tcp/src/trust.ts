/**
 * Who a TLS peer is: the SHA-256 of its public key.
 *
 * @module
 */
import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { TransportError } from './errors.ts'

/** SHA-256 of a certificate's public key (SubjectPublicKeyInfo, DER) as 64 lower-case hex digits. Takes PEM, DER or the parsed certificate. */
export function fingerprintOf (certificate: string | Uint8Array | X509Certificate): string {
  const parsed = certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate)

  return createHash('sha256').update(parsed.publicKey.export({ type: 'spki', format: 'der' })).digest('hex')
}

/** The fingerprint of what the peer has shown; undefined where it has shown nothing. */
export function peerFingerprint (socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate()

  return certificate == null ? undefined : fingerprintOf(certificate)
}

export interface Trust {
  /** The fingerprint that the peer must have. */
  fingerprint?: string | undefined
  /** Decides where there is no fingerprint to compare with, for instance by asking a person. */
  verify?: ((fingerprint: string) => boolean | Promise<boolean>) | undefined
  /** True where a certificate authority vouches for the peer. */
  authorized?: boolean | undefined
}

/** Throws `ERR_UNTRUSTED` unless the peer that showed `shown` is the one that is wanted. */
export async function requireTrust (shown: string, trust: Trust): Promise<void> {
  const { fingerprint, verify, authorized } = trust

  if (fingerprint != null) {
    if (equal(shown, fingerprint)) return
    throw new TransportError('ERR_UNTRUSTED', `the peer's key is sha256=${shown}, expected sha256=${fingerprint}`, { remote: true })
  }

  if (verify != null) {
    if (await verify(shown)) return
    throw new TransportError('ERR_UNTRUSTED', `the peer's key sha256=${shown} was not accepted`, { remote: true })
  }

  if (authorized !== true) {
    throw new TransportError('ERR_UNTRUSTED', `the peer's key is sha256=${shown}, and nothing says which key to expect`)
  }
}

function equal (left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left, 'hex'), Buffer.from(right, 'hex')]

  return a.length === b.length && timingSafeEqual(a, b)
}
