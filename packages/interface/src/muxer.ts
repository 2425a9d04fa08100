import type { AbortOptions, Channel } from './channel.ts'

/** Many channels over one connection. Iterate it for the channels that the peer opens. */
export interface Muxer extends AsyncIterable<Channel> {
  /** Opens a channel. It may resolve before the peer has agreed: not every wire acknowledges an open. */
  open (options?: AbortOptions): Promise<Channel>
  /** Refuses new channels, lets the open ones finish, then ends the connection. */
  close (options?: AbortOptions): Promise<void>
  /** Ends every channel and the connection with `reason`. Idempotent; never throws. */
  abort (reason: Error): void
}
