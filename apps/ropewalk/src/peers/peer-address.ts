/**
 * Where a peer listens: `HOST[:PORT][#sha256=FINGERPRINT]`; or the address of a node that speaks several protocols over TLS, `yamux+tls://…` or `yamux+wss://…`.
 *
 * @module
 */
import { isIP } from 'node:net'
import { parseAddress, type TlsAddress } from '@ropewalk/transport-tcp'
import { formatAddress, formatHostPort, parseAddress as parseNodeAddress, type NodeAddress } from '../address.ts'
import { messageOf, RopewalkError } from '../errors.ts'

/** With `mux`, of a node that speaks more than this. */
export type PeerAddress = TlsAddress & Pick<NodeAddress, 'mux' | 'web'>

/** Where an address names none. */
export const PEER_PORT = 7741

/** Reads an address; `ERR_ADDRESS` otherwise. */
export function parsePeerAddress (text: string): PeerAddress {
  if (text.startsWith('yamux+')) {
    const address = parseNodeAddress(text)
    if (address.transport === 'tls') return address
    throw new RopewalkError('ERR_ADDRESS', 'peers know each other by their keys, which TLS alone shows: yamux+tls:// or yamux+wss://', { text })
  }
  const [place = '', ...rest] = text.split('#')
  const bare = isIP(place) === 6 ? `[${place}]` : place
  const whole = /:\d+$/.test(bare) && !bare.endsWith(']') ? bare : `${bare}:${PEER_PORT}`
  try {
    const address = parseAddress(`tls://${[whole, ...rest].join('#')}`)
    if (address.transport === 'tls') return address
  } catch (error) {
    throw new RopewalkError('ERR_ADDRESS', `a peer's address is HOST or HOST:PORT: ${messageOf(error)}`, { text })
  }
  throw new RopewalkError('ERR_ADDRESS', 'a peer\'s address is HOST or HOST:PORT', { text })
}

/** `HOST:PORT`, or the address of a node without its key. */
export function formatPeerAddress (address: PeerAddress): string {
  return address.mux === undefined ? formatHostPort(address) : formatAddress({ ...address, fingerprint: undefined })
}
