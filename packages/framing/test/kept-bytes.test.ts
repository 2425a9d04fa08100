import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { KeptBytes } from '../src/kept-bytes.ts'

t.test('allocates for what has come, not for what was announced, and ends with an array of the announced size', async t => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 30 }), chunks => {
    const all = chunks.flatMap(chunk => [...chunk])
    const kept = new KeptBytes()
    for (const [index, chunk] of chunks.entries()) {
      const most = index === chunks.length - 1 ? all.length : 2 ** 40
      kept.append(chunk, 0, chunk.length, most)
      assert.ok(kept.view().buffer.byteLength <= Math.max(64, kept.length * 2))
      assert.deepEqual([...kept.view()], all.slice(0, kept.length))
    }
    assert.deepEqual([...kept.take()], all)
    assert.equal(kept.length, 0)

    for (const chunk of chunks) kept.append(chunk, 0, chunk.length, all.length)
    assert.equal(kept.take().buffer.byteLength, all.length)
  })))
})
