/** A network that cuts, delays, splits and stalls, between a client and a node in a process of its own. */
import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { patternAt, verify } from '@ropewalk/testing'
import { dial } from '@ropewalk/transport-tcp'
import t from 'tap'
import { connectNode, memoryJournal, Pool, putPersistent, retrieve, type StorageConnection } from '../src/index.ts'
import { DIALER_ID } from './nodes.ts'
import { Player } from './processes.ts'
import { Proxy, type Weather } from './proxy.ts'

const SIZE = 3_000_000
const NODE = 'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf'

const WEATHERS: Record<string, (connection: number, upwards: boolean) => Weather> = {
  'cuts every connection, each a little later': (connection, upwards) => upwards ? { cutAfter: 100_000 + 150_000 * connection + randomInt(100_000) } : {},
  'cuts what comes back': (connection, upwards) => upwards ? {} : { cutAfter: 30 + 13 * connection },
  'splits into 97 bytes': () => ({ splitInto: 97 }),
  'delays and splits': () => ({ delayTurns: 3, splitInto: 5_000 }),
  'stalls without a word': (connection, upwards) => connection < 4 && upwards === (connection % 2 === 0) ? { stallAfter: 40 * connection + (upwards ? 600_000 * connection : 0) } : {}
}

t.test('a network that cuts, delays, splits and stalls', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'network-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  // A node that notices after three seconds that nothing comes any more.
  await using node = new Player('node-child.ts', [directory, '3000'])
  const target = Number(await node.expect('listening'))
  for (const [name, weather] of Object.entries(WEATHERS)) {
    await t.test(`that ${name}: what is stored is whole`, async t => {
      await using proxy = new Proxy()
      Object.assign(proxy, { weather, target })
      await proxy.open()
      await using pool = new Pool({ backoffFirstMs: 5, backoffMostMs: 50, deadAfterMs: 300, dial: async (_, options) => await to(proxy.port, options) })
      const content = {
        read: async (into: Uint8Array, position: number) => {
          into.set(patternAt(position, into.length))
          return into.length
        }
      }
      const retried: string[] = []
      const { chunkId } = await putPersistent((operation, options) => pool.use(NODE, operation, options), content, {
        size: SIZE, fragmentBytes: 65_535, journal: memoryJournal(), backoffFirstMs: 5, backoffMostMs: 100, requestMs: 3000, progressMs: 3000,
        onRetry: error => retried.push(String((error as { code?: unknown }).code))
      })
      const straight = await to(target, {})
      await verify(retrieve(straight, chunkId), SIZE)
      await straight.close()
      t.ok(/splits/.test(name) ? retried.length === 0 : retried.length > 0, `${retried.length} new attempts: ${[...new Set(retried)].join(', ')}`)
      t.ok(proxy.sent < SIZE + (1 + proxy.connections) * 1_200_000, `${proxy.sent} bytes over ${proxy.connections} connections`)
    })
  }
})

async function to (port: number, options: { signal?: AbortSignal | undefined }): Promise<StorageConnection> {
  return connectNode(await dial({ transport: 'tcp', host: '127.0.0.1', port }, options), { nodeId: DIALER_ID })
}
