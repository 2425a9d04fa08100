/**
 * Hears at once what happens to a channel, for adapters to event-driven APIs: no promise, no queue in between.
 * Its methods are called while the connection is read or written; they must not throw.
 */
export interface ChannelObserver {
  /** Bytes wait: `read` takes them, now or later. */
  readable (): void
  /** The peer has ended its direction: what waits now is the rest. */
  ended (): void
  /** Part of what `write` left waiting has been written: `waiting` says how much is left. */
  writable (): void
  /** Everything has been written, and the end of data behind it. */
  finished (): void
  /** The channel is over before its end, by whoever. What arrived before a reset of the peer may still be read. */
  failed (error: Error): void
}
