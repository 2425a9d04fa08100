/**
 * Uploads in a folder.
 *
 *      meta/<id>.json                          what is to be stored, written once, in one step
 *      parts/<id>/<index>.bin                  content, by position
 *      parts/<id>/journal                      a line for every block that is there: written after the block is on the disk
 *      files/<uid>/<fid>/<index>.bin           what is complete (readme)
 *      files/<digest>                          what is complete (final)
 *
 * Ids are checked before they become part of a path; names that clients chose never do.
 *
 * @module
 */
import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Uint8ArrayList } from 'uint8arraylist'
import { isDigest, isUuid } from '../chunk-id-codec.ts'
import type { Block, FoundFile, StoredUpload, UploadPlan, UploadStore, WantedFile } from '../ports.ts'
import { TransferState } from '../transfer-state.ts'

/** Opens the folder, or makes it. One process at a time. */
export async function openUploadStore (root: string): Promise<FolderUploadStore> {
  for (const name of ['meta', 'parts', 'files']) await mkdir(join(root, name), { recursive: true, mode: 0o700 })
  await syncDirectory(root)
  return new FolderUploadStore(root)
}

export class FolderUploadStore implements UploadStore {
  readonly #root: string
  #temporary = 0

  constructor (root: string) {
    this.#root = root
  }

  async open (id: string): Promise<StoredUpload | undefined> {
    const plan = await this.#plan(id)
    return plan === undefined ? undefined : { plan, missing: await this.#missing(plan), created: false }
  }

  async create (plan: UploadPlan): Promise<StoredUpload> {
    const there = await this.open(plan.id)
    if (there !== undefined) return there
    const parts = this.#parts(plan.id)
    await rm(parts, { recursive: true, force: true })
    await mkdir(parts, { recursive: true, mode: 0o700 })
    for (const [index, { size }] of plan.files.entries()) {
      await using file = await open(join(parts, `${index}.bin`), 'wx', 0o600)
      await file.truncate(size)
      await file.sync()
    }
    await (await open(join(parts, 'journal'), 'wx', 0o600)).close()
    await syncDirectory(parts)
    await syncDirectory(dirname(parts))

    const path = this.#meta(plan.id)
    const temporary = `${path}.${process.pid}.${this.#temporary++}.new`
    await writeDurably(temporary, 'wx', new TextEncoder().encode(JSON.stringify(plan)))
    await rename(temporary, path)
    await syncDirectory(dirname(path))
    return { plan, missing: await this.#missing(plan), created: true }
  }

  async write (plan: UploadPlan, blocks: readonly Block[]): Promise<void> {
    const parts = this.#parts(plan.id)
    for (const index of new Set(blocks.map(({ file }) => file))) {
      // Made anew where the process ended in the middle of a reset.
      await using file = await open(join(parts, `${index}.bin`), constants.O_RDWR | constants.O_CREAT, 0o600)
      for (const run of runs(blocks.filter(block => block.file === index))) {
        await writeAll(file, run.map(({ bytes }) => bytes), (run[0] as Block).index * plan.blockBytes)
      }
      await file.datasync()
    }
    // Only now: a line that survives says that its block does.
    await writeDurably(join(parts, 'journal'), 'a', new TextEncoder().encode(blocks.map(({ file, index }) => `${file} ${index}\n`).join('')))
  }

  async read (plan: UploadPlan, file: number, index: number): Promise<Uint8Array> {
    const { size } = plan.files[file] as { size: number }
    const position = index * plan.blockBytes
    return await this.readRange(plan, file, position, Math.min(plan.blockBytes, size - position))
  }

  async readRange (plan: UploadPlan, file: number, position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    await using handle = await this.#openContent(plan, file)
    for (let filled = 0; filled < bytes.length;) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, position + filled)
      if (bytesRead === 0) throw new Error(`a file shorter than it was: ${position + filled} < ${position + length} bytes`)
      filled += bytesRead
    }
    return bytes
  }

  async finish (plan: UploadPlan, file: number): Promise<void> {
    const target = this.#final(plan, file)
    if (await exists(target)) return
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    await rename(join(this.#parts(plan.id), `${file}.bin`), target)
    await syncDirectory(dirname(target))
    await syncDirectory(dirname(dirname(target)))
    await syncDirectory(join(this.#root, 'files'))
  }

  async reset (plan: UploadPlan, file: number): Promise<void> {
    const parts = this.#parts(plan.id)
    await writeDurably(join(parts, 'journal'), 'a', new TextEncoder().encode(`reset ${file}\n`))
    await rename(join(parts, `${file}.bin`), join(parts, `${file}.rejected`))
    await using handle = await open(join(parts, `${file}.bin`), 'wx', 0o600)
    await handle.truncate((plan.files[file] as { size: number }).size)
    await handle.sync()
    await syncDirectory(parts)
  }

  async find ({ digest, name, tags = [], owner }: WantedFile): Promise<FoundFile | undefined> {
    for (const entry of (await readdir(join(this.#root, 'meta'))).sort()) {
      const id = entry.replace(/\.json$/, '')
      const plan = isDigest(id) || isUuid(id) ? await this.#plan(id) : undefined
      if (plan === undefined || !tags.every(tag => plan.tags.includes(tag)) || (isUuid(id) && plan.owner !== owner)) continue
      for (const [file, planned] of plan.files.entries()) {
        // Without a digest nobody could ask for its blocks.
        if (planned.digest === undefined || planned.digest !== (digest ?? planned.digest) || planned.name !== (name ?? planned.name)) continue
        if (isDigest(id) || await exists(this.#final(plan, file))) return { plan, file }
      }
    }
    return undefined
  }

  /** Removes what was begun before `createdBefore` (milliseconds since 1970) and is not complete. Call it while nobody is served. */
  async sweep (createdBefore: number): Promise<number> {
    let removed = 0
    for (const entry of await readdir(join(this.#root, 'meta'))) {
      const id = entry.replace(/\.json$/, '')
      const stored = isUuid(id) || isDigest(id) ? await this.open(id) : undefined
      if (stored === undefined || stored.missing.length === 0 || stored.plan.createdAt >= createdBefore) continue
      await rm(this.#meta(id))
      await syncDirectory(join(this.#root, 'meta'))
      await rm(this.#parts(id), { recursive: true, force: true })
      removed++
    }
    return removed
  }

  async #plan (id: string): Promise<UploadPlan | undefined> {
    try {
      return JSON.parse(await readFile(this.#meta(id), 'utf8')) as UploadPlan
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  async #missing (plan: UploadPlan): Promise<StoredUpload['missing']> {
    const everything = plan.files.flatMap(({ size }, file): Array<[number, number, number]> => size === 0 ? [] : [[file, 0, Math.ceil(size / plan.blockBytes) - 1]])
    const state = new TransferState(plan, everything)
    for (const line of await this.#journal(plan.id)) {
      const [first = '', second = ''] = line.split(' ')
      const place = first === 'reset' ? undefined : state.at(Number(first), Number(second))
      if (first === 'reset') state.reset(Number(second))
      else if (place !== undefined) state.mark(place)
    }
    return state.missing()
  }

  /** A line that was cut short by the end of the process says nothing, and nothing may be added to it. */
  async #journal (id: string): Promise<string[]> {
    const path = join(this.#parts(id), 'journal')
    let text: string
    try {
      text = await readFile(path, 'latin1')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
    const end = text.lastIndexOf('\n') + 1
    if (end < text.length) await truncate(path, end)
    return text.slice(0, end).split('\n').slice(0, -1)
  }

  async #openContent (plan: UploadPlan, file: number): Promise<Awaited<ReturnType<typeof open>>> {
    try {
      return await open(this.#final(plan, file), 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return await open(join(this.#parts(plan.id), `${file}.bin`), 'r')
    }
  }

  #meta (id: string): string {
    return join(this.#root, 'meta', `${checked(id)}.json`)
  }

  #parts (id: string): string {
    return join(this.#root, 'parts', checked(id))
  }

  #final (plan: UploadPlan, file: number): string {
    const id = checked(plan.id)
    return isDigest(id) ? join(this.#root, 'files', id) : join(this.#root, 'files', String(plan.owner), id, `${file}.bin`)
  }
}

function checked (id: string): string {
  if (!isDigest(id) && !(isUuid(id) && id === id.toLowerCase())) throw new TypeError('neither a UUID nor a SHA-256 in lower-case hex')
  return id
}

async function writeDurably (path: string, flags: 'a' | 'wx', bytes: Uint8Array): Promise<void> {
  await using file = await open(path, flags, 0o600)
  await writeAll(file, [bytes])
  await file.sync()
}

/** Blocks that follow each other, together. */
function runs (blocks: readonly Block[]): Block[][] {
  const together: Block[][] = []
  for (const block of blocks) {
    const last = together.at(-1)
    if (last !== undefined && last[0] !== undefined && block.index === last[0].index + last.length) last.push(block)
    else together.push([block])
  }
  return together
}

/** From `position`, or where the file is: all of it with one system call, unless the system takes less at once. */
async function writeAll (file: Awaited<ReturnType<typeof open>>, pieces: readonly Uint8Array[], position?: number): Promise<void> {
  const left = new Uint8ArrayList(...pieces)
  for (let written = 0; left.length > 0;) {
    const { bytesWritten } = await file.writev(Array.from(left), position === undefined ? undefined : position + written)
    written += bytesWritten
    left.consume(bytesWritten)
  }
}

async function syncDirectory (path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}

async function exists (path: string): Promise<boolean> {
  return await stat(path).then(() => true, () => false)
}
