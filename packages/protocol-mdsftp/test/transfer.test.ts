import { collect, pattern, patternAt } from '@ropewalk/testing'
import t from 'tap'
import { put, query, remove, retrieve } from '../src/index.ts'
import { nodes } from './nodes.ts'

t.test('smoke', async t => {
  for (const attach of [false, true]) {
    const { client, store, node, served } = await nodes({ attach })
    for (const size of [0, 1, 262144, 3_000_000]) {
      const { chunkId } = await put(client, pattern(size, 1), { size })
      t.equal(store.objects.get(chunkId)?.committed, true)
      t.same(await query(client, chunkId), { chunkId, size })
      const back = await collect(retrieve(client, chunkId))
      t.ok(Buffer.compare(back, patternAt(0, size, 1)) === 0, String(size))
      if (size > 10) t.same(await collect(retrieve(client, chunkId, { range: { start: 3, end: 10 } })), patternAt(3, 7, 1))
      await remove(client, chunkId)
      t.equal(await query(client, chunkId), undefined)
    }
    t.equal(node.locks.size, 0)
    await client.close()
    t.equal(await served, undefined)
  }
})
