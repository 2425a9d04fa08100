/** Client or node are killed in the middle of an upload, over and over, in processes of their own with sockets between them. */
import { randomInt } from 'node:crypto'
import { open, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pattern } from '@ropewalk/testing'
import t from 'tap'
import { MAX_DURABLE_SEND_BYTES } from '../src/index.ts'
import { Player } from './processes.ts'
import { Proxy } from './proxy.ts'

const SIZE = 32 * 1024 * 1024
/** A run in full has 200; `ROPEWALK_ROUNDS` says how many there are. */
const RUNS = Math.min(200, Number(process.env['ROPEWALK_ROUNDS'] ?? 6))
/** What is not content: headers, and the requests of a connection and its journal. */
const OVERHEAD = 64 * 1024

t.test(`kill -9 of client or node in ${RUNS} uploads of 32 MiB: each ends whole, and sends no more than a window twice`, async t => {
  const directory = await mkdtemp(join(tmpdir(), 'kills-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  for (const folder of ['node', 'journals']) await mkdir(join(directory, folder))
  const path = join(directory, 'content')
  const file = await open(path, 'w')
  for (const bytes of pattern(SIZE)) await file.write(bytes)
  await file.close()

  await using proxy = new Proxy()
  await proxy.open()
  let node = await startNode()
  let client = startClient(1)
  let kills = { node: 0, client: 0 }
  let most = 0
  for (let run = 1; run <= RUNS; run++) {
    const before = { sent: proxy.sent, connections: proxy.connections }
    const victim = randomInt(2) === 0 ? 'client' : 'node'
    const at = randomInt(SIZE)
    let killed = false
    for (;;) {
      const [what, number, bytes] = await client.next() ?? ['ended']
      if (what === 'ended') throw new Error(`the client ended by itself in run ${run}`)
      if (Number(number) !== run) throw new Error(`heard of run ${number} in run ${run}`)
      if (what === 'acked' && !killed && Number(bytes) > at) {
        killed = true
        kills = { ...kills, [victim]: kills[victim] + 1 }
        if (victim === 'node') {
          await node.kill()
          node = await startNode()
        } else {
          await client.kill()
          client = startClient(run)
        }
      }
      if (what === 'stored') {
        const twice = proxy.sent - before.sent - SIZE
        const allowed = (killed ? MAX_DURABLE_SEND_BYTES : 0) + OVERHEAD * (1 + proxy.connections - before.connections)
        most = Math.max(most, twice)
        if (twice < 0 || twice > allowed) t.fail(`run ${run}, ${victim} killed at ${at}: ${twice} > ${allowed} bytes more than there are`)
      }
      if (what === 'done') break
    }
  }
  await client.kill()
  await node.kill()
  t.ok(kills.node + kills.client >= RUNS - RUNS / 10, `${kills.node} nodes and ${kills.client} clients killed`)
  t.ok(most > 0, `at most ${most} bytes more than the content were sent in a run`)

  async function startNode (): Promise<Player> {
    const started = new Player('node-child.ts', [join(directory, 'node')])
    proxy.target = Number(await started.expect('listening'))
    return started
  }

  function startClient (run: number): Player {
    return new Player('client-child.ts', [String(proxy.port), path, join(directory, 'journals'), String(run), String(RUNS)])
  }
})
