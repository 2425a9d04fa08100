import t from 'tap'
import {
  ByteQueue, ByteReader, DEFAULT_COALESCE_BYTES, DEFAULT_MAX_FRAME_BYTES, DEFAULT_MAX_JSON_BYTES, DEFAULT_MAX_QUEUE_BYTES, DEFAULT_MAX_QUEUE_CHUNKS,
  DEFAULT_MAX_READ_BYTES, FrameCutter, JsonSplitter
} from '../src/index.ts'
import { ScriptedSource } from './scripted-source.ts'

t.test('the limits hold by default, to the byte', async t => {
  const bytes = new ByteQueue()
  bytes.push(new Uint8Array(DEFAULT_MAX_QUEUE_BYTES))
  t.throws(() => bytes.push(new Uint8Array(1)), { code: 'ERR_QUEUE_FULL' })

  const unjoined = new Uint8Array(DEFAULT_COALESCE_BYTES + 1)
  const chunks = new ByteQueue({ maxBytes: Number.MAX_SAFE_INTEGER })
  for (let n = 0; n < DEFAULT_MAX_QUEUE_CHUNKS; n++) chunks.push(unjoined)
  t.throws(() => chunks.push(unjoined), { code: 'ERR_QUEUE_FULL' })

  const source = new ScriptedSource()
  source.send(new Uint8Array(DEFAULT_MAX_READ_BYTES))
  const reader = new ByteReader(source)
  await t.rejects(reader.read(DEFAULT_MAX_READ_BYTES + 1), { code: 'ERR_TOO_LARGE' })
  t.equal((await reader.read(DEFAULT_MAX_READ_BYTES)).length, DEFAULT_MAX_READ_BYTES)

  const header = (payload: number): Uint8Array => Uint8Array.of(payload >>> 24, payload >>> 16, payload >>> 8, payload)
  t.same([...new FrameCutter({ lengthBytes: 4 }).push(header(DEFAULT_MAX_FRAME_BYTES - 4))], [])
  t.throws(() => [...new FrameCutter({ lengthBytes: 4 }).push(header(DEFAULT_MAX_FRAME_BYTES - 3))], { code: 'ERR_TOO_LARGE' })

  const string = (length: number): Uint8Array => new TextEncoder().encode(`"${'x'.repeat(length - 2)}"`)
  t.equal([...new JsonSplitter().push(string(DEFAULT_MAX_JSON_BYTES))].length, 1)
  t.throws(() => [...new JsonSplitter().push(string(DEFAULT_MAX_JSON_BYTES + 1))], { code: 'ERR_TOO_LARGE' })
})
