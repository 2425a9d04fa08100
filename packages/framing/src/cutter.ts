/** A value that was cut out of a stream. */
export interface Cut {
  readonly value: Uint8Array
  /** Where in the chunk the value ended: what follows belongs to the next one. */
  readonly end: number
}

/** Cuts values out of a byte stream, however it is chunked. `ByteReader.next` takes one, and so may you bring your own. */
export interface Cutter {
  /**
   * Takes in `chunk` from `start` on, up to the end of the first value that it completes. `undefined` when there is none: then all of it was taken in.
   * What has to be kept is copied; a value that lies in one chunk is a view of it.
   */
  cut (chunk: Uint8Array, start: number): Cut | undefined
  /** The stream has ended. Returns the last value where only the end completes it; throws if it ended inside one. */
  end (): Uint8Array | undefined
}
