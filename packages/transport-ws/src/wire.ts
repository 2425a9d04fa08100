import type { TransportError } from './errors.ts'

/** What a connection needs of a WebSocket that is open: what the platforms agree on, and an answer to what they do not. */
export interface Wire {
  /** Both ends speak `ropewalk.1`: an empty message is the end of a direction. */
  readonly halfClose: boolean
  /** `pause` works. Where it does not, what comes is bounded by ending the connection. */
  readonly pausable: boolean
  /** Bytes handed over and not yet with the kernel. */
  readonly bufferedBytes: number
  /** Tells `events` from now on. Called once, before anything could have come. */
  start (events: WireEvents): void
  send (message: Uint8Array): void
  /** Resolves once at most `bytes` are buffered, or when the WebSocket is gone. */
  drained (bytes: number): Promise<void>
  /** Resolves after the event loop has turned. */
  turn (): Promise<void>
  pause (): void
  resume (): void
  /** Begins the closing handshake, behind everything that was sent. */
  close (code: number, reason: string): void
  /** Drops the connection, or where the platform cannot, forgets it. `closed` follows. */
  terminate (): void
}

export interface WireEvents {
  /** A binary message, ours to keep. */
  message (bytes: Uint8Array): void
  text (): void
  /** Told before `closed`, where the platform says what was wrong. */
  failed (error: TransportError): void
  /** The WebSocket is gone. Called once. */
  closed (code: number, reason: string): void
}
