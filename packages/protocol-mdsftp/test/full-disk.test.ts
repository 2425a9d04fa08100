/** A disk that is really full, where one may be mounted; elsewhere a store that is. */
import { execFile } from 'node:child_process'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openSqliteLedger } from '@ropewalk/ledger-sqlite'
import { openFsStore } from '@ropewalk/store-fs'
import { collect, pattern, verify } from '@ropewalk/testing'
import t from 'tap'
import { commit, put, putChunk, query, reserve, retrieve } from '../src/index.ts'
import { nodes } from './nodes.ts'

const run = promisify(execFile)
const DISK = 4_194_304
const SIZE = 1_000_000
const FILLER = 'f'.repeat(32)

t.test('a disk that fills up under an upload: coded errors, the node goes on, and space adds up', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'full-'))
  const mounted = process.platform === 'linux' && await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'ropewalk-test', directory]).then(() => true, () => false)
  t.teardown(async () => {
    if (mounted) await run('umount', ['-l', directory])
    await rm(directory, { recursive: true })
  })
  const store = await openFsStore(join(directory, 'store'), { maxBytes: mounted ? Infinity : DISK })
  const ledger = await openSqliteLedger(join(directory, 'ledger'))
  const { client, node } = await nodes({ node: { store, ledger } })
  t.comment(mounted ? 'on a disk of its own' : 'no disk may be mounted: a store with a quota')

  const { chunkId } = await put(client, pattern(SIZE), { size: SIZE })
  await t.rejects(reserve(client, DISK), { code: 'ERR_NO_SPACE' }, 'more than there is')
  const id = await reserve(client, SIZE, { durable: true })
  await fill()
  await t.rejects(putChunk(client, id, pattern(SIZE, 1), { size: SIZE, fragmentBytes: 50_000 }), { code: /^ERR_(INTERRUPTED|NOT_AVAILABLE)$/ })
  await t.rejects(put(client, pattern(SIZE, 2), { size: SIZE }), { code: 'ERR_NO_SPACE' })
  await verify(retrieve(client, chunkId), SIZE)
  await t.rejects(commit(client, id), { code: 'ERR_NOT_AVAILABLE' })

  await empty()
  const { size: has = SIZE } = await query(client, id) ?? {}
  t.ok(has < SIZE, `${has} bytes before it was full`)
  await putChunk(client, id, [(await collect(pattern(SIZE, 1))).subarray(has)], { size: SIZE - has, append: true })
  await commit(client, id)
  await verify(retrieve(client, id), SIZE, 1)
  await verify(retrieve(client, chunkId), SIZE)
  t.same(await ledger.usage(), { usedBytes: 2 * SIZE, reservedBytes: 0, open: 0 })
  t.match(node.usage, { uploads: 0, reservations: 0 })
  await client.close()
  await ledger.close()
  await store.close()

  /** Somebody else takes all the room that there is. */
  async function fill (): Promise<void> {
    if (!mounted) {
      const writer = await store.write(FILLER, 0)
      await writer.write(new Uint8Array(await store.available()))
      return await writer.close()
    }
    await using file = await open(join(directory, 'filler'), 'w')
    for (const bytes of [65_536, 4096, 1]) {
      while (await file.write(new Uint8Array(bytes)).then(({ bytesWritten }) => bytesWritten === bytes, () => false)) continue
    }
  }

  async function empty (): Promise<void> {
    if (mounted) await rm(join(directory, 'filler'))
    else await store.remove(FILLER)
  }
})
