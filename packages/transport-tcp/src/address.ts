/**
 * Addresses and their text.
 *
 *      tcp://HOST:PORT    tls://HOST:PORT[#sha256=FINGERPRINT]    unix:/PATH
 *
 * @module
 */
import { isIPv6 } from 'node:net'
import { FINGERPRINT_LENGTH, MAX_UNIX_PATH_BYTES } from './constants.ts'
import { TransportError } from './errors.ts'

export interface TcpAddress {
  readonly transport: 'tcp'
  /** Name, IPv4 or IPv6 without brackets. */
  readonly host: string
  /** For a listener, 0 is any free port. */
  readonly port: number
}

export interface TlsAddress {
  readonly transport: 'tls'
  readonly host: string
  readonly port: number
  /** The peer's public key: see `fingerprintOf`. */
  readonly fingerprint?: string | undefined
}

export interface UnixAddress {
  readonly transport: 'unix'
  readonly path: string
}

export type Address = TcpAddress | TlsAddress | UnixAddress

/** Reads the text of an address. `ERR_ADDRESS` says what was wrong and at which character. */
export function parseAddress (text: string): Address {
  if (text.startsWith('unix:')) return { transport: 'unix', path: parsePath(text) }

  const scheme = /^(tcp|tls):\/\//.exec(text)
  if (scheme == null) throw wrong(text, 0, 'begins with neither tcp:// nor tls:// nor unix:')

  const transport = scheme[1] as 'tcp' | 'tls'
  const start = scheme[0].length
  const hash = text.indexOf('#')
  const end = hash === -1 ? text.length : hash
  const { host, port } = parseHostPort(text, start, end)

  if (transport === 'tcp') {
    if (hash !== -1) throw wrong(text, hash, 'tcp has no fingerprint: use tls')
    return { transport, host, port }
  }

  return hash === -1 ? { transport, host, port } : { transport, host, port, fingerprint: parseFingerprint(text, hash) }
}

/** Writes the text that `parseAddress` reads. */
export function formatAddress (address: Address): string {
  if (address.transport === 'unix') return `unix:${address.path}`

  const fragment = address.transport === 'tls' && address.fingerprint != null ? `#sha256=${address.fingerprint}` : ''
  return `${address.transport}://${formatHostPort(address.host, address.port)}${fragment}`
}

export function formatHostPort (host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Throws `ERR_ADDRESS` for what no text could have said. */
export function checkAddress (address: Address): void {
  if (address.transport === 'unix') parsePath(formatAddress(address))
  else if (address.transport === 'tls' && address.fingerprint != null && !isFingerprint(address.fingerprint)) {
    throw new TransportError('ERR_ADDRESS', `fingerprint ${JSON.stringify(address.fingerprint)} is not ${FINGERPRINT_LENGTH} lower-case hex digits`)
  }
}

function parsePath (text: string): string {
  const start = text.startsWith('unix:///') ? 'unix://'.length : 'unix:'.length
  const path = text.slice(start)
  const length = Buffer.byteLength(path)

  if (path.length === 0) throw wrong(text, start, 'no path')
  if (path.startsWith('//')) throw wrong(text, start, 'a unix socket has no host: write unix:/path')
  if (path.includes('\0')) throw wrong(text, start + path.indexOf('\0'), 'a zero byte in the path')
  if (length > MAX_UNIX_PATH_BYTES) throw wrong(text, start, `path of ${length} > ${MAX_UNIX_PATH_BYTES} bytes`)

  return path
}

function parseHostPort (text: string, start: number, end: number): { host: string, port: number } {
  const bracketed = text[start] === '['
  const close = bracketed ? text.indexOf(']', start) : -1
  if (bracketed && (close === -1 || close >= end)) throw wrong(text, start, '[ without ]')

  const colon = bracketed ? close + 1 : text.lastIndexOf(':', end - 1)
  if (colon < start || colon >= end || text[colon] !== ':') throw wrong(text, bracketed ? close + 1 : end, 'no port')

  const host = bracketed ? text.slice(start + 1, close) : text.slice(start, colon)
  if (host.length === 0) throw wrong(text, start, 'no host')
  if (bracketed && !isIPv6(host)) throw wrong(text, start + 1, `${host} is not an IPv6 address`)
  if (!bracketed && host.includes(':')) throw wrong(text, start, 'an IPv6 address stands in brackets')
  const odd = bracketed ? -1 : host.search(/[^\p{L}\p{N}._-]/u)
  if (odd !== -1) throw wrong(text, start + odd, `${JSON.stringify(host[odd])} in a host name`)

  const digits = text.slice(colon + 1, end)
  if (digits.length === 0) throw wrong(text, colon + 1, 'no port')
  if (!/^\d+$/.test(digits)) throw wrong(text, colon + 1, `${JSON.stringify(digits)} is not a port`)
  if (Number(digits) > 65535) throw wrong(text, colon + 1, `port ${digits} > 65535`)

  return { host, port: Number(digits) }
}

function parseFingerprint (text: string, hash: number): string {
  const start = hash + '#sha256='.length
  if (!text.startsWith('#sha256=', hash)) throw wrong(text, hash, 'after # comes sha256=')

  const fingerprint = text.slice(start).toLowerCase()
  const odd = fingerprint.search(/[^\da-f]/)
  if (odd !== -1) throw wrong(text, start + odd, `${JSON.stringify(fingerprint[odd])} in a fingerprint`)
  if (!isFingerprint(fingerprint)) throw wrong(text, start, `fingerprint of ${fingerprint.length} digits, not ${FINGERPRINT_LENGTH}`)

  return fingerprint
}

function isFingerprint (text: string): boolean {
  return text.length === FINGERPRINT_LENGTH && /^[\da-f]+$/.test(text)
}

function wrong (text: string, at: number, what: string): TransportError {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text
  return new TransportError('ERR_ADDRESS', `address ${JSON.stringify(shown)}: ${what} (at character ${at + 1})`)
}
