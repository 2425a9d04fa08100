import { storeSuite } from '@ropewalk/testing/store-suite'
import t from 'tap'
import { MemoryStore, StoreError } from '../src/index.ts'

await storeSuite(t, async options => {
  let store = new MemoryStore(options)
  return {
    store,
    async reopen () {
      await store.close()
      return store = store.revive()
    },
    async dispose () { await store.close() }
  }
})

t.test('it fails when it is told to, and counts what is open', async t => {
  const store = new MemoryStore()
  const id = 'ab'.repeat(16)
  const writer = await store.write(id, 0)
  t.equal(store.openWriters, 1)
  store.before = operation => { if (operation === 'append') throw new StoreError('ERR_NO_SPACE', 'full') }
  await t.rejects(writer.write(Uint8Array.of(1)), { code: 'ERR_NO_SPACE' })
  store.before = () => {}
  await writer.write(Uint8Array.of(2))
  await writer.close()
  await store.commit(id)
  const reader = await store.read(id)
  t.same([store.openWriters, store.openReaders], [0, 1])
  await reader.close()
  t.same([store.openReaders, store.content(id)], [0, Uint8Array.of(2)])
})
