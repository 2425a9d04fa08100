import type { AbortOptions } from '@ropewalk/interface'
import type { LocalFile, PartialFile } from './facts.ts'

/** Where a peer keeps its files. Chunk `index` is bytes `index * 65536` on. */
export interface SwarmStore {
  /** The files that lie here whole. */
  list (options?: AbortOptions): AsyncIterable<LocalFile>
  /** A chunk of a whole file, or of one that is being filled. */
  read (name: string, index: number, options?: AbortOptions): Promise<Uint8Array | undefined>
  /** Into a temporary file: nothing shows under the name before `finish`. */
  write (name: string, index: number, bytes: Uint8Array, options?: AbortOptions): Promise<void>
  /** Sets the length, and gives the file its name at once. */
  finish (name: string, size: number, options?: AbortOptions): Promise<void>
  /** Forgets what was written and not finished. */
  discard (name: string): Promise<void>
  /** Keeps what is known of a file beside what is written of it, so that it goes on after a restart. Called before its first `write`. */
  describe? (file: PartialFile, options?: AbortOptions): Promise<void>
  /** Files that were described, and not finished or discarded. What is written of them is hashed before it counts. */
  partial? (options?: AbortOptions): AsyncIterable<PartialFile>
  /** Keeps bytes that two holders disagree about, for a person to look at. */
  aside? (name: string, index: number, from: string, bytes: Uint8Array): Promise<void>
}
