import type { Uint8ArrayList } from 'uint8arraylist'
import type { AbortOptions } from './channel.ts'

/** What a store knows of one stored object. */
export interface FragmentInfo {
  /** The object's id as 32 lower-case hex digits. */
  readonly id: string
  /** Bytes kept. Of an unfinished object: bytes that a writer may build on. */
  readonly size: number
  readonly committed: boolean
}

/** A half-open range of bytes. */
export interface ByteRange {
  /** First byte. */
  readonly start: number
  /** One past the last byte. */
  readonly end: number
}

/**
 * Where a node keeps the objects ("chunks") that peers upload fragment by fragment. Ids are 32 lower-case hex digits.
 * An object is unfinished until `commit`; only committed objects can be read.
 * No method speaks of paths: an implementation may live on a disk or behind a network.
 */
export interface FragmentStore {
  /**
   * Opens an unfinished object for writing at its end. `offset` is the size that the caller believes it has: 0 discards
   * what may be there, any other number must equal the size kept. At most one writer an object: `ERR_BUSY` for the second.
   */
  write (id: string, offset: number, options?: AbortOptions): Promise<FragmentWriter>
  /** Makes the unfinished object final. When it resolves, the object survives loss of power. Committing a committed object does nothing. */
  commit (id: string, options?: AbortOptions): Promise<void>
  /** Opens a committed object. */
  read (id: string, options?: AbortOptions): Promise<FragmentReader>
  /** `undefined` when the store has no such object. */
  stat (id: string, options?: AbortOptions): Promise<FragmentInfo | undefined>
  /** Removes the object, committed or not; open readers may finish. False when there was none. */
  remove (id: string, options?: AbortOptions): Promise<boolean>
  /** Every object, in no particular order. */
  list (options?: AbortOptions): AsyncIterable<FragmentInfo>
  /** Bytes that may still be written. */
  available (options?: AbortOptions): Promise<number>
  close (): Promise<void>
}

/** Appends to one unfinished object. */
export interface FragmentWriter {
  /** Bytes in the object, those of earlier writers included. */
  readonly size: number
  /** Appends. Resolves when the store has the bytes (not necessarily durable); the array may then be reused. */
  write (bytes: Uint8Array | Uint8ArrayList): Promise<void>
  /** Makes what was written survive loss of power. */
  sync (): Promise<void>
  /** Lets go of the object; it stays unfinished. Idempotent. */
  close (): Promise<void>
}

/** Reads one committed object. */
export interface FragmentReader {
  readonly size: number
  /** Fills `into` from `position`. Resolves to the number of bytes read; fewer than asked only at the end. */
  read (into: Uint8Array, position: number): Promise<number>
  /** Memory that it fills faster than others, for who uses it again and again. Only for what takes arrays that could be resized. */
  memory? (bytes: number): Uint8Array
  /** Idempotent. */
  close (): Promise<void>
}
