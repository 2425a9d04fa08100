/** Our peer among originals, played from what was recorded of them. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { collect, turn, VirtualClock } from '@ropewalk/testing'
import { AS_IMPLEMENTED, decodeMessage, type Message } from '../src/codec.ts'
import { address, member, Network } from './network.ts'
import { bytesOf, session } from './vectors.ts'

/** Listens at `number` and keeps every message that comes. */
async function original (network: Network, number: number, heard: Array<{ to: number, message: Message }>): Promise<void> {
  const listener = await network.listen(address(number))
  void (async () => {
    for await (const connection of listener) {
      void collect(connection.source).then(bytes => { if (bytes.length > 0) heard.push({ to: number, message: decodeMessage(AS_IMPLEMENTED, bytes) }) }).catch(() => {})
      void connection.sink([]).catch(() => {})
    }
  })()
}

async function say (network: Network, to: number, bytes: Uint8Array): Promise<void> {
  const connection = await network.dial(address(to))
  void connection.sink([bytes]).catch(() => {})
  await collect(connection.source).catch(() => {})
  await turn()
}

const SENDERS: Record<string, number> = { p1: 1, p2: 2, p3: 3 }

for (const [name, role] of [['insert-size-65537', 2], ['insert-size-65537', 3], ['insert-size-1', 2], ['insert-size-1', 3], ['latejoin-size-65536', 2], ['latejoin-size-65536', 3]] as const) {
  t.test(`${name}, replayed to us in the place of p${role}: the file arrives as the original had it`, async t => {
    const network = new Network()
    const heard: Array<{ to: number, message: Message }> = []
    for (const number of [1, 2, 3]) if (number !== role) await original(network, number, heard)
    const us = await member(network, role, 3)
    const recorded = session(name)
    const uploads = new Map<number, Uint8Array>()
    for (const message of recorded.messages) {
      if (message.kind === 'Upload') {
        const bytes = bytesOf(message)
        const decoded = decodeMessage(AS_IMPLEMENTED, bytes)
        if (decoded.action === 'Upload') uploads.set(decoded.chunk.index, decoded.data)
      }
      if (message.to === `p${role}` && message.kind !== 'Upload' && message.from !== null && SENDERS[message.from] !== undefined) await say(network, role, bytesOf(message))
    }
    // Each request of ours is answered with the recorded chunk, by who was asked.
    let answered = 0
    const [file, wanted] = Object.entries(recorded.files[`p${role}`] ?? {})[0] as [string, { size: number, sha256: string }]
    while (us.store.bytes(file) === undefined) {
      for (const { to, message } of heard.splice(0)) {
        if (message.action !== 'Download') continue
        answered++
        const data = uploads.get(message.chunk.index) as Uint8Array
        const { encodeMessage } = await import('../src/codec.ts')
        await say(network, role, encodeMessage(AS_IMPLEMENTED, { action: 'Upload', from: address(to), chunk: message.chunk, data }, { pad: true }))
      }
      await turn()
    }
    const bytes = us.store.bytes(file) as Uint8Array
    t.equal(bytes.length, wanted.size)
    t.equal(createHash('sha256').update(bytes).digest('hex'), wanted.sha256)
    t.ok(answered >= uploads.size)
    await us.swarm.leave()
  })
}

t.test('insert-size-1, played to us in the place of p1: we serve the recorded Download with the recorded chunk', async t => {
  const network = new Network()
  const heard: Array<{ to: number, message: Message }> = []
  for (const number of [2, 3]) await original(network, number, heard)
  const us = await member(network, 1, 3, { extension: false })
  const recorded = session('insert-size-1').messages
  const upload = recorded.find(({ kind, from }) => kind === 'Upload' && from === 'p1')
  const data = (decodeMessage(AS_IMPLEMENTED, bytesOf(upload as { blob: number })) as Extract<Message, { action: 'Upload' }>).data
  await us.swarm.insert('files/size-1.dat', [data.subarray(0, 1)])
  for (const message of recorded) if (message.to === 'p1' && message.from === 'p2') await say(network, 1, bytesOf(message))
  while (!heard.some(({ to, message }) => to === 2 && message.action === 'Upload')) await turn()
  const served = heard.find(({ to, message }) => to === 2 && message.action === 'Upload')?.message
  t.same(served, { action: 'Upload', from: address(1), chunk: { name: 'files/size-1.dat', count: 1, index: 0, size: undefined, sha256: undefined }, data: data.subarray(0, 1) })
  await us.swarm.leave()
})

t.test('R6 R7 what was malformed, and error replies, are never answered and change nothing', async t => {
  const network = new Network()
  const us = await member(network, 1, 1, { allowInterface: () => true })
  const before = network.dials
  let said = 0
  for (const name of ['malformed', 'path-traversal', 'payload-framing']) {
    for (const message of session(name).messages) {
      if (message.to !== 'p1') continue
      await say(network, 1, bytesOf(message))
      said++
    }
  }
  await say(network, 1, new TextEncoder().encode('{"HostName":"127.0.0.1","PortNumber":10009,"Code":1}'))
  t.equal(network.dials, before + said + 1)
  t.same(us.swarm.query(), [])
  await us.swarm.leave()
})

t.test('interface messages: the recorded replies, for who may ask; nothing for others', async t => {
  for (const allowed of [true, false]) {
    const network = new Network()
    const heard: Array<{ to: number, message: Message }> = []
    await original(network, 0, heard)
    const us = await member(network, 1, 1, {
      allowInterface: () => allowed, openInsert: async path => path.includes('nope') ? undefined : (async function * () { yield new TextEncoder().encode('hello\n') })()
    })
    // Ahead of the recorded Join stands one to a peer that had not joined; behind the last Leave there is nobody.
    for (const message of session('iface-as-implemented').messages.filter(({ to }) => to === 'p1').slice(1, 7)) {
      await say(network, 1, bytesOf(message)).catch(() => {})
      for (let turns = 0; turns < 20; turns++) await turn()
    }
    t.same(heard.map(({ message }) => message.action === 'Error' ? message.code : message.action), allowed ? [1, 0, 3, 4, 4] : [])
    await us.swarm.leave()
  }
})

t.test('R1 who says nothing is cut off, and others are served meanwhile', async t => {
  const network = new Network()
  const clock = new VirtualClock()
  const us = await member(network, 1, 1, { clock, allowInterface: () => true })
  const silent = await network.dial(address(1))
  const ended = collect(silent.source).then(() => 'ended', () => 'cut')
  await turn()
  await clock.advance(5001)
  t.equal(await ended, 'cut')
  await us.swarm.leave()
  t.equal(clock.pending, 0)
})

t.test('a flood of hostile messages: bounded, and the swarm still works', async t => {
  const network = new Network()
  const us = await member(network, 1, 1)
  const head = '{"HostName":"a","PortNumber":1,"Action":9,'
  const floods = ['['.repeat(1000), '{"a":'.repeat(1000), `${head}"x":${'9'.repeat(100_000)}`, `${head}"x":1,"X":2}`, `${head}"x":"${'y'.repeat(100_000)}`, '\0'.repeat(100_000), 'TORX\u0001\0\0\0\u00ff\u00ff\u00ff\u00ff']
  for (let round = 0; round < 30; round++) for (const flood of floods) await say(network, 1, new TextEncoder().encode(flood))
  // A number of 100 MiB: cut off in its first kilobyte, so that its source is not asked for the rest.
  let asked = 0
  const connection = await network.dial(address(1))
  await connection.sink((function * () {
    yield new TextEncoder().encode(`${head}"x":`)
    for (; asked < 1600; asked++) yield new Uint8Array(65536).fill(0x39)
  })()).catch(() => {})
  t.ok(asked < 32, `${asked} of 1600 blocks`)
  await us.swarm.insert('files/a', [new Uint8Array(3)])
  t.equal(us.swarm.query().length, 1)
  await us.swarm.leave()
})
