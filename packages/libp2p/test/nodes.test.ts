import { counting, pattern, PatternCheck, verify } from '@ropewalk/testing'
import t from 'tap'
import { mdsftp, PROTOCOL } from '../src/index.ts'
import { pair } from './nodes.ts'
import { still } from './still.ts'

const FILE_BYTES = 8 * 1024 * 1024
const WINDOW_BYTES = 262_144
const CHUNK_BYTES = 65_536

t.test('two nodes agree on the muxer and ping each other', async t => {
  const { dialer, listener, connection } = await pair(t, mdsftp())
  t.equal(connection.multiplexer, PROTOCOL)
  t.ok(await dialer.services.ping.ping(listener.peerId) >= 0)
  t.ok(await listener.services.ping.ping(dialer.peerId) >= 0)
})

t.test('a file moves in both directions at once, whole', async t => {
  const { open } = await pair(t, mdsftp())
  const [near, far] = await open()
  const send = async (stream: typeof near, seed: number): Promise<void> => {
    for (const chunk of pattern(FILE_BYTES, seed)) if (!stream.send(chunk)) await new Promise(resolve => stream.addEventListener('drain', resolve, { once: true }))
    await stream.close()
  }
  await Promise.all([send(near, 1), send(far, 2), verify(far, FILE_BYTES, 1), verify(near, FILE_BYTES, 2)])
  t.equal(near.status, 'closed')
  t.equal(far.status, 'closed')
})

t.test('an iterator that sleeps stops the sender, and loses nothing', async t => {
  const { open } = await pair(t, mdsftp())
  const [near, far] = await open()
  const file = counting(pattern(FILE_BYTES))
  const sent = (async () => {
    for await (const chunk of file) if (!near.send(chunk)) await new Promise(resolve => near.addEventListener('drain', resolve, { once: true }))
    await near.close()
  })()

  const iterator = far[Symbol.asyncIterator]()
  const check = new PatternCheck()
  const { value: first } = await iterator.next()
  check.push(first as Uint8Array)
  const pulled = await still(() => file.bytes)
  // What the reader took, a window on its way or unread, a window waiting to be sent, the chunk that was one too many.
  t.ok(pulled <= check.offset + 2 * WINDOW_BYTES + CHUNK_BYTES, `${pulled} bytes`)
  t.ok(far.readBufferLength <= WINDOW_BYTES, `${far.readBufferLength} bytes`)

  for await (const bytes of { [Symbol.asyncIterator]: () => iterator }) check.push(bytes)
  await sent
  t.equal(check.offset, FILE_BYTES)
})

t.test('a stream that sleeps delays no other', async t => {
  const { dialer, listener, open } = await pair(t, mdsftp())
  const [near, far] = await open()
  for (const chunk of pattern(4 * WINDOW_BYTES)) near.send(chunk)
  const unread = await still(() => far.readBufferLength)
  t.ok(unread <= WINDOW_BYTES && unread > WINDOW_BYTES / 2, `${unread} bytes`)

  await dialer.services.ping.ping(listener.peerId)
  const [left, right] = await open()
  for (const chunk of pattern(1000, 3)) left.send(chunk)
  await left.close()
  await verify(right, 1000, 3)
  t.equal(far.readBufferLength, unread)
})
