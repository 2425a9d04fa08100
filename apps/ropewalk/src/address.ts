/**
 * Addresses of nodes and their text.
 *
 *      mdsftp+tls://HOST[:PORT][?WIRE][#sha256=FINGERPRINT]    mdsftp+tcp://HOST[:PORT][?WIRE]    mdsftp+unix:/PATH[?WIRE]
 *      yamux+tls://HOST[:PORT][?WIRE][#sha256=FINGERPRINT]     yamux+tcp://HOST[:PORT][?WIRE]     yamux+unix:/PATH[?WIRE]
 *
 * With `yamux` each channel says what it speaks, so that one listener serves several protocols. WIRE is `profile=seed`, `peer=upstream`, or both with `&` between them: see `wire.ts`.
 *
 * @module
 */
import { isIPv6 } from 'node:net'
import type { Address } from '@ropewalk/transport-tcp'
import { RopewalkError } from './errors.ts'
import { formatWire, parseWire, type Wire } from './wire.ts'

/** Where a node is, and how to speak with it. */
export type NodeAddress = Address & Wire & {
  /** The storage protocol is one of several on this connection. */
  readonly mux?: 'yamux' | undefined
}

/** The port where an address names none. */
export const DEFAULT_PORT = 7740

/** The node that is meant where none is named: the one on this machine. */
export const DEFAULT_ADDRESS = 'mdsftp+tls://127.0.0.1:7740'

/** Bytes of a unix socket's path. From Linux: `sun_path` holds 108 with its final zero. */
const MAX_PATH_BYTES = 107

const SCHEMES = ['mdsftp+tls://', 'mdsftp+tcp://', 'mdsftp+unix:', 'yamux+tls://', 'yamux+tcp://', 'yamux+unix:'] as const

/** Reads the text of an address. `ERR_ADDRESS` says what is wrong, and its `at` where. */
export function parseAddress (text: string): NodeAddress {
  const scheme = SCHEMES.find(scheme => text.startsWith(scheme))
  if (scheme === undefined) throw wrong(text, 0, `an address begins with ${SCHEMES.join(' or ')}`)
  const unix = scheme.endsWith('unix:')
  const mux = scheme.startsWith('yamux') ? { mux: 'yamux' as const } : {}
  const hash = text.indexOf('#')
  // In a path there may be question marks of its own.
  const question = unix ? text.search(/\?(?:profile|peer)=[^?]*$/) : text.slice(0, hash === -1 ? undefined : hash).indexOf('?')
  const wire = question === -1 ? {} : readWire(text, question + 1, hash === -1 || unix ? text.length : hash)
  if (unix) return { transport: 'unix', path: parsePath(text, scheme.length, question === -1 ? undefined : question), ...wire, ...mux }
  const transport = scheme.endsWith('tls://') ? 'tls' : 'tcp'
  return { ...parseHostAddress(text, scheme.length, transport, DEFAULT_PORT, question === -1 ? undefined : question), ...wire, ...mux }
}

/** Reads what stands behind a scheme, from `start`: HOST, a port until `stop`, and with TLS a fingerprint. */
export function parseHostAddress (text: string, start: number, transport: 'tls' | 'tcp', defaultPort: number = DEFAULT_PORT, stop?: number): Address {
  const hash = text.indexOf('#')
  const end = stop ?? (hash === -1 ? text.length : hash)
  const { host, port = defaultPort } = parseHostPort(text, start, end)

  if (transport === 'tcp') {
    if (hash !== -1) throw wrong(text, hash, 'plain tcp cannot check a fingerprint: use mdsftp+tls://')
    return { transport: 'tcp', host, port }
  }
  return hash === -1 ? { transport: 'tls', host, port } : { transport: 'tls', host, port, fingerprint: parseFingerprint(text, hash) }
}

/** Writes the text that `parseAddress` reads. */
export function formatAddress (address: NodeAddress): string {
  const wire = formatWire(address)
  const scheme = address.mux ?? 'mdsftp'
  if (address.transport === 'unix') return `${scheme}+unix:${address.path}${wire}`
  const fragment = address.transport === 'tls' && address.fingerprint !== undefined ? `#sha256=${address.fingerprint}` : ''
  return `${scheme}+${address.transport}://${formatHostPort(address)}${wire}${fragment}`
}

export function formatHostPort ({ host, port }: { readonly host: string, readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** True where nothing leaves this machine. A name other than `localhost` may resolve to anything. */
export function isLocal (address: Address): boolean {
  return address.transport === 'unix' || isLoopback(address.host.toLowerCase())
}

export function isLoopback (host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function readWire (text: string, start: number, end: number): Wire {
  const wire = parseWire(text.slice(start, end))
  if ('at' in wire) throw wrong(text, start + wire.at, wire.what)
  return wire
}

/** Reads the path of a unix socket, from `start` to `end`. */
export function parsePath (text: string, start: number, end?: number): string {
  const path = text.slice(start, end)
  const bytes = Buffer.byteLength(path)
  if (path.length === 0) throw wrong(text, start, 'no path')
  if (path.startsWith('//')) throw wrong(text, start, `a unix socket has no host: write ${text.slice(0, start)}/path`)
  if (path.includes('\0')) throw wrong(text, start + path.indexOf('\0'), 'a zero byte in the path')
  if (bytes > MAX_PATH_BYTES) throw wrong(text, start, `path of ${bytes} > ${MAX_PATH_BYTES} bytes`)
  return path
}

function parseHostPort (text: string, start: number, end: number): { host: string, port?: number } {
  const bracketed = text[start] === '['
  const close = bracketed ? text.indexOf(']', start) : -1
  if (bracketed && (close === -1 || close >= end)) throw wrong(text, start, '[ without ]')

  const hostEnd = bracketed ? close + 1 : firstOf(text, ':', start, end)
  const host = bracketed ? text.slice(start + 1, close) : text.slice(start, hostEnd)
  if (!bracketed && isIPv6(text.slice(start, end))) throw wrong(text, start, 'an IPv6 address stands in brackets')
  if (host.length === 0) throw wrong(text, start, 'no host')
  if (bracketed && !isIPv6(host)) throw wrong(text, start + 1, 'not an IPv6 address')
  const odd = bracketed ? -1 : host.search(/[^\p{L}\p{N}._-]/u)
  if (odd !== -1) throw wrong(text, start + odd, 'this cannot stand in a host name')

  if (hostEnd === end) return { host }
  if (text[hostEnd] !== ':') throw wrong(text, hostEnd, 'after the host comes :PORT')
  const digits = text.slice(hostEnd + 1, end)
  if (digits.length === 0) throw wrong(text, hostEnd + 1, 'no port after the colon')
  const letter = digits.search(/\D/)
  if (letter !== -1) throw wrong(text, hostEnd + 1 + letter, 'a port is a number')
  if (Number(digits) > 65535) throw wrong(text, hostEnd + 1, `port ${digits} > 65535`)
  return { host, port: Number(digits) }
}

function firstOf (text: string, wanted: string, start: number, end: number): number {
  const found = text.indexOf(wanted, start)
  return found === -1 || found > end ? end : found
}

function parseFingerprint (text: string, hash: number): string {
  if (!text.startsWith('#sha256=', hash)) throw wrong(text, hash, 'after # comes sha256=')
  const start = hash + '#sha256='.length
  const fingerprint = text.slice(start).toLowerCase()
  const odd = fingerprint.search(/[^\da-f]/)
  if (odd !== -1) throw wrong(text, start + odd, 'a fingerprint has only hex digits')
  if (fingerprint.length !== 64) throw wrong(text, start, `a fingerprint has 64 hex digits, not ${fingerprint.length}`)
  return fingerprint
}

function wrong (text: string, at: number, what: string): RopewalkError {
  return new RopewalkError('ERR_ADDRESS', what, { text, at })
}
