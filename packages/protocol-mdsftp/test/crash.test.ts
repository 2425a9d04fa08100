import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LedgerEntry } from '@ropewalk/interface'
import { openSqliteLedger } from '@ropewalk/ledger-sqlite'
import { openFsStore } from '@ropewalk/store-fs'
import { duplexPair } from '@ropewalk/testing'
import t, { type Test } from 'tap'
import { acceptNode, commit, connectNode, putChunk, query, retrieve, serve, StorageNode, type StorageConnection } from '../src/index.ts'
import { crashContent, isCrashContent } from './crash-content.ts'

const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url))
/** Nodes in the process that is killed. */
const NODES = 4
/** Half of `ROPEWALK_ROUNDS`; a run in full has 16. */
const ROUNDS = Math.min(16, Math.ceil(Number(process.env['ROPEWALK_ROUNDS'] ?? 10) / 2))

/** Lines after which a process is killed, at the most. */
const MOST_LINES = 240

/** What the clients were told, over all rounds. */
interface Told { size: number, durable: boolean, acked: number, complete: boolean, committing: boolean, committed: boolean, removing: boolean, removed: boolean }

t.test(`kill -9 of a node, ${NODES * ROUNDS} times: what was promised is there, what was not is gone, and space adds up`, async t => {
  const directory = await mkdtemp(join(tmpdir(), 'crash-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const directories = Array.from({ length: NODES }, (_, number) => join(directory, String(number)))
  await Promise.all(directories.map(async path => await mkdir(path)))
  const told = directories.map(() => new Map<string, Told>())
  const seen = { resumed: 0, committed: 0, waiting: 0 }

  for (let round = 0; round < ROUNDS; round++) {
    // Early, in the middle and late, whatever chance says: without late ones nothing would have been committed.
    for (const line of await runUntilKilled(directories, 1 + Math.floor((round + Math.random()) / ROUNDS * MOST_LINES))) hear(told, line)
    await Promise.all(directories.map(async (path, number) => await checkNode(t, path, told[number] as Map<string, Told>, seen)))
  }
  // That there was something to see. How much, chance decides.
  t.ok(seen.resumed > ROUNDS / 2 && seen.committed > ROUNDS / 4 && seen.waiting > ROUNDS / 4, JSON.stringify(seen))
})

/** Starts the node again, compares it with what was told, goes on with what can be gone on with, and leaves it empty. */
async function checkNode (t: Test, directory: string, told: Map<string, Told>, seen: { resumed: number, committed: number, waiting: number }): Promise<void> {
  const store = await openFsStore(join(directory, 'store'))
  const ledger = await openSqliteLedger(join(directory, 'ledger'))
  const node = new StorageNode({ store, ledger, maxBytes: 1_000_000_000 })
  for (const id of (await node.ready).lost) if (told.get(id)?.removing !== true) t.fail(`${id} was committed and the store has lost it`)
  const connection = await clientOf(node)

  const entries = new Map((await ledger.page('', 100_000)).map(entry => [entry.id, entry]))
  const sum = (state: (entry: LedgerEntry) => boolean): number => [...entries.values()].filter(state).reduce((all, { size }) => all + size, 0)
  t.same(await ledger.usage(), {
    usedBytes: sum(({ state }) => state !== 'reserved'), reservedBytes: sum(({ state }) => state === 'reserved'), open: [...entries.values()].filter(({ state }) => state !== 'committed').length
  })
  for await (const { id } of store.list()) if (!entries.has(id)) t.fail(`${id} is stored, and nobody knows of it`)

  for (const [id, { size, durable, acked, complete: uploaded, committing, committed, removing, removed }] of told) {
    // An upload of nothing is over when its channel is closed, which nobody answers.
    const complete = uploaded && size > 0
    const entry = entries.get(id)
    if (removed && entry !== undefined) t.fail(`${id} was removed and is back`)
    if (removing) continue
    if ((committed || complete || durable) && entry === undefined) t.fail(`${id} was promised and is gone`)
    if (committed && entry?.state !== 'committed') t.fail(`${id} was committed and is ${entry?.state}`)
    if (complete && entry?.state === 'reserved') t.fail(`${id} was complete with its ${size} bytes and is not`)
    if (!durable && entry?.state === 'reserved') t.fail(`${id} cannot be gone on with and is kept`)
    if (!committing && !committed && entry?.state === 'complete') seen.waiting++
    if (entry?.state === 'reserved' && ((await query(connection, id))?.size ?? -1) < acked) t.fail(`${id} has fewer than the ${acked} bytes acknowledged`)
    if (entry !== undefined && entry.size !== size) t.fail(`${id} has another size`)
  }
  await Promise.all(Array.from(entries.values(), async ({ id, size, state, sha256 }) => {
    if (state === 'reserved') {
      const { size: offset = -1 } = await query(connection, id) ?? {}
      await putChunk(connection, id, crashContent(size, offset), { size: size - offset, append: true })
      seen.resumed++
    }
    if (state !== 'committed') await commit(connection, id)
    else seen.committed++
    await checkContent(connection, id, size, sha256)
    await node.remove(id)
    told.delete(id)
  }))
  t.same(await ledger.usage(), { usedBytes: 0, reservedBytes: 0, open: 0 })
  for (const [id, { removing }] of told) if (removing) told.delete(id)
  await connection.close()
  await ledger.close()
  await store.close()
}

function hear (nodes: Array<Map<string, Told>>, line: string): void {
  const [number, what, id = '', value = '', kind] = line.split(' ')
  const told = nodes[Number(number)] as Map<string, Told>
  if (what === 'reserved') return void told.set(id, { size: Number(value), durable: kind === 'durable', acked: 0, complete: false, committing: false, committed: false, removing: false, removed: false })
  const chunk = told.get(id)
  if (chunk === undefined) return
  if (what === 'acked') chunk.acked = Number(value)
  else chunk[what as 'complete' | 'committing' | 'committed' | 'removing' | 'removed'] = true
}

async function checkContent (connection: StorageConnection, id: string, size: number, sha256: string | undefined): Promise<void> {
  const hash = createHash('sha256')
  let at = 0
  for await (const bytes of retrieve(connection, id, { size })) {
    if (!isCrashContent(bytes.subarray(), at, size)) throw new Error(`${id} is not what was uploaded, from byte ${at} on`)
    for (const piece of bytes) hash.update(piece)
    at += bytes.byteLength
  }
  if (at !== size) throw new Error(`${id} has ${at} of ${size} bytes`)
  if (sha256 !== undefined && sha256 !== hash.digest('hex')) throw new Error(`${id} has another digest`)
}

async function clientOf (node: StorageNode): Promise<StorageConnection> {
  const [left, right] = duplexPair()
  const connection = connectNode(left, { nodeId: '11223344556647889900aabbccddeeff' })
  void serve(await acceptNode(right), { node })
  return connection
}

/** The lines that the child has said before it was killed, which happens after `lines` of them. */
async function runUntilKilled (directories: string[], lines: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', CHILD, ...directories], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  let text = ''
  for await (const piece of child.stdout) {
    text += String(piece)
    if (text.split('\n').length > lines) child.kill('SIGKILL')
  }
  const [, signal] = await closed
  if (signal !== 'SIGKILL') throw new Error(`the child ended by itself: ${signal}`)
  return text.slice(0, text.lastIndexOf('\n')).split('\n')
}
