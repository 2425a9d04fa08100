import { once } from 'node:events'
import t from 'tap'
import { LINGER_MS } from '../src/index.ts'
import { listening, upgraded } from './sockets.ts'

t.test('a peer that does not answer to an abort is dropped, long before a close would be given up', async t => {
  const { socket, right } = await upgraded(t, await listening(t, { closeTimeoutMs: 60_000 }))
  const begun = performance.now()
  right.abort(new Error('enough'))
  socket.resume()
  await once(socket, 'close')
  const took = performance.now() - begun
  t.ok(took >= LINGER_MS - 50 && took < 30_000, `dropped after ${Math.round(took)} ms`)
})
