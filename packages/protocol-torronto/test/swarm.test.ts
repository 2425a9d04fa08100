import t from 'tap'
import { address, member, Network, type Member } from './network.ts'
import type { SwarmOptions } from '../src/index.ts'

/** Sizes and contents that copies of the original come out damaged from. */
const CORPUS: Array<[string, Uint8Array]> = [0, 1, 65535, 65536, 65537, 131073, 200000].map(size => [`files/size-${size}`, pattern(size)])
CORPUS.push(['files/nul-tail', nulTail(1000, 10)], ['files/nul-tail-70000', nulTail(70000, 5000)], ['files/all-nul', new Uint8Array(1000)], ['files/all-nul-2', new Uint8Array(131072)])

function pattern (size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => 1 + (at * 7 + (at >> 8)) % 255)
}

function nulTail (size: number, nuls: number): Uint8Array {
  return pattern(size).fill(0, size - nuls)
}

async function six (options: Partial<SwarmOptions>): Promise<Member[]> {
  const network = new Network()
  const members: Member[] = []
  for (let number = 1; number <= 6; number++) members.push(await member(network, number, 6, options))
  return members
}

async function everywhere (members: Member[], name: string): Promise<void> {
  for (const one of members.slice(1)) await one.until(event => event.event === 'finished' && event.name === name)
}

for (const profile of ['hardened', 'as-implemented'] as const) {
  t.test(`six peers, ${profile} from the start: every damaging size arrives exactly`, async t => {
    const members = await six({ profile })
    for (const [name, bytes] of CORPUS) await (members[0] as Member).swarm.insert(name, [bytes])
    for (const [name, bytes] of CORPUS) {
      await everywhere(members, name)
      for (const one of members) t.ok(Buffer.compare(one.store.bytes(name) ?? new Uint8Array(1), bytes) === 0, name)
    }
    for (const one of members.reverse()) await one.swarm.leave()
  })
}

for (const profile of ['as-implemented', 'documented'] as const) t.test(`six peers, ${profile}, without our extension: what that wire can carry arrives`, async t => {
  const members = await six({ profile, extension: false, hasher: undefined })
  const sound = CORPUS.filter(([, bytes]) => bytes.at(-1) !== 0 && bytes.length > 0).slice(0, profile === 'documented' ? 4 : undefined)
  for (const [name, bytes] of sound) await (members[0] as Member).swarm.insert(name, [bytes])
  for (const [name, bytes] of sound) {
    await everywhere(members, name)
    for (const one of members) t.ok(Buffer.compare(one.store.bytes(name) ?? new Uint8Array(1), bytes) === 0, name)
  }
  for (const one of members.reverse()) await one.swarm.leave()
})

t.test('a listener that breaks is told, and the peer can still leave', async t => {
  const network = new Network()
  const broken = new Error('no descriptors are left')
  const breaks: SwarmOptions['listen'] = async (self, options) => {
    const listener = await network.listen(self, options)
    return {
      address: listener.address,
      close: async () => { await listener.close() },
      [Symbol.asyncDispose]: async () => { await listener.close() },
      async * [Symbol.asyncIterator] () { throw broken }
    }
  }
  const one = await member(network, 1, 2, { profile: 'hardened' })
  const two = await member(network, 2, 2, { profile: 'hardened', listen: breaks })
  t.same(await two.until(event => event.event === 'unheard'), { event: 'unheard', reason: broken })
  await two.swarm.insert('files/a', [pattern(200_000)])
  for (const peer of [two, one]) await peer.swarm.leave()
})

t.test('a name that is taken, a bad name, a swarm that was left', async t => {
  const one = await member(new Network(), 1, 1)
  await one.swarm.insert('files/a', [pattern(10)])
  await t.rejects(one.swarm.insert('files/a', []), { code: 'ERR_EXISTS' })
  await t.rejects(one.swarm.insert('../a', []), { code: 'ERR_BAD_NAME' })
  await one.swarm.leave()
  await t.rejects(one.swarm.insert('files/b', []), { code: 'ERR_CLOSED' })
  await t.rejects(member(new Network(), 1, 7), RangeError)
  t.equal(address(1).port, 10001)
})
