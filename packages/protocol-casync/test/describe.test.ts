import { oneByOne } from '@ropewalk/testing'
import t from 'tap'
import { CasyncInspector, type InspectedMessage } from '../src/inspect-codec.ts'
import { decodeAll, session, SESSIONS } from './sessions.ts'

function inspect (pieces: Iterable<Uint8Array>): InspectedMessage[] {
  const inspector = new CasyncInspector()
  const all = []
  for (const piece of pieces) for (const { fields } of inspector.push(piece)) all.push(fields)
  inspector.end()
  return all
}

t.test('a session reads as the specification writes it', async t => {
  const { c2s, s2c } = session('probe-push-ok-zstd')
  const id = 'e891f5242cf832d76441bea1310fa0a47892e45ec1bb75ef08a7e00c26fb9354'
  t.same(inspect([s2c]), [
    { offset: 0, type: 'HELLO', size: 24, flags: '0xa', flag_names: ['WRITABLE_STORE', 'WRITABLE_INDEX'] },
    { offset: 24, type: 'REQUEST', size: 56, flags: 0, high_priority: false, n: 1, ids: [id] },
    { offset: 80, type: 'GOODBYE', size: 16 }
  ])
  t.same(inspect([c2s]), [
    { offset: 0, type: 'HELLO', size: 24, flags: '0xe00', flag_names: ['PUSH_CHUNKS', 'PUSH_INDEX', 'PUSH_INDEX_CHUNKS'] },
    { offset: 24, type: 'INDEX', size: 160, payload: 144, index_chunks: 1, index_size: 5000 },
    { offset: 184, type: 'INDEX_EOF', size: 16, index_chunks: 1, index_size: 5000 },
    { offset: 200, type: 'CHUNK', size: 251, flags: 1, compressed: true, id, payload: 195, format: 'zstd' }
  ])
  t.same(inspect(oneByOne(c2s)), inspect([c2s]))
})

t.test('says what is wrong: an abort, an index that is none', async t => {
  const [, , abort] = inspect([session('http-abort-404').s2c])
  t.match(abort, { type: 'ABORT', error: 123, reason: /404/ })
  const [, index] = inspect([session('http-abort-404').s2c])
  t.match(index, { type: 'INDEX', index_error: /not an index/ })
})

t.test('describes every recorded stream, its messages end to end', async t => {
  for (const { name, c2s, s2c } of SESSIONS) {
    for (const bytes of [c2s, s2c]) {
      if (decodeAll(bytes).error !== undefined) continue
      let end = 0
      for (const { offset, size } of inspect([bytes])) {
        t.equal(offset, end, name)
        end += size
      }
      t.equal(end, bytes.length, name)
    }
  }
})

t.test('lists no more ids of a request than a person reads', async t => {
  const ids = new Uint8Array(32 * 1000)
  const { describeMessage } = await import('../src/describe-codec.ts')
  t.match(describeMessage({ type: 'REQUEST', high: true, ids }), { n: 1000, ids: { length: 256 } })
})
