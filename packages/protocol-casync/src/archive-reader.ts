/**
 * One path of an archive, without reading what lies before it: the table at the end of each folder says where its names are.
 *
 * @module
 */
import { readU64LE } from '@ropewalk/framing'
import type { AbortOptions, TreeNode } from '@ropewalk/interface'
import {
  ENTRY_BYTES, GOODBYE_ITEM_BYTES, GOODBYE_TAIL_MAGIC, MAX_FILENAME_BYTES, MAX_NODE_BYTES, MAX_OPEN_NAMES, RECORD_HEADER_BYTES
} from './constants.ts'
import { CasyncError } from './errors.ts'
import { compareBytes, decodeName, encodeName, nameTrouble } from './name-codec.ts'
import { NodeBuilder } from './node-builder-codec.ts'
import { longestRecord, recordType } from './record-codec.ts'
import type { RandomRead } from './seed.ts'
import { sipHash } from './siphash.ts'

/** A node, and where the archive has it. */
export interface ArchivePlace {
  readonly node: TreeNode
  /** Where its entry stands. */
  readonly offset: number
  /** One past the last byte of it and of all that is in it. */
  readonly end: number
  /** Where the bytes of a file begin. */
  readonly content: number
}

export interface ArchiveReader {
  readonly root: ArchivePlace
  /** `undefined` when there is nothing at the path. */
  find (path: string, options?: AbortOptions): Promise<ArchivePlace | undefined>
  /** What is in a folder, in the order of the archive. */
  children (folder: ArchivePlace, options?: AbortOptions): AsyncGenerator<ArchivePlace, void, undefined>
  /** The bytes of a file. */
  read (file: ArchivePlace, options?: AbortOptions): AsyncGenerator<Uint8Array, void, undefined>
}

/** Opens an archive of `size` bytes, of which as little is read as there must. `ERR_ARCHIVE` for what is none. */
export async function openArchive (file: RandomRead, size: number): Promise<ArchiveReader> {
  const archive = new Archive(file)
  const root = await archive.place('', 0, size)
  if (root.node.type !== 'directory') throw wrong(0, 'an archive of something that is no folder')
  return {
    root,
    find: async (path, options) => await archive.find(root, path, options),
    children: (folder, options) => archive.children(folder, options),
    read: (place, options) => archive.content(place, options)
  }
}

interface Table {
  readonly start: number
  readonly size: number
}

interface Item {
  readonly start: number
  readonly end: number
  readonly high: number
  readonly low: number
}

class Archive {
  readonly #file: RandomRead

  constructor (file: RandomRead) {
    this.#file = file
  }

  async find (root: ArchivePlace, path: string, { signal }: AbortOptions = {}): Promise<ArchivePlace | undefined> {
    let place: ArchivePlace | undefined = root
    for (const name of path === '' ? [] : path.split('/')) {
      signal?.throwIfAborted()
      if (place === undefined || place.node.type !== 'directory') return undefined
      place = await this.#search(place, await this.#table(place), encodeName(name), 0)
    }
    return place
  }

  async * children (folder: ArchivePlace, { signal }: AbortOptions = {}): AsyncGenerator<ArchivePlace, void, undefined> {
    const table = await this.#table(folder)
    const items: Item[] = []
    for (let i = 0; i < table.size; i++) items.push(await this.#item(folder, table, i))
    for (const item of items.sort((a, b) => a.start - b.start)) {
      signal?.throwIfAborted()
      yield await this.#child(folder, item)
    }
  }

  async * content ({ node, content }: ArchivePlace, { signal }: AbortOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { size = 0 } = node
    for (let at = 0; at < size;) {
      signal?.throwIfAborted()
      const bytes = await this.#bytes(content + at, Math.min(PIECE_BYTES, size - at))
      at += bytes.length
      yield bytes
    }
  }

  /** The node whose entry stands at `offset`, in a region that ends at `end`. */
  async place (path: string, offset: number, end: number): Promise<ArchivePlace> {
    if (end - offset < ENTRY_BYTES) throw wrong(offset, 'no room for an entry')
    const head = await this.#bytes(offset, ENTRY_BYTES)
    if (recordType(head, 8) !== 'ENTRY' || readU64LE(head) !== BigInt(ENTRY_BYTES)) throw wrong(offset, 'no entry where one should stand')
    const builder = guard(offset, () => new NodeBuilder(path, head.subarray(RECORD_HEADER_BYTES)))
    for (let at = offset + ENTRY_BYTES; ;) {
      if (at - offset > MAX_NODE_BYTES) throw wrong(at, `more than ${MAX_NODE_BYTES} bytes for one node`)
      // Of pipes and sockets the region ends with their records.
      if (at === end && builder.endsWithNext && builder.type !== 'directory') return { node: builder.node(), offset, end, content: at }
      if (end - at < RECORD_HEADER_BYTES) throw wrong(at, 'a record beyond its node')
      const next = await this.#bytes(at, RECORD_HEADER_BYTES)
      const type = recordType(next, 8)
      const size = Number(readU64LE(next))
      if (type === undefined || size < RECORD_HEADER_BYTES || size > end - at) throw wrong(at, `a record of ${size} bytes in ${end - at}`)
      if (type === 'PAYLOAD' && builder.type === 'file' && size === end - at) {
        builder.size = size - RECORD_HEADER_BYTES
        return { node: builder.node(), offset, end, content: at + RECORD_HEADER_BYTES }
      }
      if ((type === 'FILENAME' || type === 'GOODBYE') && builder.type === 'directory') return { node: builder.node(), offset, end, content: at }
      if (size > longestRecord(type)) throw wrong(at, `${type}: ${size} bytes`)
      const body = (await this.#bytes(at, size)).subarray(RECORD_HEADER_BYTES)
      if (guard(at, () => builder.add(type, body))) return { node: builder.node(), offset, end, content: at }
      at += size
    }
  }

  async #table ({ offset, end }: ArchivePlace): Promise<Table> {
    const at = end - GOODBYE_ITEM_BYTES
    const tail = await this.#bytes(at, GOODBYE_ITEM_BYTES)
    const bytes = Number(readU64LE(tail, 8))
    const items = (bytes - RECORD_HEADER_BYTES) / GOODBYE_ITEM_BYTES - 1
    const good = readU64LE(tail, 16) === GOODBYE_TAIL_MAGIC && Number.isInteger(items) && items >= 0 && items <= MAX_OPEN_NAMES && bytes <= end - offset
    if (!good || end - bytes - Number(readU64LE(tail)) !== offset) throw wrong(at, 'a folder without the table that ends it')
    return { start: end - bytes, size: items }
  }

  async #item (folder: ArchivePlace, table: Table, i: number): Promise<Item> {
    const at = table.start + RECORD_HEADER_BYTES + GOODBYE_ITEM_BYTES * i
    const bytes = await this.#bytes(at, GOODBYE_ITEM_BYTES)
    const start = table.start - Number(readU64LE(bytes))
    const end = start + Number(readU64LE(bytes, 8))
    if (start < folder.content || end > table.start || start >= end) throw wrong(at, 'a name outside its folder')
    const hash = readU64LE(bytes, 16)
    return { start, end, high: Number(hash >> 32n), low: Number(hash & 0xffff_ffffn) }
  }

  /** Below item `i` of the tree. Names with the same hash may stand on either side. */
  async #search (folder: ArchivePlace, table: Table, name: Uint8Array, i: number): Promise<ArchivePlace | undefined> {
    const [high, low] = sipHash(name)
    for (let at = i; at < table.size;) {
      const item = await this.#item(folder, table, at)
      const order = high - item.high || low - item.low
      if (order === 0) {
        if (compareBytes(await this.#name(item), name) === 0) return await this.#child(folder, item)
        const left = await this.#search(folder, table, name, 2 * at + 1)
        if (left !== undefined) return left
      }
      at = order < 0 ? 2 * at + 1 : 2 * at + 2
    }
    return undefined
  }

  async #name ({ start, end }: Item): Promise<Uint8Array> {
    const head = await this.#bytes(start, RECORD_HEADER_BYTES)
    const size = Number(readU64LE(head))
    if (recordType(head, 8) !== 'FILENAME' || size < RECORD_HEADER_BYTES + 2 || size > longestRecord('FILENAME') || size > end - start) throw wrong(start, 'no name where one should stand')
    const text = (await this.#bytes(start, size)).subarray(RECORD_HEADER_BYTES)
    const name = text.subarray(0, -1)
    const trouble = text.at(-1) === 0 ? nameTrouble(name, MAX_FILENAME_BYTES) : 'no NUL'
    if (trouble !== undefined) throw wrong(start, `a name: ${trouble}`)
    return name
  }

  async #child ({ node }: ArchivePlace, item: Item): Promise<ArchivePlace> {
    const name = await this.#name(item)
    return await this.place(node.path === '' ? decodeName(name) : `${node.path}/${decodeName(name)}`, item.start + RECORD_HEADER_BYTES + name.length + 1, item.end)
  }

  async #bytes (at: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    const read = at < 0 || !Number.isSafeInteger(at) ? 0 : await this.#file.read(bytes, at)
    if (read < length) throw new CasyncError('ERR_TRUNCATED', 'transfer', `the archive ends before byte ${at + length}`, { offset: at })
    return bytes
  }
}

/** Of a file, read at a time. Ours. */
const PIECE_BYTES = 256 * 1024

function guard<T> (offset: number, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof RangeError) throw wrong(offset, error.message)
    throw error
  }
}

function wrong (offset: number, what: string): CasyncError {
  return new CasyncError('ERR_ARCHIVE', 'transfer', `archive, byte ${offset}: ${what}`, { offset })
}
