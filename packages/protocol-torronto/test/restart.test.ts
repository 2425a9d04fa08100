import t from 'tap'
import { member, Network } from './network.ts'

const content = new Uint8Array(200_000).map((_, at) => 1 + at % 255)

for (const profile of ['hardened', 'as-implemented'] as const) {
  t.test(`a peer that was killed and comes again with nothing is told what there is (${profile})`, async t => {
    const network = new Network()
    const first = await member(network, 1, 2, { profile })
    const control = new AbortController()
    const killed = await member(network, 2, 2, { profile, signal: control.signal })
    await first.swarm.insert('files/rope', [content])
    await killed.until(({ event }) => event === 'chunk')
    control.abort(new Error('killed'))
    const again = await member(network, 2, 2, { profile })
    await again.until(({ event }) => event === 'finished')
    t.same(again.store.bytes('files/rope'), content)
    await again.swarm.leave()
    await first.swarm.leave()
  })
}
