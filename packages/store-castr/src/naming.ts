/**
 * Gives chunks their ids, one after the other and without waiting, and writes those that a file lacks to their places in it: for a thread of its own. What is
 * written are the bytes that were hashed.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { writeAtOnce } from '@ropewalk/disk'
import type { ChunkDigest } from '@ropewalk/interface'
import { castrError } from './errors.ts'
import type { IntakeAnswer } from './intake-thread.ts'
import { WantedChunks } from './wanted.ts'

export interface NamingOptions {
  readonly digest: ChunkDigest
  /** An open file of this process, and what it lacks. */
  readonly onto: { readonly file: number, readonly wanted: SharedArrayBuffer } | undefined
}

export class Naming {
  readonly #digest: ChunkDigest
  readonly #file: number
  readonly #wanted: WantedChunks | undefined

  constructor ({ digest, onto }: NamingOptions) {
    this.#digest = digest
    this.#file = onto?.file ?? -1
    this.#wanted = onto === undefined ? undefined : new WantedChunks(onto.wanted)
  }

  /** Of chunks that lie one behind the other. Those that do so in the file too are written in one stroke. */
  name (bytes: Uint8Array, lengths: readonly number[]): IntakeAnswer {
    const ids: string[] = []
    const places: Array<number | undefined> = []
    let at = 0
    let stroke: { readonly at: number, readonly place: number } | undefined
    const write = (): void => {
      if (stroke !== undefined) this.#write(bytes.subarray(stroke.at, at), stroke.place)
      stroke = undefined
    }
    for (const length of lengths) {
      const id = hash(this.#digest, bytes.subarray(at, at + length))
      const place = this.#wanted?.take(id, length)
      if (stroke !== undefined && place !== stroke.place + at - stroke.at) write()
      if (place !== undefined) stroke ??= { at, place }
      ids.push(id)
      places.push(place)
      at += length
    }
    write()
    return { ids, fresh: ids.map(() => false), places }
  }

  #write (bytes: Uint8Array, place: number): void {
    try {
      writeAtOnce(this.#file, bytes, place)
    } catch (error) {
      throw castrError(error, `write at ${place}`)
    }
  }
}
