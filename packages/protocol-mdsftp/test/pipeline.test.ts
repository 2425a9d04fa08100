/** Transfers as pipelines of async iterables. */
import { counting, pattern, settle, verify } from '@ropewalk/testing'
import { pipe } from 'it-pipe'
import t from 'tap'
import { commit, put, retrieve, upload, type ChunkInfo } from '../src/index.ts'
import { nodes } from './nodes.ts'

const SIZE = 50_000

t.test('a source is piped into a put and into an upload, and a retrieval into whatever takes it', async t => {
  const { client } = await nodes()
  const stored: ChunkInfo = await pipe(pattern(SIZE), put(client, { size: SIZE, fragmentBytes: 700 }))
  await pipe(retrieve(client, stored.chunkId), async source => await verify(source, SIZE))
  const uploaded = await pipe(pattern(SIZE, 1), upload(client, { size: SIZE }))
  await t.rejects(verify(retrieve(client, uploaded.chunkId), SIZE, 1), { code: 'ERR_NOT_FOUND' }, 'not before it is committed')
  await commit(client, uploaded.chunkId)
  await verify(retrieve(client, uploaded.chunkId), SIZE, 1)
})

t.test('a chunk is piped from one node to the next, and a stage that fails stops both ends', async t => {
  const [from, to] = [await nodes(), await nodes()]
  const { chunkId } = await put(from.client, pattern(SIZE), { size: SIZE })
  const copied = await pipe(retrieve(from.client, chunkId, { window: 2 }), put(to.client, { size: SIZE }))
  await verify(retrieve(to.client, copied.chunkId), SIZE)

  const source = counting(retrieve(from.client, chunkId))
  await t.rejects(pipe(source, async function * (pieces) {
    for await (const piece of pieces) {
      yield piece
      throw new Error('enough')
    }
  }, put(to.client, { size: SIZE })), { message: 'enough' })
  await settle(() => from.client.size + to.client.size)
  t.ok(source.released)
  t.same([from.client.size, to.client.size, to.node.usage.uploads], [0, 0, 0])
})
