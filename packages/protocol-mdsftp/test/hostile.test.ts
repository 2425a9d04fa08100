/** A node in a process of its own, on real sockets: whatever one says to it, it goes on serving the others. */
import { connect } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hexdump, pattern, verify } from '@ropewalk/testing'
import { dial } from '@ropewalk/transport-tcp'
import t from 'tap'
import { connectNode, put, query, remove, retrieve } from '../src/index.ts'
import { DIALER_ID } from './nodes.ts'
import { Player } from './processes.ts'
import { bytesOf, FILE, profileOf, type Malformed } from './vectors.ts'

const ROUNDS = 2

t.test('24 hostile inputs and more in a loop over one node, in a process, that keeps serving others', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'hostile-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  await using node = new Player('node-child.ts', [directory])
  const port = Number(await node.expect('listening'))
  const bystander = connectNode(await dial({ transport: 'tcp', host: '127.0.0.1', port }), { nodeId: DIALER_ID })
  const { chunkId: kept } = await put(bystander, pattern(3000), { size: 3000 })
  const inputs = FILE.malformed.filter(bad => profileOf(bad).name === 'upstream')
  t.ok(inputs.length >= 24, `${inputs.length} inputs`)

  for (let round = 0; round < ROUNDS; round++) {
    for (const [number, bad] of inputs.entries()) {
      const said = say(port, bad)
      const { chunkId } = await put(bystander, pattern(3000, number), { size: 3000, fragmentBytes: 1000 })
      await verify(retrieve(bystander, chunkId), 3000, number)
      await remove(bystander, chunkId)
      await said
    }
  }
  t.equal((await query(bystander, kept))?.size, 3000)
  await verify(retrieve(bystander, kept), 3000)

  const late = connectNode(await dial({ transport: 'tcp', host: '127.0.0.1', port }), { nodeId: DIALER_ID })
  await verify(retrieve(late, kept), 3000)
  t.equal(node.process.exitCode, null, 'it is the same process')
  await Promise.all([late.close(), bystander.close()])
})

/** Says it, behind a preamble unless it is one, and hears the node out to the end of the connection. */
async function say (port: number, bad: Malformed): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port })
  // Where the node breaks the connection off, it does so with a reset.
  socket.on('error', () => {})
  const closed = new Promise(resolve => { socket.once('close', resolve) })
  socket.resume()
  if (bad.layer !== 'preamble') socket.write(hexdump(DIALER_ID))
  socket.end(bytesOf(bad))
  await closed
}
