import type { FragmentInfo, FragmentStore } from '@ropewalk/interface'
import { bytesOf, idOf, put, putCommitted, readAll, sameBytes, withStore, type OpenStore, type Test } from './store-fixture.ts'

/** What a store promises over its life: listing, closing, opening again, giving up. */
export async function storeLifeSuite (t: Test, openStore: OpenStore): Promise<void> {
  await withStore(t, openStore, 'lists every object once', async (t, store) => {
    t.same(await listed(store), [])
    await putCommitted(store, idOf(1), bytesOf(10))
    await putCommitted(store, idOf(2), bytesOf(0))
    await put(store, idOf(3), bytesOf(30))
    await put(store, idOf(4), bytesOf(40))
    await store.remove(idOf(4))
    t.same(await listed(store), [
      { id: idOf(1), size: 10, committed: true },
      { id: idOf(2), size: 0, committed: true },
      { id: idOf(3), size: 30, committed: false }
    ])
  })

  await withStore(t, openStore, 'says the size of an object while it is written', async (t, store) => {
    const writer = await store.write(idOf(1), 0)
    t.same(await store.stat(idOf(1)), { id: idOf(1), size: 0, committed: false })
    await writer.write(bytesOf(123))
    t.same(await store.stat(idOf(1)), { id: idOf(1), size: 123, committed: false })
    await writer.close()
  })

  await withStore(t, openStore, 'everything is there after it was closed and opened again', async (t, store, { reopen }) => {
    await putCommitted(store, idOf(1), bytesOf(1000))
    await putCommitted(store, idOf(2), bytesOf(0))
    await put(store, idOf(3), bytesOf(3000).subarray(0, 1000))
    const before = await listed(store)

    store = await reopen()
    t.same(await listed(store), before)
    sameBytes(t, await readAll(store, idOf(1)), bytesOf(1000))
    const writer = await store.write(idOf(3), 1000)
    await writer.write(bytesOf(3000).subarray(1000))
    await writer.close()
    await store.commit(idOf(3))

    store = await reopen()
    sameBytes(t, await readAll(store, idOf(3)), bytesOf(3000))
  })

  await withStore(t, openStore, 'a quota counts what earlier runs left', async (t, store, { reopen }) => {
    await putCommitted(store, idOf(1), bytesOf(300))
    await put(store, idOf(2), bytesOf(200))
    store = await reopen()
    t.equal(await store.available(), 500)
  }, { maxBytes: 1000 })

  await withStore(t, openStore, 'once closed it refuses everything; closing again does nothing', async (t, store) => {
    await putCommitted(store, idOf(1), bytesOf(10))
    const writer = await store.write(idOf(2), 0)
    await writer.write(bytesOf(10))
    await store.close()
    await store.close()
    for (const attempt of [writer.write(bytesOf(1)), store.write(idOf(3), 0), store.commit(idOf(2)), store.read(idOf(1)), store.stat(idOf(1)), store.remove(idOf(1)), store.available(), listed(store)]) {
      await t.rejects(attempt, { code: 'ERR_CLOSED' })
    }
  })

  await withStore(t, openStore, 'closing the store keeps what open writers have written', async (t, store, { reopen }) => {
    const writer = await store.write(idOf(1), 0)
    void writer.write(bytesOf(100_000))
    store = await reopen()
    t.same(await store.stat(idOf(1)), { id: idOf(1), size: 100_000, committed: false })
    await store.commit(idOf(1))
    sameBytes(t, await readAll(store, idOf(1)), bytesOf(100_000))
  })

  await withStore(t, openStore, 'who has given up is refused with its own reason', async (t, store) => {
    const reason = Object.assign(new Error('no longer wanted'), { code: 'MINE' })
    const options = { signal: AbortSignal.abort(reason) }
    await putCommitted(store, idOf(1), bytesOf(10))
    for (const attempt of [store.write(idOf(2), 0, options), store.commit(idOf(1), options), store.read(idOf(1), options), store.stat(idOf(1), options), store.remove(idOf(1), options), store.available(options), listed(store, options)]) {
      await t.rejects(attempt, { code: 'MINE' })
    }
    t.same(await listed(store), [{ id: idOf(1), size: 10, committed: true }])
  })
}

async function listed (store: FragmentStore, options?: { signal: AbortSignal }): Promise<FragmentInfo[]> {
  const infos: FragmentInfo[] = []
  for await (const info of store.list(options)) infos.push(info)
  return infos.sort((a, b) => a.id < b.id ? -1 : 1)
}
