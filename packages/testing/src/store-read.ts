import { bytesOf, idOf, put, putCommitted, readAll, sameBytes, withStore, type OpenStore, type Test } from './store-fixture.ts'

const ID = idOf(1)

/** What `read` promises. */
export async function storeReadSuite (t: Test, openStore: OpenStore): Promise<void> {
  await withStore(t, openStore, 'reads at any position, and less only at the end', async (t, store) => {
    const content = bytesOf(10_000)
    await putCommitted(store, ID, content)
    const reader = await store.read(ID)
    t.equal(reader.size, 10_000)
    for (const [position, length, wanted] of [[0, 1, 1], [9_999, 1, 1], [4_000, 4_000, 4_000], [9_990, 100, 10], [10_000, 5, 0], [1e9, 5, 0], [0, 0, 0]] as const) {
      const into = new Uint8Array(length)
      t.equal(await reader.read(into, position), wanted, `${length} bytes at ${position}`)
      sameBytes(t, into.subarray(0, wanted), content.subarray(position, position + wanted), `${length} bytes at ${position}`)
    }
    await reader.close()
    await reader.close()
    await t.rejects(reader.read(new Uint8Array(1), 0), { code: 'ERR_CLOSED' })
  })

  await withStore(t, openStore, 'reads side by side do not disturb each other', async (t, store) => {
    const content = bytesOf(50_000)
    await putCommitted(store, ID, content)
    const reader = await store.read(ID)
    const parts = await Promise.all(Array.from({ length: 20 }, async (_, index) => {
      const into = new Uint8Array(2_500)
      await reader.read(into, index * 2_500)
      return into
    }))
    parts.forEach((part, index) => sameBytes(t, part, content.subarray(index * 2_500, (index + 1) * 2_500), `part ${index}`))
    await reader.close()
  })

  await withStore(t, openStore, 'a position that is no whole number is the caller’s mistake', async (t, store) => {
    await putCommitted(store, ID, bytesOf(10))
    const reader = await store.read(ID)
    for (const position of [-1, 0.5, NaN, Infinity]) await t.rejects(reader.read(new Uint8Array(1), position), { name: 'RangeError' }, String(position))
    await reader.close()
  })

  await withStore(t, openStore, 'what is unfinished or absent cannot be read', async (t, store) => {
    await t.rejects(store.read(ID), { code: 'ERR_NOT_FOUND' })
    const writer = await store.write(ID, 0)
    await writer.write(bytesOf(10))
    await t.rejects(store.read(ID), { code: 'ERR_NOT_FOUND' })
    await writer.sync()
    await writer.close()
    await t.rejects(store.read(ID), { code: 'ERR_NOT_FOUND' })
  })

  await withStore(t, openStore, 'an open reader outlives the object', async (t, store) => {
    const content = bytesOf(10_000)
    await putCommitted(store, ID, content)
    const reader = await store.read(ID)
    t.equal(await store.remove(ID), true)
    await t.rejects(store.read(ID), { code: 'ERR_NOT_FOUND' })
    await putCommitted(store, ID, bytesOf(20, 9))

    const into = new Uint8Array(10_000)
    t.equal(await reader.read(into, 0), 10_000)
    sameBytes(t, into, content)
    await reader.close()
    sameBytes(t, await readAll(store, ID), bytesOf(20, 9))
  })

  await withStore(t, openStore, 'removes what is committed and what is not, and says whether there was anything', async (t, store) => {
    t.equal(await store.remove(ID), false)
    await put(store, ID, bytesOf(10))
    t.equal(await store.remove(ID), true)
    await putCommitted(store, ID, bytesOf(10))
    t.equal(await store.remove(ID), true)
    t.equal(await store.remove(ID), false)
    t.equal(await store.stat(ID), undefined)
  })
}
