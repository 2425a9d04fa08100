// Our muxer inside libp2p: two nodes speak any libp2p protocol over streams in the MDSFTP wire format.
// Run: node libp2p-muxer.ts
import { noise } from '@chainsafe/libp2p-noise'
import { ping, type Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { mdsftp } from '@ropewalk/libp2p'
import { createLibp2p } from 'libp2p'

const options = { transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [mdsftp()], services: { ping: ping() } }
const server = await createLibp2p({ ...options, addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] } })
const client = await createLibp2p(options)

const milliseconds = await (client.services as { ping: Ping }).ping.ping(server.getMultiaddrs())
console.log(milliseconds >= 0) // true
console.log(client.getConnections()[0]?.multiplexer?.includes('mdsftp')) // true

await Promise.all([client.stop(), server.stop()])
