/**
 * What follows a download: the bytes of entries of an offer, as they are read.
 *
 * @module
 */
import { READ_BYTES, SENT_BYTES } from './constants.ts'
import { WarpdriveError } from './errors.ts'
import type { FileSource, OfferedFile, ReadOptions } from './ports.ts'

export interface Sending {
  readonly files: FileSource
  readonly sources: readonly OfferedFile[]
  /** Rejects once the offer is withdrawn. */
  withdrawn (): Promise<never> | undefined
  /** So many bytes of an entry were read. */
  progress (index: number, bytes: number): void
  /** An entry could not be read whole. */
  fail (index: number, error: unknown): void
}

/** One entry from `start` on; nothing of what has no content. */
export async function * sendEntry ({ files, sources, withdrawn, progress, fail }: Sending, index: number, start: number, options: ReadOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const file = sources[index]
  if (file === undefined || file.isDir || file.link !== undefined) return
  try {
    let sent = start
    if (start < file.size) {
      for await (const bytes of files.read(file.source, start, file.size, options)) {
        const over = withdrawn()
        if (over !== undefined) await over
        sent += bytes.length
        yield bytes
      }
      if (sent !== file.size) throw changed(sent, file.size)
    }
    progress(index, Math.min(sent, file.size))
  } catch (error) {
    fail(index, error)
    throw error
  }
}

/** Several entries, each whole and behind a 00. Small ones come in pieces that have many of them. */
export async function * sendEntries (sending: Sending, indices: readonly number[], pieces: Pieces, options: ReadOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const { files, sources, withdrawn, progress, fail } = sending
  const whole = files.whole?.bind(files)
  let piece = pieces.next()
  let filled = 0
  const cut = (): Uint8Array => {
    const full = piece.subarray(0, filled)
    pieces.taken(filled)
    filled = 0
    return full
  }
  for (const index of indices) {
    const over = withdrawn()
    if (over !== undefined) await over
    const file = sources[index]
    const small = whole !== undefined && file !== undefined && !file.isDir && file.link === undefined && file.size < SENT_BYTES
    if (filled > 0 && (!small || filled + 1 + file.size > SENT_BYTES)) {
      yield cut()
      piece = pieces.next()
    }
    if (!small) {
      if (file === undefined || file.isDir || file.link !== undefined) throw new WarpdriveError('ERR_BAD_VALUE', `entry ${index} has no content`)
      yield Uint8Array.of(0)
      yield * sendEntry(sending, index, 0, options)
      continue
    }
    try {
      // Of a file without bytes nothing is read.
      const read = file.size === 0 ? 0 : whole(file.source, piece.subarray(filled + 1, filled + 1 + file.size))
      const bytes = typeof read === 'number' ? read : await read
      if (bytes !== file.size) throw changed(bytes, file.size)
      options.signal?.throwIfAborted()
    } catch (error) {
      fail(index, error)
      // Its 00, behind which too little follows: those before it are whole, and so may be those behind it when they are asked for again.
      piece[filled++] = 0
      yield cut()
      throw error
    }
    piece[filled] = 0
    filled += 1 + file.size
    progress(index, file.size)
  }
  if (filled > 0) yield cut()
}

function changed (bytes: number, size: number): WarpdriveError {
  return new WarpdriveError('ERR_INCOMPLETE', `the file has changed: ${bytes} != ${size} bytes`, { remote: false, scope: 'transfer' })
}

/** Memory for the pieces of one session. It is used again where it is known how many of the bytes that came last are still in use. */
export class Pieces {
  readonly #ring: Ring | undefined

  constructor (heldBytes: number | undefined) {
    // Besides: what is left over at the end, and what is about to be written.
    this.#ring = heldBytes === undefined ? undefined : new Ring(heldBytes + 3 * SENT_BYTES)
  }

  /** Room for the next piece: `SENT_BYTES`, of which `taken` says how many it needed. */
  next (): Uint8Array {
    return this.#ring?.room(SENT_BYTES) ?? new Uint8Array(SENT_BYTES)
  }

  taken (bytes: number): void {
    this.#ring?.taken(bytes)
  }
}

/** Memory for what is read of the files of one session, of which the last `heldBytes` bytes that were given are in use, and the last array. */
export class ReadRing {
  readonly #ring: Ring

  constructor (heldBytes: number) {
    // Besides: what is read ahead, what is left over at the end, an array that was not filled or not given, and what is asked for.
    this.#ring = new Ring(heldBytes + 5 * READ_BYTES)
  }

  take (bytes: number): Uint8Array {
    if (bytes > READ_BYTES) throw new RangeError(`${bytes} > ${READ_BYTES} bytes at a time`)
    const room = this.#ring.room(bytes)
    this.#ring.taken(bytes)
    return room
  }
}

/** Gives one part of its memory behind the other, and begins anew where too little is left. */
class Ring {
  readonly #bytes: number
  #memory: Uint8Array | undefined
  #at = 0

  constructor (bytes: number) {
    this.#bytes = bytes
  }

  room (bytes: number): Uint8Array {
    this.#memory ??= new Uint8Array(this.#bytes)
    if (this.#at + bytes > this.#bytes) this.#at = 0
    return this.#memory.subarray(this.#at, this.#at + bytes)
  }

  taken (bytes: number): void {
    this.#at += bytes
  }
}
