/**
 * The files of a swarm in a folder: whole ones under their names, what is being filled apart from them. A peer names them, so they
 * come into the folder through `receive`.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, opendir, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { CHUNK_BYTES, type LocalFile, type SwarmStore } from '@ropewalk/protocol-torronto'
import { normaliseName, openReceiver, receiveFile, type Receiver } from '@ropewalk/receive'
import { codeOf, RopewalkError } from '../errors.ts'

/** What is not whole lies here, below the folder; nothing in it is ever told. */
const FILLING = '.ropewalk-swarm'

/** On the wire every name begins with it. */
const PREFIX = 'files/'

/** Copies that holders disagree about, kept for a person to look at; more are forgotten. Ours. */
const MAX_ASIDE = 64

/** Files that are written to at a time stay open; the one that was not used for longest is closed. Ours. */
const MAX_OPEN = 32

export class FolderSwarmStore implements SwarmStore {
  readonly #root: string
  readonly #receiver: Receiver
  readonly #open = new Map<string, FileHandle>()
  #asides = 0

  /** Opens the folder, which is made if it is missing. What an earlier process has left half is removed. */
  static async open (root: string): Promise<FolderSwarmStore> {
    const receiver = await openReceiver(root, { collisions: 'refuse' })
    const filling = join(receiver.root, FILLING)
    await rm(filling, { recursive: true, force: true })
    await mkdir(filling, { mode: 0o700 })
    return new FolderSwarmStore(receiver)
  }

  private constructor (receiver: Receiver) {
    this.#root = receiver.root
    this.#receiver = receiver
  }

  async * list (): AsyncGenerator<LocalFile> {
    yield * this.#walk('')
  }

  async read (name: string, index: number): Promise<Uint8Array | undefined> {
    const filling = this.#open.get(name)
    if (filling !== undefined) return await readAt(filling, index)
    for (const path of [join(this.#root, below(name)), this.#fillingPath(name)]) {
      const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent)
      if (handle === undefined) continue
      try {
        return await readAt(handle, index)
      } finally {
        await handle.close()
      }
    }
    return undefined
  }

  async write (name: string, index: number, bytes: Uint8Array): Promise<void> {
    const handle = await this.#filling(name)
    let at = 0
    while (at < bytes.length) at += (await handle.write(bytes, at, bytes.length - at, index * CHUNK_BYTES + at)).bytesWritten
  }

  async finish (name: string, size: number): Promise<void> {
    const handle = await this.#filling(name)
    await handle.truncate(size)
    const content = handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 1024 * 1024 })
    await receiveFile(this.#receiver, below(name), size === 0 ? [] : content, { size })
    await this.discard(name)
  }

  async discard (name: string): Promise<void> {
    const handle = this.#open.get(name)
    this.#open.delete(name)
    await handle?.close()
    await rm(this.#fillingPath(name), { force: true })
  }

  async aside (name: string, index: number, from: string, bytes: Uint8Array): Promise<void> {
    if (this.#asides++ >= MAX_ASIDE) return
    await writeFile(join(this.#root, FILLING, `aside-${digest(name)}-${index}-${digest(from).slice(0, 16)}`), bytes, { mode: 0o600 })
  }

  /** What is not whole goes: it is asked for again. */
  async close (): Promise<void> {
    for (const handle of this.#open.values()) await handle.close()
    this.#open.clear()
    await this.#receiver.close()
  }

  async * #walk (folder: string): AsyncGenerator<LocalFile> {
    for await (const entry of await opendir(join(this.#root, folder))) {
      if (folder === '' && entry.name.startsWith('.ropewalk-')) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) yield * this.#walk(path)
      else if (entry.isFile() && isPlain(path)) yield await this.#describe(path)
    }
  }

  async #describe (path: string): Promise<LocalFile> {
    const handle = await open(join(this.#root, path), constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      const { size } = await handle.stat()
      const last = new Uint8Array(1)
      if (size > 0) await handle.read(last, 0, 1, size - 1)
      return { name: PREFIX + path, size, nulTail: size > 0 && last[0] === 0 }
    } finally {
      await handle.close()
    }
  }

  async #filling (name: string): Promise<FileHandle> {
    const found = this.#open.get(name)
    if (found !== undefined) {
      this.#open.delete(name)
      this.#open.set(name, found)
      return found
    }
    const handle = await open(this.#fillingPath(name), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
    const other = this.#open.get(name)
    if (other !== undefined) {
      await handle.close()
      return other
    }
    this.#open.set(name, handle)
    const [oldest] = this.#open
    if (this.#open.size > MAX_OPEN && oldest !== undefined) {
      this.#open.delete(oldest[0])
      await oldest[1].close()
    }
    return handle
  }

  #fillingPath (name: string): string {
    return join(this.#root, FILLING, digest(name))
  }
}

/** A name of the wire as one below the folder. */
function below (name: string): string {
  if (!name.startsWith(PREFIX)) throw new RopewalkError('ERR_FILE', 'a name of a swarm begins with files/', { text: name })
  return normaliseName(name.slice(PREFIX.length))
}

/** Files of the folder that the wire cannot name are not told of. */
function isPlain (path: string): boolean {
  try {
    return normaliseName(path) === path
  } catch {
    return false
  }
}

async function readAt (handle: FileHandle, index: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(CHUNK_BYTES)
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, index * CHUNK_BYTES + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled === 0 ? undefined : bytes.subarray(0, filled)
}

function digest (text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function absent (error: unknown): undefined {
  if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
  throw error
}
