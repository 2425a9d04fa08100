/**
 * A small certificate authority for a cluster: one root, and leaves that it signs directly (MDSFTP specification section 2.1:
 * a node shows exactly one certificate, and names are looked for in the subject alternative names alone).
 *
 * @module
 */
import { webcrypto, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { AUTHORITY_DAYS, LEAF_DAYS, MAX_NAMES } from './constants.ts'
import { TransportError } from './errors.ts'
import { DAY_MS, P256, parseIdentity, serialNumber, type Identity } from './identity.ts'

export interface AuthorityOptions {
  /** What people call the cluster. */
  name?: string | undefined
  /** From now. Default ten years. */
  days?: number | undefined
}

export interface IssueOptions {
  /** What people call the node. Nothing looks at it. */
  name: string
  /** Host names and IP addresses that the node is dialled by: at least one. */
  names: string[]
  /** From now, and no longer than the authority's own. Default a year. */
  days?: number | undefined
}

/** Makes the root of a cluster: a key (ECDSA on P-256), and the certificate that clients get. */
export async function createAuthority ({ name = 'ropewalk cluster', days = AUTHORITY_DAYS }: AuthorityOptions = {}): Promise<Identity> {
  checkDays(days)
  checkName(name)
  const x509 = await load()
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    ...lifetime(days),
    signingAlgorithm: P256,
    keys,
    extensions: [
      // No authority below this one: leaves are signed directly.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)
    ]
  })
  return await identityOf(x509, certificate, keys.privateKey)
}

/** Signs a certificate for a new key. `ERR_IDENTITY` when the authority cannot, `ERR_ADDRESS` for what is no name. */
export async function issueIdentity (authority: Pick<Identity, 'certificate' | 'privateKey'>, { name, names, days = LEAF_DAYS }: IssueOptions): Promise<Identity> {
  checkDays(days)
  checkName(name)
  if (names.length === 0 || names.length > MAX_NAMES) throw new RangeError(`${names.length} names: 1 to ${MAX_NAMES}`)
  const alternatives = names.map(alternativeName)
  const { ca, validToDate } = checkAuthority(authority.certificate)
  if (!ca) throw new TransportError('ERR_IDENTITY', 'that certificate is not of an authority')
  if (validToDate.getTime() <= Date.now()) throw new TransportError('ERR_IDENTITY', `the authority ended on ${validToDate.toISOString().slice(0, 10)}`)

  const x509 = await load()
  const issuer = new x509.X509Certificate(authority.certificate)
  const [keys, signingKey] = await Promise.all([
    webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']),
    importKey(x509, authority.privateKey)
  ])
  const { notBefore, notAfter } = lifetime(days)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [name] }],
    issuer: issuer.subjectName,
    notBefore: notBefore < issuer.notBefore ? issuer.notBefore : notBefore,
    notAfter: notAfter > issuer.notAfter ? issuer.notAfter : notAfter,
    signingAlgorithm: P256,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(alternatives),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey)
    ]
  })
  return await identityOf(x509, certificate, keys.privateKey)
}

/** A host name or an address as a certificate names it. `ERR_ADDRESS` for anything else, wildcards too. */
function alternativeName (text: string): { type: 'dns' | 'ip', value: string } {
  if (isIP(text) !== 0) return { type: 'ip', value: text }
  // Of a text that is no name, `domainToASCII` takes what looks like one.
  const value = /^[\p{L}\p{N}._-]+$/u.test(text) ? domainToASCII(text) : ''
  if (value.length === 0 || value.length > 253 || isIP(value) !== 0 || !value.split('.').every(label => /^(?!-)[a-z\d_-]{1,63}(?<!-)$/.test(label))) {
    throw new TransportError('ERR_ADDRESS', `${JSON.stringify(text.slice(0, 300))} is neither a host name nor an IP address`)
  }
  return { type: 'dns', value }
}

function checkAuthority (certificate: string): X509Certificate {
  try {
    return new X509Certificate(certificate)
  } catch (cause) {
    throw new TransportError('ERR_IDENTITY', 'the certificate of the authority cannot be read', { cause })
  }
}

/** From a day ago, because clocks differ. */
function lifetime (days: number): { notBefore: Date, notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + days * DAY_MS) }
}

/** Nothing that the text of a distinguished name would have to escape. */
function checkName (name: string): void {
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u.test(name)) throw new RangeError(`${JSON.stringify(name.slice(0, 100))}: a name has up to 64 letters, digits, spaces, dots, dashes and underscores`)
}

function checkDays (days: number): void {
  if (!Number.isInteger(days) || days < 1 || days > 36_500) throw new RangeError(`${days} days: 1 to 36500`)
}

type X509 = typeof import('@peculiar/x509')

/** Takes long enough to load that only who makes certificates should wait; it needs the first one. */
async function load (): Promise<X509> {
  await import('reflect-metadata')
  return await import('@peculiar/x509')
}

async function importKey (x509: X509, pem: string): Promise<webcrypto.CryptoKey> {
  try {
    return await webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), P256, false, ['sign'])
  } catch (cause) {
    throw new TransportError('ERR_IDENTITY', 'the key of the authority is not an ECDSA key on P-256', { cause })
  }
}

async function identityOf (x509: X509, certificate: { toString (format: 'pem'): string }, privateKey: webcrypto.CryptoKey): Promise<Identity> {
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY')
  return parseIdentity(`${key}\n${certificate.toString('pem')}\n`)
}
