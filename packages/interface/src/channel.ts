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

/** One stream of bytes in each direction, each of which can end on its own. */
export interface Channel extends AsyncDisposable {
  /** What the peer sends. Bytes are credited back to the peer when they are taken here, not when they arrive. */
  readonly source: AsyncIterable<Uint8ArrayList>
  /** Sends `source`, then end-of-data. Resolves once the layer below has taken the last byte. */
  sink (source: Source<Bytes>, options?: AbortOptions): Promise<void>
  /** Ends both directions with `reason`. Idempotent; never throws. */
  abort (reason: Error): void
}
