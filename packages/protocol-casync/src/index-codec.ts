/**
 * The index of a blob or an archive (.caibx, .caidx): what chunks it is made of. Pure.
 *
 *      48            16            40 x items                  40
 *      +-------------+-------------+---------------------- - - +------+
 *      | header      | table head  | end u64, id 32 bytes      | tail |
 *      +-------------+-------------+---------------------- - - +------+
 *
 * Everything little-endian. The words and their checks: `../WIRE.md`.
 *
 * @module
 */
import { ByteQueue, fromHex, readU32LE, readU64LE, toHex, writeU64LE } from '@ropewalk/framing'
import type { ChunkDigest, ChunkId } from '@ropewalk/interface'
import { assertChunkSizes, DEFAULT_CHUNK_SIZES, type ChunkSizes } from './chunk-sizes.ts'
import {
  BLOB_FEATURES, CHUNK_ID_BYTES, FEATURE_SHA512_256, INDEX_HEAD_BYTES, INDEX_HEADER_BYTES, INDEX_ITEM_BYTES, INDEX_MAGIC, MAX_CHUNK_BYTES,
  MAX_INDEX_BYTES, TABLE_HEAD_BYTES, TABLE_MAGIC, TABLE_TAIL_MAGIC, UNKNOWN_SIZE
} from './constants.ts'
import { CasyncError } from './errors.ts'

export interface IndexHeader {
  /** What the archive records, and the digest. */
  readonly features: bigint
  readonly digest: ChunkDigest
  readonly sizes: ChunkSizes
}

/** One chunk of the blob. */
export interface IndexItem {
  readonly id: ChunkId
  /** Where the chunk begins in the blob. */
  readonly start: number
  /** One past its last byte. */
  readonly end: number
}

export interface IndexOptions {
  /** Default 16, 64 and 256 KiB. */
  sizes?: ChunkSizes | undefined
  /** Default SHA-512/256. */
  digest?: ChunkDigest | undefined
  /** What the archive records; the bit of the digest is put in. Default: what casync writes for a blob. */
  features?: bigint | undefined
}

export interface IndexLimits {
  /** Most bytes of the whole index. Default 1 GiB. */
  maxBytes?: number | undefined
}

/** The digest that `features` say. */
export function digestOf (features: bigint): ChunkDigest {
  return (features & FEATURE_SHA512_256) === 0n ? 'sha256' : 'sha512-256'
}

/** Size of an index of `items` chunks. */
export function indexBytes (items: number): number {
  return INDEX_HEAD_BYTES + INDEX_ITEM_BYTES * (items + 1)
}

/** Writes an index, part by part: `head` once, `item` for each chunk in order, `tail` once. */
export class IndexEncoder {
  readonly header: IndexHeader
  #items = 0
  #end = 0

  constructor (options: IndexOptions = {}) {
    const { sizes = DEFAULT_CHUNK_SIZES, digest = 'sha512-256', features = BLOB_FEATURES } = options
    assertChunkSizes(sizes)
    this.header = { sizes, digest, features: digest === 'sha256' ? features & ~FEATURE_SHA512_256 : features | FEATURE_SHA512_256 }
  }

  /** Chunks written. */
  get items (): number {
    return this.#items
  }

  head (): Uint8Array {
    const { features, sizes } = this.header
    return words([
      BigInt(INDEX_HEADER_BYTES), INDEX_MAGIC, features, BigInt(sizes.min), BigInt(sizes.avg), BigInt(sizes.max),
      UNKNOWN_SIZE, TABLE_MAGIC
    ])
  }

  /** RangeError for a chunk that no reader would take: empty, too long, or not the next. */
  item ({ id, end }: Pick<IndexItem, 'id' | 'end'>): Uint8Array {
    const length = end - this.#end
    if (!(Number.isSafeInteger(end) && length >= 1 && length <= this.header.sizes.max)) {
      throw new RangeError(`chunk from ${this.#end} to ${end}: not 1 ... ${this.header.sizes.max} bytes`)
    }
    const bytes = new Uint8Array(INDEX_ITEM_BYTES)
    writeU64LE(bytes, 0, BigInt(end))
    bytes.set(fromHex(id, CHUNK_ID_BYTES), 8)
    this.#end = end
    this.#items++
    return bytes
  }

  tail (): Uint8Array {
    return words([0n, 0n, BigInt(INDEX_HEADER_BYTES), BigInt(tableBytes(this.#items)), TABLE_TAIL_MAGIC])
  }
}

/** Reads an index as it comes. Checks everything that casync checks, and keeps less than one item. */
export class IndexDecoder {
  readonly #maxBytes: number
  readonly #rest: ByteQueue = new ByteQueue({ maxBytes: INDEX_HEADER_BYTES, maxChunks: INDEX_HEADER_BYTES })
  #part: 'header' | 'table' | 'items' | 'nothing' = 'header'
  #header: IndexHeader | undefined
  #items = 0
  #end = 0
  #bytes = 0
  #failure: CasyncError | undefined

  constructor ({ maxBytes = MAX_INDEX_BYTES }: IndexLimits = {}) {
    this.#maxBytes = maxBytes
  }

  /** Once its 48 bytes have come. */
  get header (): IndexHeader | undefined {
    return this.#header
  }

  /** Chunks read. */
  get items (): number {
    return this.#items
  }

  /** Size of the blob, as far as it was read. */
  get size (): number {
    return this.#end
  }

  /** Whether the tail was read. Nothing may follow it. */
  get complete (): boolean {
    return this.#part === 'nothing'
  }

  /** Yields each item that `bytes` complete. Exhaust it. Throws `ERR_INDEX` or `ERR_INDEX_TOO_LARGE`, and from then on always. */
  * push (bytes: Uint8Array): Generator<IndexItem, void, undefined> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#bytes + bytes.length > this.#maxBytes) {
      this.#fail(`index too large: ${this.#bytes + bytes.length} > ${this.#maxBytes} bytes`, 'ERR_INDEX_TOO_LARGE')
    }
    for (let at = 0; at < bytes.length;) {
      const item = this.#itemAt(bytes, at)
      if (item !== undefined) {
        at += INDEX_ITEM_BYTES
        yield item
        continue
      }
      const wanted = PART_BYTES[this.#part]
      if (wanted === 0) this.#fail(`${bytes.length - at} bytes follow the tail`)
      const end = Math.min(bytes.length, at + wanted - this.#rest.byteLength)
      this.#rest.push(bytes.subarray(at, end))
      at = end
      if (this.#rest.byteLength < wanted) break
      const read = this.#read(this.#rest.take(wanted))
      this.#bytes += wanted
      if (read !== undefined) yield read
    }
  }

  /** Call when the index ends: it may only end with its tail, else `ERR_TRUNCATED`. */
  end (): void {
    if (this.#failure !== undefined) throw this.#failure
    if (!this.complete) {
      throw new CasyncError('ERR_TRUNCATED', 'transfer', `index ended at byte ${this.#bytes + this.#rest.byteLength}, after ${this.#items} chunks and without its tail`)
    }
  }

  /** An item that lies in one piece and is as it should be, which nearly all are. Whatever else is there is looked at as it comes. */
  #itemAt (bytes: Uint8Array, at: number): IndexItem | undefined {
    if (this.#part !== 'items' || this.#rest.byteLength > 0 || bytes.length - at < INDEX_ITEM_BYTES) return undefined
    const start = this.#end
    const end = readU32LE(bytes, at) + readU32LE(bytes, at + 4) * 0x1_0000_0000
    if (end <= start || end - start > (this.#header as IndexHeader).sizes.max || end > Number.MAX_SAFE_INTEGER) return undefined
    this.#items++
    this.#end = end
    this.#bytes += INDEX_ITEM_BYTES
    return { id: toHex(bytes.subarray(at + 8, at + INDEX_ITEM_BYTES)), start, end }
  }

  #read (bytes: Uint8Array): IndexItem | undefined {
    if (this.#part === 'header') this.#readHeader(bytes)
    else if (this.#part === 'table') this.#readTableHead(bytes)
    else if (readU64LE(bytes) === 0n) this.#readTail(bytes)
    else return this.#readItem(bytes)
    return undefined
  }

  #readHeader (bytes: Uint8Array): void {
    const [length, magic, features, ...sizes] = readWords(bytes) as [bigint, bigint, bigint, bigint, bigint, bigint]
    if (length !== BigInt(INDEX_HEADER_BYTES) || magic !== INDEX_MAGIC) this.#fail('not an index: its first 16 bytes are others')
    const most = BigInt(MAX_CHUNK_BYTES)
    for (const size of sizes) if (size < 1n || size > most) this.#fail(`chunk size in the header: ${size}, not 1 ... ${most} bytes`)
    const [min, avg, max] = sizes.map(Number) as [number, number, number]
    if (min > avg || avg > max) this.#fail(`chunk sizes in the header are out of order: ${min}, ${avg}, ${max} bytes`)
    this.#header = { features, digest: digestOf(features), sizes: { min, avg, max } }
    this.#part = 'table'
  }

  #readTableHead (bytes: Uint8Array): void {
    const [size, magic] = readWords(bytes)
    if (size !== UNKNOWN_SIZE || magic !== TABLE_MAGIC) this.#fail('the table does not begin where it should')
    this.#part = 'items'
  }

  #readItem (bytes: Uint8Array): IndexItem {
    const offset = readU64LE(bytes)
    const start = this.#end
    if (offset > BigInt(Number.MAX_SAFE_INTEGER)) this.#fail(`chunk ${this.#items} ends at ${offset} > ${Number.MAX_SAFE_INTEGER} bytes`)
    const end = Number(offset)
    const { max } = (this.#header as IndexHeader).sizes
    if (end <= start) this.#fail(`chunk ${this.#items} ends before it begins: ${end} <= ${start} bytes`)
    if (end - start > max) this.#fail(`chunk ${this.#items} is too long: ${end - start} > ${max} bytes`)
    this.#items++
    this.#end = end
    return { id: toHex(bytes.subarray(8)), start, end }
  }

  /** No item ends at byte 0, so that this is the tail or nothing that may be here. An item that looks like its marker is none. */
  #readTail (bytes: Uint8Array): void {
    const [, zero, offset, size, magic] = readWords(bytes)
    if (zero !== 0n || magic !== TABLE_TAIL_MAGIC) this.#fail(`chunk ${this.#items} ends at byte 0, and it is not the tail`)
    if (offset !== BigInt(INDEX_HEADER_BYTES)) this.#fail(`the tail says that the table begins at ${offset}, not at ${INDEX_HEADER_BYTES}`)
    if (size !== BigInt(tableBytes(this.#items))) this.#fail(`the tail says that the table has ${size} bytes, not ${tableBytes(this.#items)}`)
    this.#part = 'nothing'
  }

  #fail (message: string, code: 'ERR_INDEX' | 'ERR_INDEX_TOO_LARGE' = 'ERR_INDEX'): never {
    this.#failure = new CasyncError(code, 'transfer', `index, byte ${this.#bytes}: ${message}`, { offset: this.#bytes })
    throw this.#failure
  }
}

const PART_BYTES = { header: INDEX_HEADER_BYTES, table: TABLE_HEAD_BYTES, items: INDEX_ITEM_BYTES, nothing: 0 } as const

function tableBytes (items: number): number {
  return TABLE_HEAD_BYTES + INDEX_ITEM_BYTES * (items + 1)
}

function words (values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8)
  values.forEach((value, index) => { writeU64LE(bytes, index * 8, value) })
  return bytes
}

function readWords (bytes: Uint8Array): bigint[] {
  return Array.from({ length: bytes.length / 8 }, (_, index) => readU64LE(bytes, index * 8))
}
