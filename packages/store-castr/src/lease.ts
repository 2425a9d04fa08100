/**
 * Leases: while somebody makes an index, no collection takes away what it has put or found in the store since it began. A lease is a file
 * whose name says which process holds it, whose time of change is when it began, and whose time of access when it was heard of last. Its last part, the
 * mark, is also in the names of the chunks that its holder is writing: when it is dead, they are nobody's.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, stat, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { identify, ownerName, ownerOf, startOf } from '@ropewalk/disk'
import { LEASE_EXPIRY_MS, LEASE_RENEWAL_MS } from './constants.ts'

export class Lease {
  /** 12 hex digits. */
  readonly mark: string
  readonly #path: string
  readonly #startMs: number
  #renewedMs: number

  private constructor (path: string, mark: string, startMs: number) {
    this.mark = mark
    this.#path = path
    this.#startMs = startMs
    this.#renewedMs = startMs
  }

  static async open (folder: string): Promise<Lease> {
    await mkdir(folder, { recursive: true })
    const mark = randomBytes(6).toString('hex')
    const path = join(folder, ownerName(await identify(), mark))
    await (await open(path, 'wx', 0o644)).close()
    return new Lease(path, mark, (await stat(path)).mtimeMs)
  }

  /** Says that it is alive, now and then. */
  async renew (): Promise<void> {
    const now = Date.now()
    if (now - this.#renewedMs < LEASE_RENEWAL_MS) return
    this.#renewedMs = now
    await utimes(this.#path, now / 1000, this.#startMs / 1000)
  }

  async close (): Promise<void> {
    await unlink(this.#path).catch(() => {})
  }
}

export interface Leases {
  /** When the oldest lease of the living began; `Infinity` when there is none. */
  readonly oldest: number
  /** Of processes that ended without a word, and when they were heard of last. */
  readonly dead: ReadonlyArray<{ readonly path: string, readonly mark: string, readonly heardMs: number }>
}

export async function readLeases (folder: string): Promise<Leases> {
  const here = await identify()
  let oldest = Infinity
  const dead: Array<Leases['dead'][number]> = []
  for (const name of await readdir(folder).catch(() => [])) {
    const owner = ownerOf(name)
    if (owner === undefined) continue
    const path = join(folder, name)
    const stats = await stat(path).catch(() => undefined)
    if (stats === undefined) continue
    const known = owner.boot === here.boot && owner.space === here.space && here.boot !== '0'
    const heardMs = Math.max(stats.atimeMs, stats.mtimeMs)
    const alive = known ? await startOf(owner.pid) === owner.start : Date.now() - heardMs < LEASE_EXPIRY_MS
    if (alive) oldest = Math.min(oldest, stats.mtimeMs)
    else dead.push({ path, mark: owner.mark, heardMs })
  }
  return { oldest, dead }
}

/** What time it is where the store lies. */
export async function timeOf (folder: string): Promise<number> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, `now-${randomBytes(6).toString('hex')}`)
  await (await open(path, 'wx')).close()
  try {
    return (await stat(path)).mtimeMs
  } finally {
    await unlink(path)
  }
}
