/**
 * Where uploads with a token go, and the text of it.
 *
 *      unix:/PATH    seqpacket:/PATH    ipc+tls://HOST[:PORT][#sha256=FINGERPRINT]    ipc+unix:/PATH
 *
 * and every address of a node with `yamux`: what is spoken on a channel is the same there.
 *
 * @module
 */
import type { SeqpacketAddress } from '@ropewalk/transport-seqpacket'
import { encrypted, formatAddress, formatHostPort, isLocal, parseAddress, parseHostAddress, parsePath, type NodeAddress } from './address.ts'
import { RopewalkError } from './errors.ts'

/** The port where an address names none. */
export const DEFAULT_UPLOAD_PORT = 7741

/** By what a channel of a muxed connection is asked to speak it. Ours. */
export const UPLOAD_PROTOCOL = '/ropewalk/ipc-upload/1'

export type UploadAddress = NodeAddress | SeqpacketAddress

const SCHEMES = ['unix:', 'ipc+unix:', 'seqpacket:', 'ipc+tls://'] as const

/** Reads the text of an address; a bare path is that of a unix socket. `ERR_ADDRESS` says what is wrong. */
export function parseUploadAddress (text: string): UploadAddress {
  if (text.startsWith('/') || text.startsWith('./')) return { transport: 'unix', path: parsePath(text, 0) }
  if (text.startsWith('yamux+')) return parseAddress(text)
  const scheme = SCHEMES.find(scheme => text.startsWith(scheme))
  switch (scheme) {
    case 'unix:':
    case 'ipc+unix:': return { transport: 'unix', path: parsePath(text, scheme.length) }
    case 'seqpacket:': return { transport: 'seqpacket', path: parsePath(text, scheme.length) }
    case 'ipc+tls://': return parseHostAddress(text, scheme.length, 'tls', DEFAULT_UPLOAD_PORT)
    default: throw new RopewalkError('ERR_ADDRESS', `an address for uploads begins with ${SCHEMES.join(' or ')} or yamux+`, { text, at: 0 })
  }
}

/** The same for a client, who shows a token there: without encryption only on this machine. */
export function parseUploadTarget (text: string): UploadAddress {
  const address = parseUploadAddress(text)
  if (address.transport === 'tcp' && !isLocal(address)) throw new RopewalkError('ERR_USAGE', 'without encryption everybody on the way can read the token', { text, advice: [`Use ${encrypted(text)}.`] })
  return address
}

/** Writes the text that `parseUploadAddress` reads. */
export function formatUploadAddress (address: UploadAddress): string {
  if ('mux' in address) return formatAddress(address)
  if (address.transport === 'unix' || address.transport === 'seqpacket') return `${address.transport}:${address.path}`
  const fragment = address.transport === 'tls' && address.fingerprint !== undefined ? `#sha256=${address.fingerprint}` : ''
  return `ipc+${address.transport}://${formatHostPort(address)}${fragment}`
}
