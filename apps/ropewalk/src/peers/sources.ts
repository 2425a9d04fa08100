/**
 * Files that are offered: a tree as a list, each file hashed once, and read when it is asked for.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, read as readFile, readdirSync, readlinkSync, readSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { AbortOptions, TransferEvent } from '@ropewalk/interface'
import { ContentDigest, READ_BYTES, type ContentFacts, type FileSource, type OfferedFile, type ReadOptions } from '@ropewalk/protocol-warpdrive'
import { fileFacts } from '@ropewalk/protocol-warpdrive/node'
import { checkTarget } from '@ropewalk/receive'
import { AT_ONCE_BYTES } from '@ropewalk/store-fs'
import { fileError, RopewalkError } from '../errors.ts'
import { inParallel } from '../parallel.ts'
import { sha256 } from './sha256.ts'

/** Files of which at least so many bytes are hashed by threads of their own. Ours: that takes them a tenth of a second. */
const THREADS_FROM_BYTES = 134_217_728

/** Files that are hashed at a time. Ours. */
const HASHED_AT_ONCE = 4

/** Files that are hashed before the event loop turns. Ours: some milliseconds, where they are small. */
const FILES_PER_TURN = 64

/** Offers that are being put together, at most. Ours. */
export const MAX_DRAFTS = 64

/** How much of what is to be offered was read, and how many links and special files are left out. */
export interface Reading {
  readonly bytes: number
  readonly size: number
  readonly leftOut: number
  /** Links were asked for: those that are left out lead out of their folder. */
  readonly links: boolean
}

export interface DraftOptions {
  /** Offer symbolic links as such, too. */
  readonly links?: boolean | undefined
  readonly onReading?: ((reading: Reading) => void) | undefined
}

/** Between two words on how far the reading is. Ours. */
const TELL_MS = 250

export class Sources implements FileSource {
  readonly #drafts = new Map<string, Draft>()
  readonly #emit: (source: string, event: TransferEvent) => void

  constructor (emit: (source: string, event: TransferEvent) => void) {
    this.#emit = emit
  }

  /** A name for several paths, for one `list`. */
  draft (paths: readonly string[], options: DraftOptions = {}): string {
    if (this.#drafts.size >= MAX_DRAFTS) throw new RopewalkError('ERR_REFUSED', `${MAX_DRAFTS + 1} > ${MAX_DRAFTS} offers are being put together`)
    const name = `draft:${crypto.randomUUID()}`
    this.#drafts.set(name, { paths, ...options })
    return name
  }

  /** Files, and folders before what is in them. Links that nobody asked for, those that whoever gets them would refuse, and everything that is no file are left out. */
  async list (path: string, { signal }: AbortOptions): Promise<OfferedFile[]> {
    const { paths, onReading, links = false }: Draft = this.#drafts.get(path) ?? { paths: [path] }
    this.#drafts.delete(path)
    const found: OfferedFile[] = []
    let leftOut = 0
    for (const path of paths) leftOut += await walk(path, basename(path), found, links, signal)
    const tell = telling(found, { leftOut, links }, onReading)
    const facts = new Map<OfferedFile, ContentFacts>()
    const threads = oneByOne()
    await inParallel(found.filter(file => !file.isDir && file.link === undefined), HASHED_AT_ONCE, signal ?? new AbortController().signal, async (file, index) => {
      facts.set(file, await factsOf(file, signal, threads, tell))
      // Small files are hashed without waiting for anything: others of the event loop want their turn.
      if (index % FILES_PER_TURN === 0) await turn()
    })
    signal?.throwIfAborted()
    tell(0, true)
    return found.map(file => ({ ...file, ...facts.get(file) }))
  }

  whole (source: string, into: Uint8Array): number {
    const base = { transfer: source, name: source, direction: 'send' as const }
    this.#emit(source, { event: 'started', ...base, size: into.length })
    try {
      const bytes = readWhole(source, into)
      if (bytes === into.length) this.#emit(source, { event: 'finished', ...base, bytes })
      else this.#emit(source, { event: 'failed', ...base, bytes, code: 'ERR_FILE_CHANGED', message: 'the file has become shorter' })
      return bytes
    } catch (cause) {
      const error = fileError(cause)
      this.#emit(source, { event: 'failed', ...base, bytes: 0, code: error.code, message: error.message })
      throw error
    }
  }

  async * read (source: string, start: number, end: number, { signal, memory }: ReadOptions): AsyncGenerator<Uint8Array> {
    const base = { transfer: source, name: source, direction: 'send' as const }
    let at = start
    let over = false
    this.#emit(source, { event: 'started', ...base, size: end, ...start > 0 ? { present: start } : {} })
    try {
      for await (const bytes of contentOf(source, start, end, signal, memory)) {
        at += bytes.length
        yield bytes
        // Of the last ones it is told that they are the last.
        if (at < end) this.#emit(source, { event: 'progress', ...base, bytes: at, size: end })
      }
      over = at === end
    } catch (error) {
      throw fileError(error)
    } finally {
      if (over) this.#emit(source, { event: 'finished', ...base, bytes: at })
      else this.#emit(source, { event: 'failed', ...base, bytes: at, code: 'ERR_INTERRUPTED', message: 'it was not taken to its end' })
    }
  }
}

type InTurn = <T>(work: () => Promise<T>) => Promise<T>

/** Of large files all threads work on the same one. */
function oneByOne (): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  return work => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }
}

interface Draft extends DraftOptions { readonly paths: readonly string[] }

type TellRead = (bytes: number, last?: boolean) => void

/** Counts what is read, and says so now and then: at the end always. */
function telling (found: readonly OfferedFile[], left: Pick<Reading, 'leftOut' | 'links'>, onReading: Draft['onReading']): TellRead {
  if (onReading === undefined) return () => {}
  const size = found.reduce((sum, file) => sum + file.size, 0)
  let [bytes, told] = [0, Date.now()]
  return (more, last = false) => {
    bytes += more
    const now = Date.now()
    if (!last && now - told < TELL_MS) return
    told = now
    onReading({ bytes, size, ...left })
  }
}

/** Resolves to how many entries it has left out. */
async function walk (source: string, uri: string, found: OfferedFile[], links: boolean, signal: AbortSignal | undefined): Promise<number> {
  const isDir = look(source, uri, found, links)
  if (isDir === undefined && found.length === 0) throw new RopewalkError('ERR_NOT_A_FILE', 'neither a file nor a folder', { text: source })
  return isDir === undefined ? 1 : isDir ? await walkInto(source, uri, found, links, signal) : 0
}

async function walkInto (folder: string, uri: string, found: OfferedFile[], links: boolean, signal: AbortSignal | undefined): Promise<number> {
  let leftOut = 0
  for (const name of atOnce(folder, () => readdirSync(folder)).sort()) {
    const [source, its] = [join(folder, name), `${uri}/${name}`]
    const isDir = look(source, its, found, links)
    if (isDir === undefined) leftOut++
    else if (isDir) leftOut += await walkInto(source, its, found, links, signal)
    if (found.length % FILES_PER_TURN === 0) await turn()
    signal?.throwIfAborted()
  }
  return leftOut
}

/** Whether it is a folder; undefined where it is left out. */
function look (source: string, uri: string, found: OfferedFile[], links: boolean): boolean | undefined {
  const stat = atOnce(source, () => lstatSync(source))
  const isDir = stat.isDirectory()
  const link = links && stat.isSymbolicLink() ? targetOf(source, uri) : undefined
  if (!isDir && !stat.isFile() && link === undefined) return undefined
  const size = isDir || link !== undefined ? 0 : stat.size
  found.push({ uri, path: uri, name: basename(uri), size, isDir, perm: stat.mode & 0o777, mime: '', mtimeMs: Math.trunc(stat.mtimeMs), source, ...link === undefined ? {} : { link } })
  return isDir
}

/** Undefined where whoever gets the link would refuse it. */
function targetOf (source: string, uri: string): string | undefined {
  const target = atOnce(source, () => readlinkSync(source, 'buffer'))
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(target)
    checkTarget(uri, text, 'folder')
    return text
  } catch {
    return undefined
  }
}

/** A look at names takes some microseconds, and a thread ten times as long to hand it over. */
function atOnce<T> (source: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw unreadable(source, error)
  }
}

async function factsOf ({ source, size }: OfferedFile, signal: AbortSignal | undefined, threads: InTurn, tell: TellRead): Promise<ContentFacts> {
  try {
    if (size <= AT_ONCE_BYTES) {
      const sha256 = digestAtOnce(source, size)
      tell(size)
      return { sha256 }
    }
    if (size >= THREADS_FROM_BYTES) return await threads(() => factsByThreads(source, size, signal, tell))
    const digest = new ContentDigest(sha256, size)
    const buffers = SPARE.pop() ?? [Buffer.allocUnsafeSlow(READ_BYTES), Buffer.allocUnsafeSlow(READ_BYTES)]
    let [length, turns] = [0, 0]
    try {
      for await (const bytes of contentOf(source, 0, size, signal, bytes => (buffers[turns++ % 2] as Buffer).subarray(0, bytes))) {
        await digest.update(bytes)
        length += bytes.length
        tell(bytes.length)
      }
    } finally {
      if (SPARE.length < HASHED_AT_ONCE) SPARE.push(buffers)
    }
    assertSize(length, size)
    return await digest.digest()
  } catch (error) {
    throw unreadable(source, error)
  }
}

/** Of a small file; into memory that all of them share. */
function digestAtOnce (path: string, size: number): string {
  const content = SHARED.subarray(0, size)
  assertSize(readWhole(path, content), size)
  return hash('sha256', content)
}

/** A small file is read before a thread would have begun with it. The bytes there were. */
function readWhole (path: string, into: Uint8Array): number {
  const fd = openFile(path)
  try {
    let length = 0
    for (let read = -1; read !== 0 && length < into.length;) length += read = readSync(fd, into, length, into.length - length, length)
    return length
  } finally {
    closeSync(fd)
  }
}

async function factsByThreads (path: string, size: number, signal: AbortSignal | undefined, tell: TellRead): Promise<ContentFacts> {
  const fd = openFile(path)
  try {
    const found = await fileFacts(fd, size, { signal, onRead: tell })
    if (found !== undefined) return found
    throw changed(fstatSync(fd).size, size)
  } finally {
    closeSync(fd)
  }
}

function assertSize (length: number, size: number): void {
  if (length !== size) throw changed(length, size)
}

function changed (length: number, size: number): RopewalkError {
  return new RopewalkError('ERR_FILE_CHANGED', `the file changed while it was read: ${length} != ${size} bytes`)
}

function openFile (path: string): number {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw new RopewalkError('ERR_NOT_A_FILE', 'not a regular file any more')
}

/** Each array is what `bufferOf` gives, and travels on while the next is read: by default it is fresh, for nobody tells when it has gone. */
async function * contentOf (path: string, start: number, end: number, signal: AbortSignal | undefined, bufferOf: (bytes: number) => Uint8Array = Buffer.allocUnsafeSlow): AsyncGenerator<Uint8Array> {
  // A small file is there before a thread would have begun with it.
  const fd = openFile(path)
  let next: Promise<Uint8Array> = Promise.resolve(NOTHING)
  try {
    if (end - start <= AT_ONCE_BYTES) {
      const buffer = bufferOf(end - start)
      const bytesRead = readSync(fd, buffer, 0, buffer.length, start)
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead)
      // Fewer bytes than it had: the second look says so.
      if (bytesRead === buffer.length || bytesRead === 0) return
      start += bytesRead
    }
    next = readAt(fd, start, end, bufferOf)
    for (let at = start; at < end;) {
      const bytes = await next
      signal?.throwIfAborted()
      if (bytes.length === 0) return
      at += bytes.length
      next = at < end ? readAt(fd, at, end, bufferOf) : Promise.resolve(NOTHING)
      // It is awaited when the next piece is asked for; until then its failure must not count as nobody's.
      next.catch(() => {})
      yield bytes
    }
  } finally {
    // Its number may soon be that of another file.
    await next.catch(() => {})
    closeSync(fd)
  }
}

const NOTHING: Uint8Array = new Uint8Array(0)

const SHARED: Buffer = Buffer.allocUnsafeSlow(AT_ONCE_BYTES)

/** Fewer bytes than there is room for only at the end of the file. */
async function readAt (fd: number, at: number, end: number, bufferOf: (bytes: number) => Uint8Array): Promise<Uint8Array> {
  const buffer = bufferOf(Math.min(READ_BYTES, end - at))
  for (let filled = 0; ;) {
    const { bytesRead } = await read(fd, buffer, filled, buffer.length - filled, at + filled)
    filled += bytesRead
    if (bytesRead === 0 || filled === buffer.length) return buffer.subarray(0, filled)
  }
}

/** What files were read into to be hashed, one buffer while the other is, for the next: fresh memory costs more than the hashing does, and lies about. */
const SPARE: Buffer[][] = []

const read: typeof readFile.__promisify__ = promisify(readFile)

function unreadable (path: string, error: unknown): RopewalkError {
  const { code, message } = fileError(error)
  return new RopewalkError(code, message, { cause: error, text: path })
}
