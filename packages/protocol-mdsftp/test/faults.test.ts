/** A disk that is full, peers that say anything, and a thousand of them at once. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteLedger } from '@ropewalk/ledger-sqlite'
import { nodeFileSystem, openFsStore, type FileSystem } from '@ropewalk/store-fs'
import { MemoryStore } from '@ropewalk/store-memory'
import { collect, duplexPair, hexdump, pattern, settle, verify } from '@ropewalk/testing'
import t, { type Test } from 'tap'
import { acceptNode, commit, connectNode, put, putChunk, query, reserve, retrieve, serve, StorageNode, upload, type StorageConnection } from '../src/index.ts'
import { DIALER_ID } from './nodes.ts'
import { Speaker } from './speaker.ts'
import { bytesOf, CHUNK_ID, FILE, profileOf } from './vectors.ts'

const SIZE = 20_000
/** Chunks that each of many clients stores and reads, one after the other. */
const CHUNKS = 3
const full = (): Error => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })

t.test('a disk that is full in a write: the uploader learns it, what is durable goes on later, the space is right', async t => {
  const { node, connection, disk } = await onDisk(t)
  let id = ''
  let written = 0
  disk.fault = name => name === 'write' && ++written === 3 ? full() : undefined
  await t.rejects(upload(connection, pattern(SIZE), { size: SIZE, durable: true, fragmentBytes: 4000, onReserved: chunkId => { id = chunkId } }), { code: 'ERR_INTERRUPTED' })
  await t.rejects(upload(connection, pattern(SIZE), { size: SIZE, fragmentBytes: 4000, onReserved: () => { written = 2 } }), { code: 'ERR_INTERRUPTED' })
  disk.fault = () => undefined
  t.equal((await query(connection, id))?.size, 8000)
  await agreed(t, node, { usedBytes: 0, reservedBytes: SIZE, open: 1 })
  await putChunk(connection, id, [(await collect(pattern(SIZE))).subarray(8000)], { size: SIZE - 8000, append: true })
  await commit(connection, id)
  await verify(retrieve(connection, id), SIZE)
  await agreed(t, node, { usedBytes: SIZE, reservedBytes: 0, open: 0 })
})

t.test('a disk that fails in sync, rename, or when a file is made: a code for each, the node lives, the space is right', async t => {
  for (const [call, code] of [['datasync', 'ERR_NOT_AVAILABLE'], ['rename', 'ERR_NOT_AVAILABLE'], ['open', 'ERR_NO_SPACE']] as const) {
    const { node, connection, disk } = await onDisk(t)
    disk.fault = (name, path) => name === call && path.includes('partial') ? full() : undefined
    await t.rejects(put(connection, pattern(SIZE), { size: SIZE }), { code, remote: true }, call)
    disk.fault = () => undefined
    await agreed(t, node, { usedBytes: 0, reservedBytes: 0, open: 0 })
    const { chunkId } = await put(connection, pattern(SIZE), { size: SIZE })
    await verify(retrieve(connection, chunkId), SIZE)
    await agreed(t, node, { usedBytes: SIZE, reservedBytes: 0, open: 0 })
  }
})

t.test('a commit that failed for want of space is tried again when there is some', async t => {
  const { node, connection, disk } = await onDisk(t)
  const { chunkId } = await upload(connection, pattern(SIZE), { size: SIZE })
  disk.fault = name => name === 'rename' ? full() : undefined
  await t.rejects(commit(connection, chunkId), { code: 'ERR_NOT_AVAILABLE' })
  await agreed(t, node, { usedBytes: SIZE, reservedBytes: 0, open: 1 })
  disk.fault = () => undefined
  await commit(connection, chunkId)
  await agreed(t, node, { usedBytes: SIZE, reservedBytes: 0, open: 0 })
})

t.test('a ledger that is full refuses reservations, and takes them again when others are over', async t => {
  const { node, connection } = await onDisk(t, { maxFileBytes: 70_000 })
  const reserved: string[] = []
  for (;;) {
    const id = await reserve(connection, 10, { durable: true }).catch((error: { code: string }) => t.equal(error.code, 'ERR_NO_SPACE') && undefined)
    if (id === undefined) break
    reserved.push(id as string)
  }
  await agreed(t, node, { usedBytes: 0, reservedBytes: reserved.length * 10, open: reserved.length })
  for (const id of reserved.splice(0, reserved.length >> 1)) await node.cancel(id)
  await reserve(connection, 10, { durable: true })
  await agreed(t, node, { usedBytes: 0, reservedBytes: (reserved.length + 1) * 10, open: reserved.length + 1 })
})

t.test('a disk with less room than was asked for refuses by what it has, whatever the ledger would allow', async t => {
  const { node, connection, disk } = await onDisk(t)
  disk.freeBytes = 50_000
  await t.rejects(reserve(connection, 50_001), { code: 'ERR_NO_SPACE', spaceLeft: 50_000n })
  await reserve(connection, 30_000, { durable: true })
  await t.rejects(reserve(connection, 20_001), { code: 'ERR_NO_SPACE', spaceLeft: 20_000n })
  await agreed(t, node, { usedBytes: 0, reservedBytes: 30_000, open: 1 })
})

t.test('every malformed input, over and over, to a node that goes on serving others', async t => {
  const store = new MemoryStore()
  store.plant(CHUNK_ID, Uint8Array.of(1, 2, 3))
  const node = new StorageNode({ store, maxBytes: 1_000_000 })
  const bystander = await clientOf(node)
  const inputs = FILE.malformed.filter(bad => profileOf(bad).name === 'upstream')
  t.ok(inputs.length >= 24, `${inputs.length} inputs`)
  for (let round = 0; round < 3; round++) {
    for (const [number, bad] of inputs.entries()) {
      const [left, right] = duplexPair({ attach: round % 2 === 0 })
      const speaker = new Speaker(left)
      await speaker.peer.send(hexdump(DIALER_ID))
      const served = serve(await acceptNode(right), { node }).catch(() => {})
      const said = speaker.peer.send(bytesOf(bad)).catch(() => {})
      const { chunkId } = await put(bystander, pattern(3000, number), { size: 3000, fragmentBytes: 1000 })
      await said
      await verify(retrieve(bystander, chunkId), 3000, number)
      await node.remove(chunkId)
      await speaker.peer.end().catch(() => {})
      speaker.peer.die()
      await served
    }
  }
  await settle(() => node.usage.uploads)
  t.same([node.locks.size, store.openWriters, store.openReaders, node.usage.uploads], [0, 0, 0, 0])
  await node.remove(CHUNK_ID)
  await node.ready
  t.equal(store.bytes, (await node.ledger.usage()).usedBytes, 'nothing is left that is not accounted for')
})

t.test('1,000 clients at once: each stores and reads its own, none is starved, memory is bounded', async t => {
  const store = new MemoryStore()
  const node = new StorageNode({ store, maxBytes: 100_000_000 })
  const before = process.memoryUsage()
  let peak = 0
  const stored = new Array<number>(1000).fill(0)
  let leastAtFirstEnd: number | undefined
  await Promise.all(Array.from({ length: 1000 }, async (_, number) => {
    const connection = await clientOf(node)
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      const { chunkId } = await put(connection, pattern(4096, number * CHUNKS + chunk), { size: 4096, fragmentBytes: 1024 })
      await verify(retrieve(connection, chunkId), 4096, number * CHUNKS + chunk)
      stored[number] = chunk + 1
    }
    leastAtFirstEnd ??= Math.min(...stored)
    const { rss } = process.memoryUsage()
    peak = Math.max(peak, rss - before.rss)
    await connection.close()
  }))
  t.ok(leastAtFirstEnd !== undefined && leastAtFirstEnd >= CHUNKS / 2, `when the first had done ${CHUNKS}, the last had done ${leastAtFirstEnd}`)
  t.same(await node.ledger.usage(), { usedBytes: 1000 * CHUNKS * 4096, reservedBytes: 0, open: 0 })
  t.same([node.locks.size, store.openWriters, store.openReaders], [0, 0, 0])
  // Both ends are in this process: 256 MiB each.
  t.ok(peak < 512 * 1024 * 1024, `${Math.round(peak / 1024 / 1024)} MiB more at the peak, clients included`)
})

interface Disk {
  fault: (name: string, path: string) => Error | undefined
  freeBytes: number
}

/** A node on disk and in SQLite, on a disk that can be told to fail, and a client. */
async function onDisk (t: Test, ledgerOptions: { maxFileBytes?: number } = {}): Promise<{ node: StorageNode, connection: StorageConnection, disk: Disk }> {
  const directory = await mkdtemp(join(tmpdir(), 'faults-'))
  const disk: Disk = { fault: () => undefined, freeBytes: Infinity }
  const store = await openFsStore(join(directory, 'store'), { fs: faulty(disk) })
  const ledger = await openSqliteLedger(join(directory, 'ledger'), ledgerOptions)
  const node = new StorageNode({ store, ledger })
  const connection = await clientOf(node)
  t.teardown(async () => {
    await connection.close()
    await ledger.close()
    await store.close()
    await rm(directory, { recursive: true })
  })
  return { node, connection, disk }
}

async function clientOf (node: StorageNode): Promise<StorageConnection> {
  const [left, right] = duplexPair()
  const connection = connectNode(left, { nodeId: DIALER_ID })
  serve(await acceptNode(right), { node }).catch(() => {})
  return connection
}

/** What the ledger says, and that the store agrees with it. */
async function agreed (t: Test, node: StorageNode, wanted: { usedBytes: number, reservedBytes: number, open: number }): Promise<void> {
  await settle(() => node.usage.uploads)
  t.same(await node.ledger.usage(), wanted)
  for await (const { id } of node.store.list()) t.ok(await node.ledger.get(id), 'whatever is stored is known')
}

function faulty (disk: Disk): FileSystem {
  const check = (name: string, path: string): void => {
    const error = disk.fault(name, path)
    if (error !== undefined) throw error
  }
  return {
    ...nodeFileSystem,
    async open (path, flags, mode) {
      check('open', path)
      const handle = await nodeFileSystem.open(path, flags, mode)
      return new Proxy(handle, {
        get (target, key) {
          const value = Reflect.get(target, key, target) as unknown
          if (typeof value !== 'function') return value
          return async (...values: unknown[]) => {
            check(key === 'writev' ? 'write' : String(key), path)
            return await (value as (...values: unknown[]) => Promise<unknown>).apply(target, values)
          }
        }
      })
    },
    async rename (from, to) {
      check('rename', String(from))
      await nodeFileSystem.rename(from, to)
    },
    statfs: (async (path: string) => {
      const found = await nodeFileSystem.statfs(path)
      return { ...found, bavail: Math.min(found.bavail, disk.freeBytes / found.bsize), bsize: found.bsize }
    }) as FileSystem['statfs']
  }
}
