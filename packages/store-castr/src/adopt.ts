/**
 * Takes over what makers that were killed have left: chunks that were written, and not yet durable and under their names. Whoever begins to make
 * something does so, and only where a lease says that somebody was killed.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { toHex } from '@ropewalk/framing'
import type { ChunkCompression, ChunkId, Hasher } from '@ropewalk/interface'
import { MAX_CHUNK_BYTES } from './constants.ts'
import { systemCode } from './errors.ts'
import type { FileSystem } from './file-system.ts'
import { isShard, type Layout } from './layout.ts'
import { Lease, readLeases } from './lease.ts'
import { mostCompressed, readChunkFile } from './read-chunk.ts'

export interface Adopter {
  readonly fs: FileSystem
  readonly layout: Layout
  readonly hash: Hasher
  readonly compression: ChunkCompression
  /** Gives the chunk its name. */
  take (chunk: Adopted): Promise<void>
}

/** A chunk that is whole, and lies under a temporary name of ours. */
export interface Adopted extends Form {
  readonly id: ChunkId
  readonly temporary: string
}

interface Form {
  readonly compressed: boolean
  /** Of the file. */
  readonly bytes: number
}

/** Takes a lease, and then what the dead have left. */
export async function beginLease (adopter: Adopter): Promise<Lease> {
  const lease = await Lease.open(adopter.layout.leases)
  try {
    await adopt(adopter, lease.mark)
    return lease
  } catch (error) {
    await lease.close()
    throw error
  }
}

/** Each chunk that the dead were writing gets a temporary name with `mark`, so that nobody else has it, and is taken if it is whole; then their leases go. */
async function adopt (adopter: Adopter, mark: string): Promise<void> {
  const { fs, layout, take } = adopter
  const { dead } = await readLeases(layout.leases)
  if (dead.length === 0) return
  const marks = new Set(dead.map(({ mark }) => mark))
  for (const shard of (await fs.readdir(layout.root)).filter(isShard)) {
    for (const name of await fs.readdir(join(layout.root, shard))) {
      const found = layout.parseTemporary(shard, name)
      if (found === undefined || !marks.has(found.mark)) continue
      const { id } = found
      const temporary = layout.temporaryOf(id, mark + toHex(randomBytes(8)))
      if (!await fs.rename(join(layout.root, shard, name), temporary).then(() => true, ifGone)) continue
      const form = await formOf(adopter, id, temporary)
      if (form !== undefined) await take({ id, temporary, ...form })
      // What cannot be removed is in nobody's way.
      else await fs.unlink(temporary).catch(() => {})
    }
  }
  for (const { path } of dead) await fs.unlink(path).catch(ifGone)
}

/**
 * `undefined` when it is not whole. No limit and no digest is asked but those of all stores: whoever wrote it may have had others than whoever
 * finds it.
 */
async function formOf ({ fs, hash, compression }: Adopter, id: ChunkId, path: string): Promise<Form | undefined> {
  const content = await readChunkFile(fs, path, mostCompressed(MAX_CHUNK_BYTES)).catch(() => undefined)
  if (content === undefined) return undefined
  const fits = async (bytes: Uint8Array): Promise<boolean> => toHex(await hash('sha512-256', bytes)) === id || toHex(await hash('sha256', bytes)) === id
  if (await compression.decompress(content, MAX_CHUNK_BYTES).then(fits, () => false)) return { compressed: true, bytes: content.length }
  return content.length <= MAX_CHUNK_BYTES && await fits(content) ? { compressed: false, bytes: content.length } : undefined
}

/** Somebody else who begins now was faster. */
function ifGone (error: unknown): false {
  if (systemCode(error) !== 'ENOENT') throw error
  return false
}
