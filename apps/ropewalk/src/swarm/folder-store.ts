/**
 * The files of a swarm in a folder: whole ones under their names, what is being filled apart from them. A peer names them, so they
 * come into the folder through `receive`.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, opendir, readdir, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAll } from '@ropewalk/disk'
import { CHUNK_BYTES, type LocalFile, type PartialFile, type SwarmStore } from '@ropewalk/protocol-torronto'
import { normaliseName, openReceiver, receiveFile, type Receiver } from '@ropewalk/receive'
import { codeOf, RopewalkError } from '../errors.ts'
import { OpenFiles } from './open-files.ts'

/** What is not whole lies here, below the folder; nothing in it is ever told. */
const FILLING = '.ropewalk-swarm'

/** On the wire every name begins with it. */
const PREFIX = 'files/'

/** Copies that holders disagree about, kept for a person to look at; more are forgotten. Ours. */
const MAX_ASIDE = 64

/** What is known of a file that is being filled stands beside it. */
const DESCRIPTION = '.json'

export class FolderSwarmStore implements SwarmStore {
  readonly #root: string
  readonly #receiver: Receiver
  /** What is being filled. */
  readonly #open = new OpenFiles()
  /** Whole files, for who asks for their chunks. */
  readonly #whole = new OpenFiles()
  #asides = 0

  /** Opens the folder, which is made if it is missing. What an earlier process has left half is kept where it is known what it was to be. */
  static async open (root: string): Promise<FolderSwarmStore> {
    const receiver = await openReceiver(root, { collisions: 'refuse' })
    const filling = join(receiver.root, FILLING)
    await mkdir(filling, { mode: 0o700 }).catch(present)
    const left = new Set(await readdir(filling))
    for (const entry of left) {
      const known = entry.endsWith(DESCRIPTION) ? left.has(entry.slice(0, -DESCRIPTION.length)) : left.has(entry + DESCRIPTION)
      if (!known) await rm(join(filling, entry), { recursive: true, force: true })
    }
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
    if (this.#open.has(name)) return await this.#filling(name, async handle => await readAt(handle, index))
    const path = join(this.#root, below(name))
    const whole = await this.#whole.use(name, async () => await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent), async handle => ({ bytes: await readAt(handle, index) }))
    if (whole !== undefined) return whole.bytes
    const handle = await open(this.#fillingPath(name), constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent)
    try {
      return handle === undefined ? undefined : await readAt(handle, index)
    } finally {
      await handle?.close()
    }
  }

  /** Not synced: after a restart whatever is there is hashed before it counts. */
  async describe (file: PartialFile): Promise<void> {
    const path = this.#fillingPath(file.name) + DESCRIPTION
    await this.#filling(file.name, async () => {})
    await writeFile(`${path}.new`, JSON.stringify(file), { mode: 0o600 })
    await rename(`${path}.new`, path)
  }

  async * partial (): AsyncGenerator<PartialFile> {
    for (const entry of await readdir(join(this.#root, FILLING))) {
      if (!entry.endsWith(DESCRIPTION)) continue
      const file = parsePartial(await readFile(join(this.#root, FILLING, entry), 'utf8'))
      if (file !== undefined && digest(file.name) + DESCRIPTION === entry) yield file
    }
  }

  async write (name: string, index: number, bytes: Uint8Array): Promise<void> {
    await this.#filling(name, async handle => { await writeAll(handle, [bytes], index * CHUNK_BYTES) })
  }

  async finish (name: string, size: number): Promise<void> {
    await this.#filling(name, async handle => {
      await handle.truncate(size)
      await this.#receiver.adopt(this.#fillingPath(name), below(name), { size }).catch(async (error: unknown) => {
        if (codeOf(error) !== 'ERR_UNSUPPORTED') throw error
        const content = handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 1024 * 1024 })
        await receiveFile(this.#receiver, below(name), size === 0 ? [] : content, { size })
      })
    })
    await this.discard(name)
  }

  async discard (name: string): Promise<void> {
    await this.#open.close(name)
    for (const path of [this.#fillingPath(name) + DESCRIPTION, this.#fillingPath(name)]) await rm(path, { force: true })
  }

  async aside (name: string, index: number, from: string, bytes: Uint8Array): Promise<void> {
    if (this.#asides++ >= MAX_ASIDE) return
    await writeFile(join(this.#root, FILLING, `aside-${digest(name)}-${index}-${digest(from).slice(0, 16)}`), bytes, { mode: 0o600 })
  }

  /** What is not whole stays, for the next process. */
  async close (): Promise<void> {
    await this.#open.closeAll()
    await this.#whole.closeAll()
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

  /** The folder is open to nobody else; what the file has in the end is what the umask leaves. */
  async #filling<T> (name: string, work: (handle: FileHandle) => Promise<T>): Promise<T | undefined> {
    return await this.#open.use(name, async () => await open(this.#fillingPath(name), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o777), work)
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

/** A hash as it is written down. */
const SHA256 = /^[0-9a-f]{64}$/

/** Undefined where power was lost before it was written, or somebody else has written it. */
function parsePartial (text: string): PartialFile | undefined {
  try {
    const { name, size, chunkSha256 } = JSON.parse(text) as Partial<PartialFile>
    const plain = typeof name === 'string' && Number.isSafeInteger(size) && Array.isArray(chunkSha256) && chunkSha256.length === Math.ceil(Number(size) / CHUNK_BYTES) &&
      chunkSha256.every(sha256 => typeof sha256 === 'string' && SHA256.test(sha256))
    return plain ? { name, size: Number(size), chunkSha256 } : undefined
  } catch {
    return undefined
  }
}

async function readAt (handle: FileHandle, index: number): Promise<Uint8Array | undefined> {
  // What was in it is overwritten, or cut off.
  const bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES)
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

function present (error: unknown): undefined {
  if (codeOf(error) !== 'EEXIST') throw error
}

function absent (error: unknown): undefined {
  if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
  throw error
}
