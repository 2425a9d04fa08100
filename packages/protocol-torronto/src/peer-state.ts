/** What is known of one peer. Pure data. */
import type { PeerAddress, ProfileName } from './message.ts'

export interface PeerState {
  readonly key: string
  readonly address: PeerAddress
  presence: 'unknown' | 'connected' | 'disconnected'
  speaks: ProfileName
  /** Gave bytes that are not what their hash says: not asked any more. */
  avoided: boolean
  /** Chunks asked for and not here yet. */
  asked: number
  /** Chunks ever asked for: load is spread by it. */
  total: number
  /** When it was last sent our list. */
  greetedAt: number
  /** Chunks came since then, and it was not there to be told of them. */
  untold: boolean
  /** What it holds is not known: it did not give what it had announced, or a connection to it failed. It is asked for its list. */
  doubted: boolean
  /** Announcements that wait for the answer to the one before (rule T8). */
  readonly announcements: Array<{ readonly name: string, readonly index: number }>
  announced: { readonly name: string, readonly index: number, readonly at: number } | undefined
}
