// A proxy that stands between two nodes, changes nothing, and tells every packet of MDSFTP that passes.
// Run: node record-packets.ts
import { Deframer, Kind, UPSTREAM, type PacketSink } from '@ropewalk/muxer-mdsftp/codec'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { dial, listen, type Address } from '@ropewalk/transport-tcp'

const loopback: Address = { transport: 'tcp', host: '127.0.0.1', port: 0 }
const names = new Map<number, string>(Object.entries(Kind).map(([name, code]) => [code, name]))

// The node: it echoes.
const node = await listen(loopback)
void (async () => {
  for await (const connection of node) {
    for await (const channel of mdsftp(connection, { role: 'acceptor' })) void channel.sink(channel.source)
  }
})()

// The proxy: each direction goes through, and past a deframer, which keeps no more than the piece of a packet.
const seen = new Map<string, number>()
const proxy = await listen(loopback)
void (async () => {
  for await (const left of proxy) {
    const right = await dial(node.address)
    void right.sink(watched(left.source, 'to the node')).catch((error: Error) => left.abort(error))
    void left.sink(watched(right.source, 'from the node')).catch((error: Error) => right.abort(error))
  }
})()

async function * watched<T extends { subarray (): Uint8Array }> (source: AsyncIterable<T>, direction: string): AsyncGenerator<T> {
  const deframer = new Deframer(UPSTREAM)
  const count = (kind: number): void => {
    const key = `${direction}: ${names.get(kind)}`
    seen.set(key, (seen.get(key) ?? 0) + 1)
  }
  const sink: PacketSink = { packet: kind => count(kind), fragment: () => count(Kind.FileChunk), content: () => {} }
  for await (const bytes of source) {
    deframer.push(bytes.subarray(), sink)
    yield bytes
  }
}

const muxer = mdsftp(await dial(proxy.address), { role: 'dialer' })
const channel = await muxer.open()
await channel.sink([new TextEncoder().encode('there and back')])
for await (const bytes of channel.source) console.log(new TextDecoder().decode(bytes.subarray())) // there and back
await muxer.close()
console.log(seen.get('to the node: FileChunk'), seen.get('from the node: FileChunk')) // 1 1
await Promise.all([proxy.close(), node.close()])
