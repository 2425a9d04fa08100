/**
 * What a node is doing, as data: plain objects, fit for JSON, that nobody changes once they were given out.
 *
 * Names are chosen by others: escape them before they are shown. Times are in milliseconds since 1970.
 *
 * @module
 */

/** How a transfer stands. The last two are for good. */
export type TransferState = 'running' | 'waiting' | 'done' | 'failed'

/** One file, object or chunk store on its way. */
export interface TransferActivity {
  /** Names the transfer, also after a restart of the node. */
  readonly id: string
  /** `mdsftp`, `ipc`, `warpdrive`, `casync`, `torronto`. */
  readonly protocol: string
  /** As this node sees it. */
  readonly direction: 'in' | 'out'
  /** Who is at the other end, for people: a name, an address, a key; undefined where the protocol does not tell. */
  readonly peer: string | undefined
  readonly name: string
  /** The id of the object, as commands take it, where it is one; only where people are told. */
  readonly object?: string | undefined
  /** What it is part of: the id of an offer, for `warpdrive`. */
  readonly group: string | undefined
  /** Undefined where nobody knows it. */
  readonly size: number | undefined
  readonly bytes: number
  readonly state: TransferState
  /** While it waits: for what (`the peer's window`), and since when. */
  readonly waitsFor: string | undefined
  readonly waitsSince: number | undefined
  readonly startedAt: number
  /** When bytes were last moved, or its state last changed. */
  readonly changedAt: number
  readonly endedAt: number | undefined
  readonly error: { readonly code: string, readonly message: string } | undefined
}

/** One channel of a connection, as far as its muxer tells. */
export interface ChannelActivity {
  readonly id: number
  /** Bytes that we may still send before the peer has to give credit. */
  readonly sendRoom: number | undefined
  /** Bytes that arrived and that nobody here has taken: the peer gets no credit for them. */
  readonly unread: number | undefined
  /** Bytes of ours that wait to be written. */
  readonly waiting: number | undefined
}

export interface ConnectionActivity {
  readonly id: string
  readonly protocol: string
  /** `mdsftp`, `yamux`; undefined where the connection is its only channel. */
  readonly muxer: string | undefined
  /** Where the peer is: `192.0.2.7:50412`. */
  readonly address: string
  /** Of the peer's key, where the transport has authenticated it. */
  readonly fingerprint: string | undefined
  readonly openedAt: number
  /** When something was last received. */
  readonly heardAt: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** How many channels are open; undefined where that is not known. */
  readonly open: number | undefined
  /** At most 256 of them; empty where the muxer tells nothing of single ones. */
  readonly channels: readonly ChannelActivity[]
}

/** Everything that the board holds, the newest last. */
export interface Activity {
  readonly transfers: readonly TransferActivity[]
  readonly connections: readonly ConnectionActivity[]
}

/**
 * What has become of one thing since it was last told. A reader that does not keep up misses steps in between, never the last one;
 * `lost` says that it has missed whole things, and should `list` anew.
 */
export type ActivityChange =
  | { readonly change: 'transfer', readonly transfer: TransferActivity }
  | { readonly change: 'connected', readonly connection: ConnectionActivity }
  | { readonly change: 'disconnected', readonly connection: ConnectionActivity }
  | { readonly change: 'lost' }
