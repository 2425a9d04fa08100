/** A thousand clients of a node in a process of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pattern, verify } from '@ropewalk/testing'
import { dial } from '@ropewalk/transport-tcp'
import t from 'tap'
import { connectNode, put, retrieve } from '../src/index.ts'
import { DIALER_ID } from './nodes.ts'
import { Player } from './processes.ts'

const CLIENTS = 1000
/** So many of them. */
const MOST = 900
/** Chunks that each of them stores and reads, one after the other. */
const CHUNKS = 2
const MOST_BYTES = 256 * 1024 * 1024
/** What a node gets that is to live in 256 MiB. Without it V8 sees no need to collect what is not used any more. */
const HEAP = ['--max-old-space-size=96', '--max-semi-space-size=4']

t.test('1,000 clients at once over sockets: each stores and reads its own, none is starved, the node stays below 256 MiB', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'crowd-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  await using node = new Player('node-child.ts', [directory], HEAP)
  const port = Number(await node.expect('listening'))
  const stored = new Array<number>(CLIENTS).fill(0)
  let ended = 0
  let leastThen = -1
  const connections = await Promise.all(Array.from({ length: CLIENTS }, async () => connectNode(await dial({ transport: 'tcp', host: '127.0.0.1', port }, { timeoutMs: 60_000 }), { nodeId: DIALER_ID })))
  await Promise.all(connections.map(async (connection, number) => {
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      const seed = number * CHUNKS + chunk
      const { chunkId } = await put(connection, pattern(4096, seed), { size: 4096, fragmentBytes: 1024, requestMs: 120_000, progressMs: 120_000 })
      await verify(retrieve(connection, chunkId, { requestMs: 120_000, firstFragmentMs: 120_000 }), 4096, seed)
      stored[number] = chunk + 1
    }
    if (++ended === MOST) leastThen = Math.min(...stored)
  }))
  t.same([...new Set(stored)], [CHUNKS])
  // Who is first of a thousand is chance, on a busy machine more than on an idle one; what nine tenths of them have had, each has had a part of.
  t.ok(leastThen >= CHUNKS / 2, `when ${MOST} of them had done ${CHUNKS}, the last had done ${leastThen}`)
  node.say('how much?')
  const bytes = Number(await node.expect('memory'))
  t.ok(bytes > 0 && bytes < MOST_BYTES, `${Math.round(bytes / 1024 / 1024)} MiB at the most`)
  await Promise.all(connections.map(async connection => await connection.close()))
})
