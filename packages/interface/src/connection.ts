import type { AbortOptions, Channel } from './channel.ts'

/** Who is at the other end of a connection, as far as the transport can tell. */
export interface RemoteInfo {
  /** Where the peer is, for people: `127.0.0.1:7740`, `unix:/run/node.sock`, `memory`. */
  readonly address: string
  /** SHA-256 of the peer's public key (SubjectPublicKeyInfo, DER) as 64 lower-case hex digits, where the transport authenticates. */
  readonly fingerprint?: string | undefined
}

/** A Channel that knows who is at the other end. */
export interface Connection extends Channel {
  readonly remote: RemoteInfo
  /**
   * Optional fast lane: instead of iterating `source`, have the bytes handed over synchronously as they arrive.
   * Call it at most once, and before `source` is iterated.
   */
  attach? (receiver: ByteReceiver): ByteFlow
  /** True where `sink` asks for the next item only once nothing looks at the one before any more: its memory may then be used again. */
  readonly releases?: boolean
}

/** Takes bytes synchronously. Its methods must not throw. */
export interface ByteReceiver {
  /** `bytes` is lent, it may be overwritten as soon as the call returns, unless `lent` is false: then it is the receiver's to keep. */
  bytes (bytes: Uint8Array, lent?: boolean): void
  /** True while the receiver keeps most of what comes: a transport that can then reads into memory that it gives away, which spares a copy. */
  readonly keeps?: boolean
  /** The peer has ended its direction (no argument), or the connection is gone. Called once. */
  end (error?: Error): void
}

/** Stops and restarts the flow towards a ByteReceiver. */
export interface ByteFlow {
  pause (): void
  resume (): void
}

/** Opens connections of one transport. */
export type Dial<Address> = (address: Address, options?: AbortOptions) => Promise<Connection>

/** Accepts connections until it is closed; iterate it for them. */
export interface Listener<Address> extends AsyncIterable<Connection>, AsyncDisposable {
  /** Where it listens, with the port that the system chose. */
  readonly address: Address
  /** Stops accepting. Connections already accepted live on. */
  close (): Promise<void>
}

/** Opens a listener of one transport. */
export type Listen<Address> = (address: Address, options?: AbortOptions) => Promise<Listener<Address>>
