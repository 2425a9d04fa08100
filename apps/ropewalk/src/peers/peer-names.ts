/**
 * Which peer or offer a person means.
 *
 * @module
 */
import type { Peer, StoredOffer } from '@ropewalk/protocol-warpdrive'
import { escapeName } from '@ropewalk/receive'
import { RopewalkError } from '../errors.ts'
import { isOver } from './offer-line.ts'
import { parsePeerAddress } from './peer-address.ts'

/** Digits of a fingerprint, or of an offer's id, that are enough where only one begins with them. Ours. */
const ENOUGH_DIGITS = 4

/** The fingerprint of the peer with this name, fingerprint, beginning of one, or address with a fingerprint. */
export function findPeer (peers: readonly Peer[], text: string): string {
  const named = peers.filter(({ alias }) => alias === text)
  if (named.length === 1) return (named[0] as Peer).id
  if (named.length > 1) throw new RopewalkError('ERR_USAGE', `${named.length} peers have that name: say which by its key`, { text, advice: named.map(({ id }) => `sha256=${id}`) })
  const digits = text.toLowerCase().replace(/^sha256=/, '')
  if (/^[\da-f]{64}$/.test(digits)) return digits
  const begun = /^[\da-f]+$/.test(digits) && digits.length >= ENOUGH_DIGITS ? peers.filter(({ id }) => id.startsWith(digits)) : []
  if (begun.length === 1) return (begun[0] as Peer).id
  if (text.includes('#')) {
    const { fingerprint } = parsePeerAddress(text)
    if (fingerprint !== undefined) return fingerprint
  }
  throw noPeer(text)
}

export function noPeer (text: string): RopewalkError {
  return new RopewalkError('ERR_NOT_FOUND', 'there is no such peer', {
    text,
    advice: ['"ropewalk peers" lists those there are, and "ropewalk pair" makes one of another machine.']
  })
}

/** The offer with this id, beginning of one, or the only one that waits from the peer of this name; with `toPeer` the only one to him that is not over. */
export function findOffer (offers: readonly StoredOffer[], peers: readonly Peer[], text: string, toPeer: boolean = false): StoredOffer {
  const exact = offers.find(({ id }) => id === text)
  if (exact !== undefined) return exact
  const begun = text.length >= ENOUGH_DIGITS ? offers.filter(({ id }) => id.startsWith(text.toLowerCase())) : []
  if (begun.length === 1) return begun[0] as StoredOffer
  const named = new Set(peers.filter(({ alias }) => alias === text).map(({ id }) => id))
  const waiting = offers.filter(({ peer, incoming, status }) => named.has(peer) && (toPeer ? !incoming && !isOver({ status }) : incoming && status === 'awaiting'))
  if (waiting.length === 1) return waiting[0] as StoredOffer
  const several = begun.length > 1 ? begun : waiting
  if (several.length > 1) throw new RopewalkError('ERR_USAGE', `${several.length} offers could be meant: say which by its id`, { text, advice: several.map(offer => `${offer.id}  ${firstOf(offer)}`.trimEnd()) })
  throw new RopewalkError('ERR_NOT_FOUND', 'there is no such offer', { text, advice: ['"ropewalk offers" lists those there are.'] })
}

/** By what a person knows it: the first of its names. */
function firstOf ({ incoming, files: [first] }: StoredOffer): string {
  return escapeName((incoming ? first?.uri : first?.path)?.split('/')[0] ?? '', 60)
}
