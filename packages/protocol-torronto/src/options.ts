/** How a peer is set up. Types only. */
import type { Dial, Hasher, Listen } from '@ropewalk/interface'
import type { Clock } from './clock.ts'
import type { SwarmEvent } from './facts.ts'
import type { SwarmKey } from './membership.ts'
import type { PeerAddress, ProfileName } from './message.ts'
import type { SwarmStore } from './store.ts'

export interface SwarmOptions {
  /** Who we are, spelled as in everybody's list. */
  self: PeerAddress
  /** Everybody; ourselves among them is fine. */
  peers: readonly PeerAddress[]
  dial: Dial<PeerAddress>
  listen: Listen<PeerAddress>
  store: SwarmStore
  /** SHA-256. Without it chunks are neither named by hashes nor checked. */
  hasher?: Hasher | undefined
  /** What peers speak until they say more. Default `as-implemented`. */
  profile?: ProfileName | undefined
  firstNumber?: 'size' | 'count' | undefined
  /** What all members know: whoever cannot prove it is neither heard nor told anything. Only with `profile: 'hardened'`. */
  key?: SwarmKey | undefined
  clock?: Clock | undefined
  /** Values from 0 to 1; which of equally rare chunks comes first. Default `Math.random`. */
  random?: (() => number) | undefined
  extension?: boolean | undefined
  checkCopies?: boolean | undefined
  shareFragile?: boolean | undefined
  acceptPushes?: boolean | undefined
  maxFiles?: number | undefined
  /** Whether an interface message may come from this address. Default: nobody's (rule R8). */
  allowInterface?: ((remote: string) => boolean) | undefined
  /** Opens a file for an interface's Insert; it must refuse what is outside its root. Without it: code 5. */
  openInsert?: ((path: string) => Promise<AsyncIterable<Uint8Array> | undefined>) | undefined
  /** Answer an interface's Query, which originals only print. Always so in the documented profile. */
  reportToRequester?: boolean | undefined
  onEvent?: ((event: SwarmEvent) => void) | undefined
  signal?: AbortSignal | undefined
}
