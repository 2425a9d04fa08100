import t from 'tap'
import { swarmKey, type SwarmEvent } from '../src/index.ts'
import { address, member, Network } from './network.ts'

const secret = new TextEncoder().encode('what all members of this swarm know')
const content = new TextEncoder().encode('laid into one rope')

t.test('members that share a key replicate as others do', async t => {
  const network = new Network()
  const members = []
  for (let number = 1; number <= 3; number++) members.push(await member(network, number, 3, { profile: 'hardened', key: await swarmKey(secret) }))
  await members[0]?.swarm.insert('files/rope.txt', [content])
  for (const one of members.slice(1)) await one.until(({ event }) => event === 'finished')
  for (const one of members) t.same(one.store.bytes('files/rope.txt'), content)
  for (const one of members.reverse()) await one.swarm.leave()
})

for (const [who, key] of [['with another key', swarmKey(secret.toReversed())], ['without a key', undefined]] as const) {
  t.test(`a peer ${who} gets nothing, and is told nothing`, async t => {
    const network = new Network()
    const options = { profile: 'hardened', key: await swarmKey(secret) } as const
    const first = await member(network, 1, 3, options)
    const second = await member(network, 2, 3, options)
    const stranger = await member(network, 3, 3, { profile: 'hardened', key: await key })
    await stranger.swarm.insert('files/forged.txt', [content])
    await first.swarm.insert('files/rope.txt', [content])
    await second.until(({ event }) => event === 'finished')
    // The members are through with each other; what the stranger would learn it would have learnt by now, and it never does.
    const heard = (events: readonly SwarmEvent[], number: number): boolean => events.some(event => 'peer' in event && event.peer.port === address(number).port && event.event === 'connected')
    for (const one of [first, second]) t.notOk(heard(one.events, 3))
    // A hello says who calls, and nothing else.
    t.same(stranger.swarm.query().map(({ name }) => name), ['files/forged.txt'])
    t.equal(stranger.store.bytes('files/rope.txt'), undefined)
    for (const one of [first, second]) t.equal(one.store.bytes('files/forged.txt'), undefined)
    for (const one of [stranger, second, first]) await one.swarm.leave()
  })
}

t.test('a key that is too short, and one that an original would have to prove', async t => {
  await t.rejects(swarmKey(secret.subarray(0, 15)), RangeError)
  await t.rejects(member(new Network(), 1, 1, { profile: 'as-implemented', key: await swarmKey(secret) }), TypeError)
})
