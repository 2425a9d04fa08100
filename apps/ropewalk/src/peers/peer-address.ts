/**
 * Where a peer listens: `HOST[:PORT][#sha256=FINGERPRINT]`.
 *
 * @module
 */
import { isIP } from 'node:net'
import { parseAddress, type TlsAddress } from '@ropewalk/transport-tcp'
import { formatHostPort } from '../address.ts'
import { messageOf, RopewalkError } from '../errors.ts'

/** Where an address names none. */
export const PEER_PORT = 7741

/** Reads an address; `ERR_ADDRESS` otherwise. */
export function parsePeerAddress (text: string): TlsAddress {
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

/** `HOST:PORT`. */
export function formatPeerAddress (address: TlsAddress): string {
  return formatHostPort(address)
}
