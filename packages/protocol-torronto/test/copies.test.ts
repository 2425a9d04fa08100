/** What originals have of what we gave them, what others say of hashes, what the disk refuses, what is there after a restart. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { collect, turn } from '@ropewalk/testing'
import { AS_IMPLEMENTED, encodeMessage, type Message } from '../src/codec.ts'
import type { StateOptions, SwarmEffect } from '../src/facts.ts'
import { MemorySwarmStore, type PartialFile } from '../src/index.ts'
import { SwarmState } from '../src/state.ts'
import { address, member, Network } from './network.ts'

const [me, two, three] = [address(1), address(2), address(3)]
const name = 'files/a'
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const content = new Uint8Array(200_000).map((_, at) => 1 + at % 255)
const chunk = (index: number): Uint8Array => content.subarray(index * 65536, (index + 1) * 65536)
const hashes = [0, 1, 2, 3].map(index => sha256(chunk(index)))
const asked = (effects: readonly SwarmEffect[]): string[] => effects.flatMap(effect => effect.type === 'send' && effect.message.action === 'Download' ? [`${effect.to.port % 10}:${effect.message.chunk.index}`] : [])
const told = (effects: readonly SwarmEffect[]): string[] => effects.flatMap(effect => effect.type === 'event' ? [effect.event.event] : [])

function joined (options: Partial<StateOptions> = {}): SwarmState {
  const state = new SwarmState({ self: me, peers: [me, two, three], profile: 'hardened', verify: true, ...options })
  state.join(0)
  return state
}

function list (from = two, chunkSha256: readonly string[] = hashes): Message {
  return { action: 'Files', from, extension: 1, files: [{ name, count: 4, size: content.length, held: [0, 1, 2, 3], chunkSha256 }] }
}

async function say (network: Network, to: number, message: Message): Promise<void> {
  const connection = await network.dial(address(to))
  void connection.sink([encodeMessage(AS_IMPLEMENTED, message)]).catch(() => {})
  await collect(connection.source).catch(() => {})
}

t.test('T9 what an original announces of what we gave it is asked for and compared; what is damaged is told', async t => {
  for (const damage of [false, true]) {
    const network = new Network()
    const heard: Message[] = []
    const listener = await network.listen(two)
    const { decodeMessage } = await import('../src/codec.ts')
    void (async () => {
      for await (const connection of listener) {
        void connection.sink([]).catch(() => {})
        void collect(connection.source).then(bytes => { if (bytes.length > 0) heard.push(decodeMessage(AS_IMPLEMENTED, bytes)) }).catch(() => {})
      }
    })()
    const us = await member(network, 1, 2, { checkCopies: true, extension: false })
    await us.swarm.insert(name, [content])
    const until = async (action: string): Promise<void> => { while (!heard.some(message => message.action === action)) await turn() }
    await say(network, 1, { action: 'Files', from: two, files: [] })
    await say(network, 1, { action: 'Download', from: two, chunk: { name, count: 4, index: 3 } })
    await until('Upload')
    t.notOk(heard.some(({ action }) => action === 'Download'))
    await say(network, 1, { action: 'Have', from: two, chunk: { name, count: 4, index: 3 } })
    await until('Download')
    const data = Uint8Array.from(chunk(3))
    if (damage) data.fill(0, 1000)
    await say(network, 1, { action: 'Upload', from: two, chunk: { name, count: 4, index: 3 }, data })
    // A second copy is nobody's question any more.
    await say(network, 1, { action: 'Upload', from: two, chunk: { name, count: 4, index: 3 }, data: new Uint8Array(1) })
    for (let turns = 0; turns < 20; turns++) await turn()
    t.same(us.events.filter(({ event }) => event === 'damaged'), damage ? [{ event: 'damaged', name, index: 3, peer: two }] : [])
    t.same(us.store.bytes(name), content)
    await us.swarm.leave()
  }
})

t.test('X12 a liar whose list comes first: who says otherwise is not avoided for it, and is believed once the liar is caught', async t => {
  const state = joined()
  const lies = hashes.map(() => 'f'.repeat(64))
  const first = state.receive(list(two, lies), 0)
  t.ok(asked(first).every(text => text.startsWith('2:')))
  t.ok(told(state.receive(list(three), 1)).includes('conflict'))
  t.notOk(state.peer(three)?.avoided)
  t.same(told(state.receive(list(three), 2)), [], 'said once')
  const caught = state.rejected(two, name, 0, 3)
  t.same(told(caught), ['poisoned', 'avoided'])
  t.ok(caught.some(effect => effect.type === 'send' && effect.to === three && effect.message.action === 'Add'), 'the other is asked again')
  t.ok(asked(state.receive(list(three), 4)).includes('3:0'))
  state.receive(list(two, lies), 5)
  t.equal(state.file(name)?.hashes[3], hashes[3], 'whoever was caught is not heard')
})

t.test('X12 a liar that vanishes leaves nothing behind', async t => {
  const state = joined()
  state.receive(list(two, hashes.map(() => 'f'.repeat(64))), 0)
  state.receive(list(three), 1)
  state.lost(two, 2)
  t.ok(asked(state.receive(list(three), 3)).includes('3:1'))
})

t.test('a chunk of our own kind is not asked for before its hash is known', async t => {
  const state = joined()
  t.same(asked(state.receive(list(two, []), 0)), [])
  t.same(asked(state.receive({ action: 'Have', from: two, chunk: { name, count: 4, index: 2, sha256: hashes[2] } }, 1)), ['2:2'])
})

t.test('who has everything is asked for what only it has, and others for the rest', async t => {
  const state = joined({ peers: [two, three] })
  state.receive(list(two), 0)
  const before = state.expire(0)
  t.same(before, [])
  const fresh = joined({ peers: [two, three] })
  fresh.receive({ action: 'Files', from: three, extension: 1, files: [{ name, count: 4, size: content.length, held: [0, 1, 2], chunkSha256: hashes }] }, 0)
  t.same(asked(fresh.receive(list(two), 1)), ['2:3'])
})

t.test('a name that the store refuses is done without, and the others arrive', async t => {
  class Choosy extends MemorySwarmStore {
    override async finish (wanted: string, size: number): Promise<void> {
      if (wanted === 'files/bad') throw new Error('not here')
      await super.finish(wanted, size)
    }
  }
  const network = new Network()
  const seeder = await member(network, 1, 2, { profile: 'hardened' })
  const us = await member(network, 2, 2, { profile: 'hardened', store: new Choosy() })
  await seeder.swarm.insert('files/bad', [content])
  t.match(await us.until(({ event }) => event === 'refused'), { name: 'files/bad', reason: { message: 'not here' } })
  await seeder.swarm.insert('files/good', [content])
  await us.until(event => event.event === 'finished' && event.name === 'files/good')
  for (const one of [us, seeder]) await one.swarm.leave()
})

t.test('a chunk that the store cannot read is not given, and all else goes on', async t => {
  class Worn extends MemorySwarmStore {
    fails = 1
    override async read (wanted: string, index: number): Promise<Uint8Array | undefined> {
      if (index === 2 && this.fails-- > 0) throw new Error('worn out')
      return await super.read(wanted, index)
    }
  }
  const network = new Network()
  const seeder = await member(network, 1, 2, { profile: 'hardened', store: new Worn() })
  const us = await member(network, 2, 2, { profile: 'hardened' })
  await seeder.swarm.insert(name, [content])
  t.match(await seeder.until(({ event }) => event === 'unread'), { name, index: 2, peer: address(2), reason: { message: 'worn out' } })
  await us.until(({ event }) => event === 'finished')
  t.notOk(us.events.some(({ event }) => event === 'disconnected'), 'the connection stays')
  for (const one of [us, seeder]) await one.swarm.leave()
})

t.test('half a file goes on: what is there by its hash is not asked for again, what is not is', async t => {
  class Keeping extends MemorySwarmStore {
    readonly partials: PartialFile[] = []
    async describe (file: PartialFile): Promise<void> { this.partials.push(file) }
    async * partial (): AsyncGenerator<PartialFile> { yield * this.partials }
  }
  const store = new Keeping()
  await store.describe({ name, size: content.length, chunkSha256: hashes })
  await store.write(name, 0, chunk(0))
  await store.write(name, 1, new Uint8Array(65536))
  await store.write(name, 3, chunk(3))
  const network = new Network()
  const seeder = await member(network, 1, 2, { profile: 'hardened' })
  await seeder.swarm.insert(name, [content])
  const us = await member(network, 2, 2, { profile: 'hardened', store })
  await us.until(({ event }) => event === 'finished')
  t.same(us.events.flatMap(event => event.event === 'chunk' ? [event.index] : []).sort(), [1, 2])
  t.same(store.bytes(name), content)
  for (const one of [us, seeder]) await one.swarm.leave()
})

t.test('half a file that is another by now begins anew', async t => {
  for (const [size, count] of [[content.length, 4], [70_000, 2], [content.length - 1, 4]] as const) {
    const state = new SwarmState({ self: me, peers: [two], profile: 'hardened', verify: true })
    state.resume({ name, size: content.length, chunkSha256: hashes }, [0, 3])
    state.join(0)
    const other = Array.from({ length: count }, (_, index) => String(index).repeat(64))
    state.receive({ action: 'Files', from: two, extension: 1, files: [{ name, count, size, held: [...other.keys()], chunkSha256: other }] }, 0)
    t.equal(state.file(name)?.size, size)
    t.equal(state.file(name)?.held.size, 0)
    t.same([...state.file(name)?.requests.keys() ?? []].sort(), [...other.keys()])
  }
})

t.test('who has got an empty file says so: it has no chunk to announce', async t => {
  const network = new Network()
  const seeder = await member(network, 1, 2, { profile: 'hardened' })
  const us = await member(network, 2, 2, { profile: 'hardened' })
  await seeder.swarm.insert('files/empty', [])
  await us.until(({ event }) => event === 'finished')
  while (seeder.swarm.query()[0]?.leastReplication !== 2) await turn()
  t.equal(us.swarm.query()[0]?.leastReplication, 2)
  for (const one of [us, seeder]) await one.swarm.leave()
})
