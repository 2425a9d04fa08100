import type { Clock } from './clock.ts'
import type { FileSource, Inbox, Query, Sha256, StateStore, StoredOffer } from './ports.ts'
import type { Profile } from './profile-codec.ts'
import type { SessionOptions } from './session.ts'

export interface NodeOptions extends Pick<SessionOptions, 'replyMs' | 'maxJsonBytes' | 'maxEntries'> {
  /** Who we are, as peers see it: 66 hex digits between the original's nodes, the fingerprint of our key between ours. */
  identity: string
  query: Query
  files: FileSource
  inbox: Inbox
  sha256: Sha256
  /** Default: in memory. */
  state?: StateStore | undefined
  profile?: Profile | undefined
  clock?: Clock | undefined
  randomId?: (() => string) | undefined
  /** Tell peers SHA-256 and time of change, which the original ignores. Reads every file once when it is offered. Default true. */
  extended?: boolean | undefined
  /** Offer symbolic links, and take offers with them. Default false. */
  symlinks?: boolean | undefined
  /** Accept by itself what comes from peers of `trust`. Default true, as the original means to. */
  autoAccept?: boolean | undefined
  /** A peer has made this offer, perhaps again: then its status says what became of it before. */
  onOffered?: ((offer: StoredOffer) => void) | undefined
  /** A peer has taken back an offer that had not arrived. */
  onWithdrawn?: ((offer: StoredOffer) => void) | undefined
  /** Files downloaded at a time from our own peers. Default 4. */
  parallel?: number | undefined
  maxPeerOffers?: number | undefined
  maxPeerSessions?: number | undefined
  progressMs?: number | undefined
}
