/**
 * Chunks that an extraction has been given and may need once more: one after another in a file, as they came, and a note of each when it is there.
 *
 * A chunk was verified before it is kept. A killed process loses nothing that the system has taken, so that what is noted is neither fetched nor
 * hashed again; after a start of the system each is hashed before it is believed.
 *
 * @module
 */
import { constants } from 'node:fs'
import { open, readFile, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAll } from '@ropewalk/disk'
import { fromHex, toHex } from '@ropewalk/framing'
import type { Chunk, ChunkDigest, ChunkGetOptions, ChunkId, ChunkStore } from '@ropewalk/interface'
import { nodeCompression, nodeHash } from '@ropewalk/store-castr'
import { bootMark } from './boot.ts'

interface Place {
  readonly position: number
  readonly length: number
  readonly compressed: boolean
  readonly verified: boolean
}

/** A note: the id, where it begins (f64), how long it is (u32), whether it is compressed (u32). */
const NOTE_BYTES = 48

/** Chunks that are kept, some 170 bytes of memory each. Ours: 32 GiB of tree at the usual sizes; what comes after them is fetched once more by whoever is killed. */
const MAX_CHUNKS = 524_288

export class KeptChunks implements ChunkStore, AsyncDisposable {
  readonly #bytes: FileHandle
  readonly #notes: FileHandle
  readonly #places: Map<ChunkId, Place>
  readonly #digest: ChunkDigest
  readonly #compression = nodeCompression()
  readonly #coming = new Set<ChunkId>()
  #end: number

  private constructor (bytes: FileHandle, notes: FileHandle, places: Map<ChunkId, Place>, end: number, digest: ChunkDigest) {
    this.#bytes = bytes
    this.#notes = notes
    this.#places = places
    this.#end = end
    this.#digest = digest
  }

  /** Those that lie in `directory`, where a process that was killed may have left some. */
  static async open (directory: string, digest: ChunkDigest): Promise<KeptChunks> {
    const [bytesPath, notesPath] = [join(directory, 'chunks'), join(directory, 'notes')]
    const head = bootMark()
    const found = await readFile(notesPath).catch(() => Buffer.alloc(0))
    const whole = found.length < head.length ? 0 : found.length - (found.length - head.length) % NOTE_BYTES
    // Without notes nothing that lies there is of use.
    if (whole === 0) await Promise.all([bytesPath, notesPath].map(async path => { await rm(path, { force: true }) }))
    const bytes = await open(bytesPath, constants.O_RDWR | constants.O_CREAT)
    const notes = await open(notesPath, 'a')
    try {
      if (whole === 0) await notes.write(head)
      // Half a note is that of a chunk which nobody was told of.
      else await notes.truncate(whole)
      const { size } = await bytes.stat()
      return new KeptChunks(bytes, notes, parse(found.subarray(head.length, whole), found.subarray(0, head.length).equals(head), size), size, digest)
    } catch (error) {
      await Promise.all([bytes.close(), notes.close()])
      throw error
    }
  }

  get size (): number {
    return this.#places.size
  }

  async has (id: ChunkId): Promise<boolean> {
    return this.#places.has(id)
  }

  async get (id: ChunkId, { length = Infinity, signal }: ChunkGetOptions = {}): Promise<Chunk | undefined> {
    const place = this.#places.get(id)
    if (place === undefined) return undefined
    signal?.throwIfAborted()
    const stored = Buffer.allocUnsafeSlow(place.length)
    const { bytesRead } = await this.#bytes.read(stored, 0, place.length, place.position)
    const bytes = bytesRead < place.length ? undefined : await this.#plain(stored, place, length)
    if (bytes === undefined || (!place.verified && toHex(await nodeHash(this.#digest, bytes)) !== id)) {
      this.#places.delete(id)
      return undefined
    }
    this.#places.set(id, { ...place, verified: true })
    return place.compressed ? { id, bytes, compressed: stored } : { id, bytes }
  }

  /** Takes what was verified. */
  async put ({ id, bytes, compressed }: Chunk): Promise<boolean> {
    if (this.#places.has(id) || this.#coming.has(id) || this.#places.size + this.#coming.size >= MAX_CHUNKS) return false
    this.#coming.add(id)
    try {
      const stored = compressed ?? bytes
      const place = { position: this.#end, length: stored.length, compressed: compressed !== undefined, verified: true }
      this.#end += stored.length
      await writeAll(this.#bytes, [stored], place.position)
      await this.#notes.write(note(id, place))
      this.#places.set(id, place)
      return true
    } finally {
      this.#coming.delete(id)
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await Promise.all([this.#bytes.close(), this.#notes.close()])
  }

  /** `undefined` for what a lost start of the system has left of it. */
  async #plain (stored: Uint8Array, { compressed }: Place, length: number): Promise<Uint8Array | undefined> {
    if (!compressed) return stored.length > length ? undefined : stored
    return await this.#compression.decompress(stored, Math.min(length, MAX_CHUNK_BYTES)).catch(() => undefined)
  }
}

/** From the specification. */
const MAX_CHUNK_BYTES = 128 * 1024 * 1024

function note (id: ChunkId, { position, length, compressed }: Place): Uint8Array {
  const record = Buffer.alloc(NOTE_BYTES)
  record.set(fromHex(id))
  record.writeDoubleLE(position, 32)
  record.writeUInt32LE(length, 40)
  record.writeUInt32LE(compressed ? 1 : 0, 44)
  return record
}

function parse (notes: Buffer, verified: boolean, size: number): Map<ChunkId, Place> {
  const places = new Map<ChunkId, Place>()
  for (let at = 0; at < notes.length; at += NOTE_BYTES) {
    const place = { position: notes.readDoubleLE(at + 32), length: notes.readUInt32LE(at + 40), compressed: notes.readUInt32LE(at + 44) === 1, verified }
    // A system that went down may have left any bytes there.
    if (Number.isSafeInteger(place.position) && place.position >= 0 && place.length <= MAX_CHUNK_BYTES && place.position + place.length <= size) places.set(toHex(notes.subarray(at, at + 32)), place)
  }
  return places
}
