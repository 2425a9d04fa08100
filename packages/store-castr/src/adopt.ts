/**
 * Takes over what makers that were killed have left: chunks that were written, and not yet durable and under their names. Whoever begins to make
 * something does so, and only where a lease says that somebody was killed.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { toHex } from '@ropewalk/framing'
import type { ChunkCompression, ChunkId } from '@ropewalk/interface'
import { systemCode } from './errors.ts'
import type { FileSystem } from './file-system.ts'
import { isShard, type Layout } from './layout.ts'
import { readLeases } from './lease.ts'

/** Gives each chunk that the dead were writing to `take`, under a temporary name with `mark`, so that nobody else has it; then their leases go. */
export async function adopt (fs: FileSystem, layout: Layout, mark: string, take: (id: ChunkId, temporary: string) => Promise<void>): Promise<void> {
  const { dead } = await readLeases(layout.leases)
  if (dead.length === 0) return
  const marks = new Set(dead.map(({ mark }) => mark))
  for (const shard of (await fs.readdir(layout.root)).filter(isShard)) {
    for (const name of await fs.readdir(join(layout.root, shard))) {
      const found = layout.parseTemporary(shard, name)
      if (found === undefined || !marks.has(found.mark)) continue
      const mine = layout.temporaryOf(found.id, mark + toHex(randomBytes(8)))
      if (await fs.rename(join(layout.root, shard, name), mine).then(() => true, ifGone)) await take(found.id, mine)
    }
  }
  for (const { path } of dead) await fs.unlink(path).catch(ifGone)
}

/** Which of the two a chunk's file has, as its name does not say it yet; `undefined` when `verify` takes neither. */
export async function formOf (content: Uint8Array, { decompress }: ChunkCompression, maxBytes: number, verify: (bytes: Uint8Array) => Promise<void>): Promise<'compressed' | 'plain' | undefined> {
  try {
    await verify(await decompress(content, maxBytes))
    return 'compressed'
  } catch {
    return await verify(content).then(() => 'plain' as const, () => undefined)
  }
}

/** Somebody else who begins now was faster. */
function ifGone (error: unknown): false {
  if (systemCode(error) !== 'ENOENT') throw error
  return false
}
