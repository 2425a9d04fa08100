/**
 * Addresses of nodes and their text.
 *
 *      mdsftp+tls://HOST[:PORT][?WIRE][#sha256=FINGERPRINT]    mdsftp+tcp://HOST[:PORT][?WIRE]    mdsftp+unix:/PATH[?WIRE]
 *      yamux+tls://HOST[:PORT][?WIRE][#sha256=FINGERPRINT]     yamux+tcp://HOST[:PORT][?WIRE]     yamux+unix:/PATH[?WIRE]
 *      yamux+wss://HOST[:PORT][/PATH][?WIRE][#sha256=FINGERPRINT]    yamux+ws://HOST[:PORT][/PATH][?WIRE]
 *
 * With `yamux` each channel says what it speaks, so that one listener serves several protocols. The last two are WebSockets, over TLS and over
 * plain tcp. WIRE is `profile=seed`, `peer=upstream`, or both with `&` between them: see `wire.ts`.
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
  /** The bytes are carried by a WebSocket, which is asked for at this path. */
  readonly web?: string | undefined
}

/** The port where an address names none. */
export const DEFAULT_PORT = 7740

/** The node that is meant where none is named: the one on this machine. */
export const DEFAULT_ADDRESS = 'mdsftp+tls://127.0.0.1:7740'

/** Bytes of a unix socket's path. From Linux: `sun_path` holds 108 with its final zero. */
const MAX_PATH_BYTES = 107

/** Characters of the path of a WebSocket. Ours. */
const MAX_WEB_PATH = 1024

interface Scheme {
  readonly transport: Address['transport']
  readonly mux?: 'yamux'
  readonly web?: true
}

/** What an address may begin with: a line each. */
const SCHEMES: Readonly<Record<string, Scheme>> = {
  'mdsftp+tls://': { transport: 'tls' },
  'mdsftp+tcp://': { transport: 'tcp' },
  'mdsftp+unix:': { transport: 'unix' },
  'yamux+tls://': { transport: 'tls', mux: 'yamux' },
  'yamux+tcp://': { transport: 'tcp', mux: 'yamux' },
  'yamux+unix:': { transport: 'unix', mux: 'yamux' },
  'yamux+wss://': { transport: 'tls', mux: 'yamux', web: true },
  'yamux+ws://': { transport: 'tcp', mux: 'yamux', web: true }
}

/** What the addresses of nodes begin with. */
export const NODE_SCHEMES: readonly string[] = Object.keys(SCHEMES)

/** Reads the text of an address. `ERR_ADDRESS` says what is wrong, and its `at` where. */
export function parseAddress (text: string): NodeAddress {
  const scheme = NODE_SCHEMES.find(scheme => text.startsWith(scheme))
  if (scheme === undefined) throw wrong(text, 0, `an address begins with ${NODE_SCHEMES.join(' or ')}`)
  const { transport, web, ...mux } = SCHEMES[scheme] as Scheme
  const unix = transport === 'unix'
  const hash = text.indexOf('#')
  // In a path there may be question marks of its own.
  const question = unix ? text.search(/\?(?:profile|peer)=[^?]*$/) : text.slice(0, hash === -1 ? undefined : hash).indexOf('?')
  const wire = question === -1 ? {} : readWire(text, question + 1, hash === -1 || unix ? text.length : hash)
  if (unix) return { transport: 'unix', path: parsePath(text, scheme.length, question === -1 ? undefined : question), ...wire, ...mux }
  const stop = question === -1 ? hash === -1 ? text.length : hash : question
  const slash = web === undefined ? -1 : text.indexOf('/', scheme.length)
  const path = slash === -1 || slash >= stop ? undefined : slash
  const address = parseHostAddress(text, scheme.length, transport, DEFAULT_PORT, path ?? stop)
  return { ...address, ...wire, ...mux, ...web === undefined ? {} : { web: path === undefined ? '/' : parseWebPath(text, path, stop) } }
}

/** Reads what stands behind a scheme, from `start`: HOST, a port until `stop`, and with TLS a fingerprint. */
export function parseHostAddress (text: string, start: number, transport: 'tls' | 'tcp', defaultPort: number = DEFAULT_PORT, stop?: number): Address {
  const hash = text.indexOf('#')
  const end = stop ?? (hash === -1 ? text.length : hash)
  const { host, port = defaultPort } = parseHostPort(text, start, end)

  if (transport === 'tcp') {
    if (hash !== -1) throw wrong(text, hash, `plain tcp cannot check a fingerprint: use ${encrypted(text)}`)
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
  if (address.web !== undefined) return `${scheme}+${address.transport === 'tls' ? 'wss' : 'ws'}://${formatHostPort(address)}${address.web === '/' ? '' : address.web}${wire}${fragment}`
  return `${scheme}+${address.transport}://${formatHostPort(address)}${wire}${fragment}`
}

/** The scheme to use instead of that of a plain address, for people. */
export function encrypted (text: string): string {
  return text.startsWith('yamux+ws:') ? 'yamux+wss://' : text.startsWith('yamux+') ? 'yamux+tls://' : 'mdsftp+tls://'
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

/** Reads the path of a WebSocket, which must be as it goes over the wire. */
function parseWebPath (text: string, start: number, end: number): string {
  const path = text.slice(start, end)
  if (path.length > MAX_WEB_PATH) throw wrong(text, start, `path of ${path.length} > ${MAX_WEB_PATH} characters`)
  if (URL.parse(`ws://host${path}`)?.pathname !== path) throw wrong(text, start, 'a path as it goes over the wire has no dots for folders, and % for what is not a letter')
  return path
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
