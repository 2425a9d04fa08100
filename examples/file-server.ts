// A file server over WebSocket and yamux: whoever opens a channel and names a file gets its bytes, at his own pace.
// Run: node file-server.ts
import { createReadStream } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { yamux } from '@ropewalk/muxer-yamux'
import { dial } from '@ropewalk/transport-ws'
import { listen } from '@ropewalk/transport-ws/node'

const root = await mkdtemp(join(tmpdir(), 'files-'))
await writeFile(join(root, 'rope.txt'), 'laid into one rope\n'.repeat(10_000))

const listener = await listen('ws://127.0.0.1:0/files')
void (async () => {
  for await (const connection of listener) {
    void (async () => {
      for await (const channel of yamux(connection, { role: 'server' })) void answer(channel.source).then(file => channel.sink(file)).catch((error: Error) => channel.abort(error))
    })()
  }
})()

async function answer (source: AsyncIterable<{ subarray (): Uint8Array }>): Promise<AsyncIterable<Uint8Array>> {
  let name = ''
  for await (const bytes of source) {
    name += new TextDecoder().decode(bytes.subarray())
    if (name.length > 255) throw new RangeError(`${name.length} > 255 characters of a name`)
  }
  return createReadStream(join(root, basename(name)))
}

// And a client of it.
const muxer = yamux(await dial(listener.address), { role: 'client' })
const channel = await muxer.open()
await channel.sink([new TextEncoder().encode('rope.txt')])
let received = 0
for await (const bytes of channel.source) received += bytes.byteLength
console.log(received) // 190000

await muxer.close()
await listener.close()
