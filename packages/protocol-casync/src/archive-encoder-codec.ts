/**
 * Writes an archive (.catar), node by node as a walk meets them. Pure.
 *
 *     ENTRY of the root, then of each name in a folder, sorted by its bytes:
 *     FILENAME, ENTRY, what belongs to it, and PAYLOAD, SYMLINK or DEVICE; of a folder the same again, and then its GOODBYE
 *
 * @module
 */
import type { TreeNode } from '@ropewalk/interface'
import { MAX_FILENAME_BYTES, MAX_OPEN_NAMES, MAX_TARGET_BYTES, MAX_TREE_DEPTH, RECORD_HEADER_BYTES } from './constants.ts'
import { CasyncError } from './errors.ts'
import { archiveFeatures } from './features.ts'
import { GoodbyeTable } from './goodbye-codec.ts'
import { compareBytes, encodeName, nameTrouble } from './name-codec.ts'
import { encodeNode, isRecorded } from './node-codec.ts'
import { record, recordHead } from './record-codec.ts'
import { sipHash } from './siphash.ts'

interface OpenFolder {
  /** Its path with a slash behind; empty for the root. */
  readonly prefix: string
  readonly entry: number
  readonly table: GoodbyeTable
  last: Uint8Array | undefined
}

export class ArchiveEncoder {
  readonly features: bigint
  readonly #open: OpenFolder[] = []
  #offset = 0
  #names = 0
  /** Bytes of the file announced last that have not come yet. */
  #missing = 0
  #ended = false

  /** `features` as of `archiveFeatures`. Default: everything that the original records. */
  constructor (features: bigint = archiveFeatures()) {
    this.features = features
  }

  /** Bytes written. */
  get offset (): number {
    return this.#offset
  }

  /** Whether the features have room for such a node; others are passed over, with what is in them. */
  records (node: TreeNode): boolean {
    return isRecorded(node.type, this.features)
  }

  /** What stands before the content of the node. The root comes first, then everything else, depth first. `ERR_TREE` for anything else. */
  node (node: TreeNode): Uint8Array[] {
    if (this.#missing > 0) throw this.#trouble(node.path, `the file before it lacks ${this.#missing} bytes`)
    const parts: Uint8Array[] = []
    if (this.#offset === 0) {
      if (node.path !== '' || node.type !== 'directory') throw this.#trouble(node.path, 'an archive begins with its root, which is a folder')
    } else {
      this.#closeUntil(node.path, parts)
      this.#name(node.path, parts)
    }
    const entry = this.#offset
    for (const part of encodeNode(node, this.features)) this.#put(part, parts)
    this.#content(node, entry, parts)
    return parts
  }

  /** Bytes of the file announced last, which are written as they are. */
  data (bytes: Uint8Array): void {
    if (bytes.length > this.#missing) throw this.#trouble('', `a file is longer than announced: ${bytes.length} > ${this.#missing} bytes`)
    this.#missing -= bytes.length
    this.#offset += bytes.length
  }

  /** Closes what is open. */
  end (): Uint8Array[] {
    if (this.#missing > 0) throw this.#trouble('', `the last file lacks ${this.#missing} bytes`)
    if (this.#offset === 0 || this.#ended) throw this.#trouble('', 'an archive without a root')
    const parts: Uint8Array[] = []
    while (this.#open.length > 0) this.#close(parts)
    this.#ended = true
    return parts
  }

  #content (node: TreeNode, entry: number, parts: Uint8Array[]): void {
    const { path, type, size = 0, target, device } = node
    if (type === 'directory') {
      if (this.#open.length >= MAX_TREE_DEPTH) throw new CasyncError('ERR_ARCHIVE_TOO_LARGE', 'transfer', `${JSON.stringify(path)}: more than ${MAX_TREE_DEPTH} folders in each other`, { remote: false })
      this.#open.push({ prefix: path === '' ? '' : `${path}/`, entry, table: new GoodbyeTable(), last: undefined })
    } else if (type === 'file') {
      if (!(Number.isSafeInteger(size) && size >= 0 && size <= Number.MAX_SAFE_INTEGER - RECORD_HEADER_BYTES)) throw this.#trouble(path, `size ${size}`)
      this.#put(recordHead('PAYLOAD', size), parts)
      this.#missing = size
    } else if (type === 'symlink') {
      const bytes = encodeName(target ?? '')
      if (bytes.length === 0 || bytes.length > MAX_TARGET_BYTES || bytes.includes(0)) throw this.#trouble(path, 'a link without a target, or with one that no system takes')
      this.#put(record('SYMLINK', [], bytes), parts)
    } else if (type === 'block' || type === 'character') {
      if (device === undefined) throw this.#trouble(path, 'a device without its numbers')
      this.#put(record('DEVICE', [device.major, device.minor]), parts)
    }
  }

  /** Closes the folders that `path` is not in. */
  #closeUntil (path: string, parts: Uint8Array[]): void {
    while (this.#open.length > 1 && !path.startsWith((this.#open.at(-1) as OpenFolder).prefix)) this.#close(parts)
  }

  #close (parts: Uint8Array[]): void {
    const folder = this.#open.pop() as OpenFolder
    folder.table.end(this.#offset)
    this.#names -= folder.table.size
    this.#put(folder.table.encode(this.#offset, folder.entry), parts)
  }

  #name (path: string, parts: Uint8Array[]): void {
    const folder = this.#open.at(-1) as OpenFolder
    const name = encodeName(path.slice(folder.prefix.length))
    const wrong = nameTrouble(name, MAX_FILENAME_BYTES)
    if (wrong !== undefined) throw this.#trouble(path, `not a name in "${folder.prefix}": ${wrong}`)
    if (folder.last !== undefined && compareBytes(folder.last, name) >= 0) throw this.#trouble(path, 'names come sorted by their bytes, each once')
    if (++this.#names > MAX_OPEN_NAMES) throw new CasyncError('ERR_ARCHIVE_TOO_LARGE', 'transfer', `more than ${MAX_OPEN_NAMES} names in folders that are open`, { remote: false })
    folder.last = name
    folder.table.end(this.#offset)
    folder.table.begin(this.#offset, sipHash(name))
    this.#put(record('FILENAME', [], name), parts)
  }

  #put (bytes: Uint8Array, parts: Uint8Array[]): void {
    parts.push(bytes)
    this.#offset += bytes.length
  }

  #trouble (path: string, what: string): CasyncError {
    return new CasyncError('ERR_TREE', 'transfer', `${JSON.stringify(path)}: ${what}`, { remote: false, offset: this.#offset })
  }
}
