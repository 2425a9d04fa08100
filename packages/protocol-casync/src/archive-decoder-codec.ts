/**
 * Reads an archive (.catar) as it comes. Pure. What is wrong with it is said with the place: every size is looked at before the body is
 * kept, names are in order and harmless, and the table at the end of each folder has to be the one that its names make.
 *
 * @module
 */
import { ByteQueue, readU64LE } from '@ropewalk/framing'
import type { TreeKept, TreeNode } from '@ropewalk/interface'
import { ArchiveTrace, readTrace } from './archive-trace-codec.ts'
import {
  ENTRY_BYTES, MAX_FILENAME_BYTES, MAX_NODE_BYTES, MAX_NODE_RECORDS, MAX_OPEN_NAMES, MAX_TREE_DEPTH, RECORD_HEADER_BYTES
} from './constants.ts'
import { CasyncError } from './errors.ts'
import { GoodbyeTable } from './goodbye-codec.ts'
import { compareBytes, decodeName, nameTrouble } from './name-codec.ts'
import { NodeBuilder } from './node-builder-codec.ts'
import { longestRecord, recordType, type RecordType } from './record-codec.ts'
import { sipHash } from './siphash.ts'

/** What an archive says, in its order. */
export type ArchivePart =
  /** A node; of a folder, what is in it comes next. `offset` is where its entry stands. */
  | { readonly kind: 'node', readonly node: TreeNode, readonly offset: number }
  /** Bytes of the file that came last. */
  | { readonly kind: 'data', readonly bytes: Uint8Array }
  /** Everything that is in the folder has come. */
  | { readonly kind: 'leave', readonly node: TreeNode }

interface OpenFolder {
  readonly node: TreeNode
  readonly prefix: string
  readonly entry: number
  readonly table: GoodbyeTable
  last: Uint8Array | undefined
}

export interface ArchiveDecoderOptions {
  /** Names in folders that are open at a time. Default 1,048,576. */
  maxOpenNames?: number | undefined
  /** Keep what `takeTrace` gives. Default false. */
  trace?: boolean | undefined
}

export class ArchiveDecoder {
  readonly #queue = new ByteQueue({ maxBytes: MAX_NODE_BYTES + RECORD_HEADER_BYTES, maxChunks: 4096, coalesceBytes: 512 })
  readonly #open: OpenFolder[] = []
  readonly #maxOpenNames: number
  readonly #trace: ArchiveTrace | undefined
  /** Where the record begins that comes next, or is coming. */
  #offset = 0
  #names = 0
  #builder: NodeBuilder | undefined
  /** The path that the entry which comes next will have. */
  #path: string | undefined = ''
  /** Bytes of a file that have not come yet. */
  #missing = 0
  /** The table that has to come, and how much of it has. */
  #goodbye: { readonly wanted: Uint8Array, at: number } | undefined
  #features: bigint | undefined
  #ended = false

  constructor ({ maxOpenNames = MAX_OPEN_NAMES, trace = false }: ArchiveDecoderOptions = {}) {
    this.#maxOpenNames = maxOpenNames
    this.#trace = trace ? new ArchiveTrace() : undefined
  }

  /** What the archive records; `undefined` before its first entry came. */
  get features (): bigint | undefined {
    return this.#features
  }

  /** Bytes of the archive that have come. */
  get position (): number {
    return this.#offset + this.#queue.byteLength + (this.#goodbye?.at ?? 0)
  }

  /** What `bytes` complete. Data are views of them; nothing else is, so that they may be used again when that has been taken. */
  push (bytes: Uint8Array): ArchivePart[] {
    const parts: ArchivePart[] = []
    let at = 0
    /** Where the records begin that no content has come behind. */
    let records = 0
    while (at < bytes.length) {
      if (this.#ended) throw this.#wrong('bytes behind the end')
      if (this.#missing > 0) {
        this.#trace?.records(bytes.subarray(records, at))
        const taken = this.#data(bytes.subarray(at), parts)
        this.#trace?.content(taken)
        at += taken
        records = at
      } else if (this.#goodbye !== undefined) at += this.#compare(bytes.subarray(at), this.#goodbye, parts)
      else at += this.#record(bytes.subarray(at), parts)
    }
    this.#trace?.records(bytes.subarray(records, at))
    return parts
  }

  /** The trace of what has come since the last one was taken. With all of them, in their order, another decoder is where this one is. */
  takeTrace (): Uint8Array {
    if (this.#trace === undefined) throw new TypeError('a decoder that keeps no trace')
    return this.#trace.take()
  }

  /** Goes through what another decoder has read. What it says is said again, of content only how much there was. */
  retrace (trace: Uint8Array): Array<ArchivePart | TreeKept> {
    const parts: Array<ArchivePart | TreeKept> = []
    for (const step of readTrace(trace)) {
      if (typeof step === 'number' ? step > this.#missing : this.#missing > 0) throw this.#wrong('a trace of another archive')
      if (typeof step === 'number') {
        this.#missing -= step
        this.#offset += step
        parts.push({ kind: 'kept', bytes: step })
      } else parts.push(...this.push(step))
    }
    // They are in the trace that is there already.
    this.#trace?.take()
    return parts
  }

  /** The archive has ended. `ERR_TRUNCATED` when it should not have. */
  end (): void {
    if (this.#ended) return
    throw new CasyncError('ERR_TRUNCATED', 'transfer', `the archive ends at byte ${this.#offset + this.#queue.byteLength}, inside something`, { offset: this.#offset })
  }

  #data (bytes: Uint8Array, parts: ArchivePart[]): number {
    const taken = Math.min(bytes.length, this.#missing)
    parts.push({ kind: 'data', bytes: bytes.subarray(0, taken) })
    this.#missing -= taken
    this.#offset += taken
    return taken
  }

  /** Takes the record that `bytes` begin with, or what is missing of its head and then of its body. */
  #record (bytes: Uint8Array, parts: ArchivePart[]): number {
    const queue = this.#queue
    if (queue.byteLength === 0 && bytes.length >= RECORD_HEADER_BYTES) {
      const hasBody = this.#head(bytes, parts)
      if (hasBody && bytes.length >= this.#size) return this.#body(bytes.subarray(RECORD_HEADER_BYTES, this.#size), parts)
      if (hasBody) queue.push(bytes.subarray(0, RECORD_HEADER_BYTES))
      return RECORD_HEADER_BYTES
    }
    const toHead = RECORD_HEADER_BYTES - queue.byteLength
    if (toHead > 0) {
      queue.push(bytes.subarray(0, toHead))
      if (toHead > bytes.length) return bytes.length
      const head = queue.peek(RECORD_HEADER_BYTES)
      if (!this.#head(head, parts)) queue.take(RECORD_HEADER_BYTES)
      else if (this.#size === RECORD_HEADER_BYTES) this.#body(queue.take(this.#size).subarray(RECORD_HEADER_BYTES), parts)
      return toHead
    }
    const missing = this.#size - queue.byteLength
    const taken = Math.min(missing, bytes.length)
    queue.push(taken < missing ? bytes.slice(0, taken) : bytes.subarray(0, taken))
    if (taken === missing) this.#body(queue.take(this.#size).subarray(RECORD_HEADER_BYTES), parts)
    return taken
  }

  #type: RecordType = 'ENTRY'
  #size = 0

  /** True when a body comes that has to be there as a whole. */
  #head (head: Uint8Array, parts: ArchivePart[]): boolean {
    const type = recordType(head, 8)
    const size = readU64LE(head)
    if (type === undefined) throw this.#wrong('a record of no known type')
    if (size < RECORD_HEADER_BYTES || size > Number.MAX_SAFE_INTEGER) throw this.#wrong(`${type}: a record of ${size} bytes`)
    this.#type = type
    this.#size = Number(size)
    if (type === 'PAYLOAD') this.#payload(parts)
    else if (type === 'GOODBYE') this.#beginGoodbye(parts)
    else if (this.#size > longestRecord(type)) throw this.#wrong(`${type}: ${size} > ${longestRecord(type)} bytes`)
    return type !== 'PAYLOAD' && type !== 'GOODBYE'
  }

  /** The bytes of the record that are gone with it. */
  #body (body: Uint8Array, parts: ArchivePart[]): number {
    if (this.#type === 'ENTRY') this.#entry(body)
    else if (this.#type === 'FILENAME') this.#filename(body, parts)
    else this.#belonging(body, parts)
    this.#offset += this.#size
    return this.#size
  }

  #entry (body: Uint8Array): void {
    if (this.#path === undefined || this.#size !== ENTRY_BYTES) throw this.#wrong('an entry without a name, or of another size')
    this.#builder = this.#guard(() => new NodeBuilder(this.#path as string, body))
    const { features } = this.#builder
    if (this.#features !== undefined && features !== this.#features) throw this.#wrong('an entry with other features than the first')
    if (this.#open.length === 0 && this.#builder.type !== 'directory') throw this.#wrong('an archive of something that is no folder')
    this.#features = features
    this.#entryAt = this.#offset
    this.#records = 0
    this.#bytes = 0
    this.#path = undefined
  }

  #entryAt = 0
  #records = 0
  #bytes = 0

  #belonging (body: Uint8Array, parts: ArchivePart[]): void {
    const builder = this.#builder
    if (builder === undefined) throw this.#wrong(`${this.#type} without an entry`)
    this.#bytes += this.#size
    if (++this.#records > MAX_NODE_RECORDS || this.#bytes > MAX_NODE_BYTES) throw this.#tooLarge(`${this.#records} records, ${this.#bytes} bytes for one node`)
    if (this.#guard(() => builder.add(this.#type, body))) this.#emit(parts)
  }

  #payload (parts: ArchivePart[]): void {
    const builder = this.#builder
    if (builder === undefined || builder.type !== 'file') throw this.#wrong('PAYLOAD of something that is no file')
    this.#missing = this.#size - RECORD_HEADER_BYTES
    builder.size = this.#missing
    this.#offset += RECORD_HEADER_BYTES
    this.#emit(parts)
  }

  /** The node is complete. */
  #emit (parts: ArchivePart[]): void {
    const builder = this.#builder as NodeBuilder
    const node = this.#guard(() => builder.node())
    this.#builder = undefined
    parts.push({ kind: 'node', node, offset: this.#entryAt })
    if (node.type !== 'directory') return
    if (this.#open.length >= MAX_TREE_DEPTH) throw this.#tooLarge(`more than ${MAX_TREE_DEPTH} folders in each other`)
    this.#open.push({ node, prefix: node.path === '' ? '' : `${node.path}/`, entry: this.#entryAt, table: new GoodbyeTable(), last: undefined })
  }

  /** Of a folder, a pipe or a socket nothing says that its records have ended but what comes next. */
  #finishNode (parts: ArchivePart[]): void {
    if (this.#builder === undefined) return
    if (!this.#builder.endsWithNext) throw this.#wrong(`${this.#type} where the content of a node should stand`)
    this.#emit(parts)
  }

  #filename (body: Uint8Array, parts: ArchivePart[]): void {
    this.#finishNode(parts)
    const folder = this.#open.at(-1)
    if (folder === undefined || this.#path !== undefined) throw this.#wrong('a name where none can stand')
    if (body.at(-1) !== 0) throw this.#wrong('a name without its NUL')
    const name = body.subarray(0, -1)
    const wrong = nameTrouble(name, MAX_FILENAME_BYTES)
    if (wrong !== undefined) throw this.#wrong(`a name: ${wrong}`)
    if (folder.last !== undefined && compareBytes(folder.last, name) >= 0) throw this.#wrong('names out of order')
    if (++this.#names > this.#maxOpenNames) throw this.#tooLarge(`more than ${this.#maxOpenNames} names in folders that are open`)
    folder.last = name.slice()
    folder.table.end(this.#offset)
    folder.table.begin(this.#offset, sipHash(name))
    this.#path = folder.prefix + decodeName(name)
  }

  #beginGoodbye (parts: ArchivePart[]): void {
    this.#finishNode(parts)
    const folder = this.#open.at(-1)
    if (folder === undefined || this.#path !== undefined) throw this.#wrong('the end of a folder where none is open')
    if (this.#size !== folder.table.byteLength) throw this.#wrong(`GOODBYE: ${this.#size}, not ${folder.table.byteLength} bytes`)
    folder.table.end(this.#offset)
    this.#goodbye = { wanted: folder.table.encode(this.#offset, folder.entry), at: RECORD_HEADER_BYTES }
  }

  #compare (bytes: Uint8Array, goodbye: { readonly wanted: Uint8Array, at: number }, parts: ArchivePart[]): number {
    const { wanted } = goodbye
    const taken = Math.min(bytes.length, wanted.length - goodbye.at)
    for (let i = 0; i < taken; i++) if (bytes[i] !== wanted[goodbye.at + i]) throw this.#wrong(`GOODBYE: byte ${goodbye.at + i} is another than its names make`)
    goodbye.at += taken
    if (goodbye.at < wanted.length) return taken
    const folder = this.#open.pop() as OpenFolder
    this.#goodbye = undefined
    this.#offset += wanted.length
    this.#names -= folder.table.size
    this.#ended = this.#open.length === 0
    parts.push({ kind: 'leave', node: folder.node })
    return taken
  }

  /** What the builder finds wrong is wrong here. */
  #guard<T> (work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof RangeError) throw this.#wrong(`${this.#type}: ${error.message}`)
      throw error
    }
  }

  #wrong (what: string): CasyncError {
    return new CasyncError('ERR_ARCHIVE', 'transfer', `archive, byte ${this.#offset}: ${what}`, { offset: this.#offset })
  }

  #tooLarge (what: string): CasyncError {
    return new CasyncError('ERR_ARCHIVE_TOO_LARGE', 'transfer', `archive, byte ${this.#offset}: ${what}`, { offset: this.#offset })
  }
}
