// A storage node that lives in memory, and a client that stores an object and reads a part of it: MDSFTP over plain TCP.
// Run: node storage-node.ts
import { acceptNode, connectNode, put, retrieve, serve, StorageNode } from '@ropewalk/protocol-mdsftp'
import { MemoryStore } from '@ropewalk/store-memory'
import { dial, listen } from '@ropewalk/transport-tcp'

const node = new StorageNode({ store: new MemoryStore({ maxBytes: 64 * 1024 * 1024 }) })
const listener = await listen({ transport: 'tcp', host: '127.0.0.1', port: 0 })
void (async () => {
  for await (const connection of listener) void acceptNode(connection).then(peer => serve(peer, { node })).catch((error: Error) => connection.abort(error))
})()

const connection = connectNode(await dial(listener.address), { nodeId: '11223344556647788899aabbccddeeff' })
const strands = new TextEncoder().encode('strand '.repeat(100_000))
const { chunkId } = await put(connection, [strands], { size: strands.length })

let text = ''
for await (const bytes of retrieve(connection, chunkId, { range: { start: 7, end: 13 } })) text += new TextDecoder().decode(bytes.subarray())
console.log(text) // strand

await connection.close()
await listener.close()
