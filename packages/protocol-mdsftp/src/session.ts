import type { TransferEvent } from '@ropewalk/interface'
import type { ControlPacket, Id, LockKind, Profile } from '@ropewalk/muxer-mdsftp'
import type { Courtesy } from './courtesy.ts'
import type { Exchange } from './exchange.ts'
import type { StorageNode } from './node.ts'
import type { SenderOptions } from './sender-state.ts'

/** What every channel of a connection is served with. */
export interface Service {
  readonly node: StorageNode
  readonly profile: Profile
  readonly copies: boolean
  /** Who asks, as far as that is known. */
  readonly owner: string
  readonly courtesy: Courtesy | undefined
  readonly fragments: Pick<SenderOptions, 'fragmentBytes' | 'fastFragmentBytes'>
  readonly maxFragments: number
  readonly maxBytes: number
  readonly window: number
  readonly idleMs: number
  readonly progressMs: number
  readonly lockLeaseMs: number
  readonly onEvent: ((event: TransferEvent) => void) | undefined
}

/** One channel while it is served. */
export interface Session {
  readonly exchange: Exchange
  readonly service: Service
  /** A reservation that lives as long as the channel (Reserve without auto-start and temp). */
  tied: Id | undefined
  readonly locks: Array<{ id: Id, kind: LockKind }>
}

/** Sends the answer to a request: ahead of content, and of whatever waited for it. */
export function answer ({ exchange, service: { courtesy } }: Session, packet: ControlPacket): void {
  exchange.send(packet)
  courtesy?.answered(exchange.channel)
}
