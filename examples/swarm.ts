// Three peers replicate a file over TCP: each tells the others what it has, and asks for what is rarest.
// Run: node swarm.ts
import type { Connection, Hasher, Listener } from '@ropewalk/interface'
import { joinSwarm, MemorySwarmStore, type PeerAddress } from '@ropewalk/protocol-torronto'
import { dial, listen, type Address } from '@ropewalk/transport-tcp'

const hasher: Hasher = async (_digest, bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice()))
const tcp = ({ host, port }: PeerAddress): Address => ({ transport: 'tcp', host, port })

// The wire names peers by host and port, so the ports are chosen before anybody joins.
const listeners: Array<Listener<Address>> = []
for (let i = 0; i < 3; i++) listeners.push(await listen(tcp({ host: '127.0.0.1', port: 0 })))
const peers = listeners.map(({ address }) => ({ host: '127.0.0.1', port: (address as Address & { port: number }).port }))

const content = new TextEncoder().encode('laid into one rope\n'.repeat(20_000))
const stores = peers.map(() => new MemorySwarmStore())
const arrived = peers.map(() => Promise.withResolvers<void>())
const swarm = []
for (const [i, self] of peers.entries()) {
  swarm.push(await joinSwarm({
    self, peers, hasher,
    store: stores[i] as MemorySwarmStore,
    dial: async peer => await dial(tcp(peer)),
    listen: async () => listeners[i] as Listener<unknown> as Listener<PeerAddress> & AsyncIterable<Connection>,
    onEvent: ({ event }) => { if (event === 'finished') arrived[i]?.resolve() }
  }))
}

await swarm[0]?.insert('files/rope.txt', [content])
await Promise.all(arrived.slice(1).map(({ promise }) => promise))
console.log(stores.map(store => store.bytes('files/rope.txt')?.length)) // [ 380000, 380000, 380000 ]

for (const peer of swarm.reverse()) await peer.leave()
await Promise.all(listeners.map(listener => listener.close()))
