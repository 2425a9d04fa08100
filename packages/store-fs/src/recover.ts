/**
 * What a store does with what it finds when it opens.
 *
 * After the death of the process alone, every byte that was written is in its file. After a loss of power that holds only
 * for what was synced: a file may have its full length and zeros for an end. So the store notes the id of the boot it runs
 * under; when the machine has started since, unfinished objects are cut back to what their `.synced-` marker promises.
 *
 * @module
 */
import { constants } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { DirectorySync } from '@ropewalk/disk'
import { BOOT_FILE } from './constants.ts'
import { StoreError } from './errors.ts'
import type { FileSystem } from './file-system.ts'
import { isId, isShard, parseMarker, parseObject, type Layout } from './layout.ts'

export interface RecoverOptions {
  /** Keep unfinished objects so that uploads can go on, or start without them. */
  unfinished: 'keep' | 'remove'
  /** Unfinished objects that nobody has written to for longer are removed. */
  maxUnfinishedAgeMs: number
}

export interface Recovered {
  /** The shards that exist. */
  shards: Set<string>
  /** The unfinished objects: their size, and the size in their marker (0 when there is none). */
  unfinished: Map<string, { size: number, marker: number }>
}

/** Makes the folders, each durable in the one above. */
export async function makeFolders (fs: FileSystem, sync: DirectorySync, layout: Layout): Promise<void> {
  const first = await fs.mkdir(layout.root, { recursive: true, mode: 0o700 })
  if (first != null) {
    for (let path = resolve(layout.root); path.length >= resolve(first).length; path = dirname(path)) await sync.sync(dirname(path))
  }
  for (const folder of [layout.objects, layout.partial]) await fs.mkdir(folder, { recursive: true, mode: 0o700 })
  await sync.sync(layout.root)
}

export async function recover (fs: FileSystem, sync: DirectorySync, layout: Layout, boot: string, options: RecoverOptions): Promise<Recovered> {
  const shards = new Set((await fs.readdir(layout.objects)).filter(isShard))
  const powerLost = boot === '' || boot !== await readBoot(fs, layout)
  const { files, markers } = await sortPartial(fs, layout)
  const unfinished: Recovered['unfinished'] = new Map()

  for (const id of files) {
    const marker = markers.get(id) ?? 0
    const size = await recoverOne(fs, layout, id, powerLost ? marker : Infinity, options)
    if (size != null) unfinished.set(id, { size, marker })
  }

  for (const [id, size] of markers) {
    if (!unfinished.has(id)) await fs.rm(layout.markerOf(id, size), { force: true })
  }

  await sync.sync(layout.objects)
  await sync.sync(layout.partial)
  if (powerLost) await writeBoot(fs, sync, layout, boot)
  return { shards, unfinished }
}

/** Bytes of all committed objects. Looks at every file: only who asks for a quota pays for it. */
export async function committedBytes (fs: FileSystem, layout: Layout, shards: Iterable<string>): Promise<number> {
  let bytes = 0
  for (const shard of shards) {
    for (const name of await fs.readdir(join(layout.objects, shard))) {
      if (parseObject(name) != null) bytes += (await fs.lstat(join(layout.objects, shard, name)))?.size ?? 0
    }
  }
  return bytes
}

/** Removes from the folder of unfinished objects whatever is neither an object nor a marker of one. */
async function sortPartial (fs: FileSystem, layout: Layout): Promise<{ files: Set<string>, markers: Map<string, number> }> {
  const files = new Set<string>()
  const markers = new Map<string, number>()

  for (const entry of await fs.readdir(layout.partial, { withFileTypes: true })) {
    const marker = parseMarker(entry.name)
    const known = marker == null ? undefined : markers.get(marker.id)
    const path = join(layout.partial, entry.name)

    if (entry.isDirectory()) continue
    if (entry.isFile() && isId(entry.name)) {
      files.add(entry.name)
    } else if (marker == null || !entry.isFile()) {
      await fs.rm(path, { force: true })
    } else {
      // Two markers of one object: the process died between writing the newer and removing the older.
      markers.set(marker.id, Math.max(marker.size, known ?? 0))
      if (known != null) await fs.rm(layout.markerOf(marker.id, Math.min(marker.size, known)), { force: true })
    }
  }
  return { files, markers }
}

/** The size that the unfinished object has from now on, or `undefined` when it had to go. */
async function recoverOne (fs: FileSystem, layout: Layout, id: string, trusted: number, options: RecoverOptions): Promise<number | undefined> {
  const path = layout.partialOf(id)
  const entry = await fs.lstat(path)
  if (entry == null) return undefined
  const { size, mtimeMs } = entry
  const keep = options.unfinished === 'keep' &&
    trusted > 0 &&
    Date.now() - mtimeMs <= options.maxUnfinishedAgeMs &&
    !await isCommitted(fs, layout, id)

  if (!keep) {
    await fs.unlink(path)
    return undefined
  }
  if (size <= trusted) return size

  const handle = await fs.open(path, constants.O_WRONLY | constants.O_NOFOLLOW)
  try {
    await handle.truncate(trusted)
    await handle.datasync()
  } finally {
    await handle.close()
  }
  return trusted
}

/** Whether a committed object of that id can be served. */
export async function isCommitted (fs: FileSystem, layout: Layout, id: string): Promise<boolean> {
  return await committedSize(fs, layout, id) != null
}

/** A file without content is only taken for an empty object if it was committed as one. */
export async function committedSize (fs: FileSystem, layout: Layout, id: string): Promise<number | undefined> {
  const object = await fs.lstat(layout.objectOf(id))
  if (object?.isFile() === true && object.size > 0) return object.size
  const empty = await fs.lstat(layout.emptyOf(id))
  return empty?.isFile() === true && empty.size === 0 ? 0 : undefined
}

async function readBoot (fs: FileSystem, layout: Layout): Promise<string | undefined> {
  const path = join(layout.root, BOOT_FILE)
  if (await fs.lstat(path) == null) return undefined
  const handle = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const buffer = Buffer.alloc(64)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

async function writeBoot (fs: FileSystem, sync: DirectorySync, layout: Layout, boot: string): Promise<void> {
  if (boot.length > 64) throw new StoreError('ERR_IO', `${boot.length} > 64 characters in the id of a boot`)
  const path = join(layout.root, BOOT_FILE)
  const handle = await fs.open(`${path}.new`, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW, 0o600)
  try {
    await handle.write(Buffer.from(boot, 'latin1'), 0, undefined, 0)
    await handle.datasync()
  } finally {
    await handle.close()
  }
  await fs.rename(`${path}.new`, path)
  await sync.sync(layout.root)
}
