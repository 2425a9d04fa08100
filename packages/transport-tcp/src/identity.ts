/**
 * The key and the self-signed certificate by which peers know this node.
 *
 * @module
 */
import { createPrivateKey, getRandomValues, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { SERIAL_BYTES } from './constants.ts'
import { TransportError } from './errors.ts'
import { fingerprintOf } from './trust.ts'

export interface Identity {
  /** PEM. */
  readonly certificate: string
  /** PEM, PKCS #8. */
  readonly privateKey: string
  /** See `fingerprintOf`. */
  readonly fingerprint: string
}

export interface IdentityOptions {
  /** Host names and IP addresses that the certificate speaks for. Who pins by fingerprint needs none. */
  names?: string[] | undefined
}

/** The file in the directory of `loadIdentity`. One file, so that key and certificate can only appear together. */
export const IDENTITY_FILE = 'identity.pem'

export const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** RFC 5280, 4.1.2.5: the date that stands for "no end". Who pins a key has no use for an end. */
const NO_END: Date = new Date('9999-12-31T23:59:59Z')

export const DAY_MS: number = 24 * 60 * 60 * 1000

/** Makes a key (ECDSA on P-256: what TLS stacks and browsers all take) and its self-signed certificate. */
export async function createIdentity (options: IdentityOptions = {}): Promise<Identity> {
  const { names = [] } = options
  // @peculiar/x509 needs the first, and both take long enough to load that only who makes an identity should wait.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify'])

  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=ropewalk',
    // A day ago: clocks differ.
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: NO_END,
    signingAlgorithm: P256,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      ...(names.length === 0
        ? []
        : [new x509.SubjectAlternativeNameExtension(names.map(value => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })))])
    ]
  })

  const privateKey = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  const pem = certificate.toString('pem')

  return { certificate: `${pem}\n`, privateKey: `${privateKey}\n`, fingerprint: fingerprintOf(pem) }
}

/** The identity kept in `directory`; made and kept there at the first call. Where two processes start at once, both get the same one. */
export async function loadIdentity (directory: string, options: IdentityOptions = {}): Promise<Identity> {
  const path = join(directory, IDENTITY_FILE)
  const kept = await read(path)
  if (kept != null) return kept

  await mkdir(directory, { recursive: true, mode: 0o700 })
  await write(directory, path, await createIdentity(options))

  // Ours, or that of the process that was first.
  const identity = await read(path)
  if (identity == null) throw new TransportError('ERR_IDENTITY', `${path} was removed while it was made`)
  return identity
}

/** Twenty random bytes that are a positive number without a leading zero byte. */
export function serialNumber (): string {
  const bytes = getRandomValues(new Uint8Array(SERIAL_BYTES))
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40

  return Buffer.from(bytes).toString('hex')
}

async function read (path: string): Promise<Identity | undefined> {
  let text: string
  try {
    const { mode } = await stat(path)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new TransportError('ERR_IDENTITY', `${path} has mode ${(mode & 0o777).toString(8)}: others may read the key; chmod it to 600`)
    }
    text = await readFile(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error instanceof TransportError ? error : unusable(path, error)
  }

  try {
    return parseIdentity(text)
  } catch (cause) {
    throw unusable(path, cause)
  }
}

/** A key and its certificate from PEM, in any order; of several certificates the first. `ERR_IDENTITY` when they are not one another's. */
export function parseIdentity (text: string): Identity {
  try {
    const certificate = block(text, 'CERTIFICATE')
    const privateKey = block(text, '(?:EC |RSA )?PRIVATE KEY')
    const parsed = new X509Certificate(certificate)
    if (!parsed.checkPrivateKey(createPrivateKey(privateKey))) throw new Error('the key is not that of the certificate')

    return { certificate, privateKey, fingerprint: fingerprintOf(parsed) }
  } catch (cause) {
    throw new TransportError('ERR_IDENTITY', (cause as Error).message, { cause })
  }
}

function block (text: string, label: string): string {
  const found = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----(?:\\r?\\n|$)`).exec(text)
  if (found == null) throw new Error(`no ${label.replace(/^\(.*\)\?/, '')} in it`)
  return found[0]
}

/** Complete under its name or not there at all, whatever happens meanwhile; never over another. */
async function write (directory: string, path: string, identity: Identity): Promise<void> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}`

  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(identity.privateKey + identity.certificate)
      await file.sync()
    } finally {
      await file.close()
    }

    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } catch (error) {
    throw unusable(path, error)
  } finally {
    await rm(temporary, { force: true })
  }

  await syncDirectory(directory)
}

async function syncDirectory (directory: string): Promise<void> {
  // Windows cannot open a directory, and needs no such thing.
  if (process.platform === 'win32') return

  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function unusable (path: string, cause: unknown): TransportError {
  return new TransportError('ERR_IDENTITY', `${path} cannot be used: ${(cause as Error).message}`, { cause })
}
