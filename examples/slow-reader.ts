// Credit follows the consumer: a reader that stops holds its own sender, and nobody else.
// Run: node slow-reader.ts
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { dial, listen } from '@ropewalk/transport-tcp'

const listener = await listen({ transport: 'tcp', host: '127.0.0.1', port: 0 })
const accepted = (async () => {
  for await (const connection of listener) return mdsftp(connection, { role: 'acceptor' })
  throw new Error('nobody came')
})()
const here = mdsftp(await dial(listener.address), { role: 'dialer' })
const there = (await accepted)[Symbol.asyncIterator]()

// 512 MiB are on offer, and the other side takes one piece and then nothing more.
let sent = 0
async function * plenty (): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(64 * 1024)
  for (; sent < 512 * 1024 * 1024; sent += piece.length) yield piece
}
const slow = await here.open()
const sinking = slow.sink(plenty()).catch(() => {})
const asleep = (await there.next()).value
await asleep.source[Symbol.asyncIterator]().next()

// Beside it, another channel moves 64 MiB without noticing.
const quick = await here.open()
const piece = new Uint8Array(64 * 1024)
const sending = quick.sink(Array.from({ length: 1024 }, () => piece))
let received = 0
for await (const bytes of (await there.next()).value.source) received += bytes.byteLength
await sending
console.log(received) // 67108864
console.log(sent < 2 * 1024 * 1024) // true

slow.abort(new Error('enough'))
await sinking
here.abort(new Error('enough'))
await listener.close()
