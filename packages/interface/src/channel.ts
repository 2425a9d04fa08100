import type { Uint8ArrayList } from 'uint8arraylist'

/** Bytes as they travel between packages: one array, or a list of them that is never joined without need. */
export type Bytes = Uint8Array | Uint8ArrayList

/** Anything that can be iterated for values, at once or with waiting. */
export type Source<T> = AsyncIterable<T> | Iterable<T>

/** What everything that waits takes as its last argument. */
export interface AbortOptions {
  /** Aborting rejects with the signal's reason, and what was begun is cleaned up. */
  signal?: AbortSignal | undefined
}

/** How much is handed over. */
export interface ReceiveOptions extends AbortOptions {
  /** After so many bytes it is enough. Default: all. */
  most?: number | undefined
}

/** One stream of bytes in each direction, each of which can end on its own. */
export interface Channel extends AsyncDisposable {
  /** What the peer sends. Bytes are credited back to the peer when they are taken here, not when they arrive. */
  readonly source: AsyncIterable<Uint8ArrayList>
  /**
   * Instead of reading `source`, where a channel has it: hands the bytes over as they arrive, without waiting. What `take` gets is lent until it returns,
   * and credited then. Resolves at the end of the data, or when it was enough; what comes behind waits for the next reader, of either kind. No other
   * read may be under way. What `take` throws, and an abort of the signal, end the channel.
   */
  receive?: ((take: (bytes: Uint8Array) => void, options?: ReceiveOptions) => Promise<void>) | undefined
  /** Sends `source`, then end-of-data. Resolves once the layer below has taken the last byte. */
  sink (source: Source<Bytes>, options?: AbortOptions): Promise<void>
  /** Ends both directions with `reason`. Idempotent; never throws. */
  abort (reason: Error): void
}
