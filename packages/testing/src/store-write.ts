import { bytesOf, idOf, listOf, put, putCommitted, readAll, sameBytes, withStore, type OpenStore, type Test } from './store-fixture.ts'

const ID = idOf(1)

/** What `write` and `commit` promise. */
export async function storeWriteSuite (t: Test, openStore: OpenStore): Promise<void> {
  await withStore(t, openStore, 'keeps bytes in the order in which they were written, as arrays or as lists', async (t, store) => {
    const content = bytesOf(200_000)
    const writer = await store.write(ID, 0)
    await writer.write(content.subarray(0, 1))
    await writer.write(listOf(content.subarray(1, 100_000), 1, 2, 3, 40_000, 40_000))
    await writer.write(new Uint8Array(0))
    await writer.write(listOf(content.subarray(100_000, 100_020), 1, 2, 3, 4, 5, 6, 7, 8))
    t.equal(writer.size, 100_020)
    await writer.write(content.subarray(100_020))
    t.equal(writer.size, 200_000)
    await writer.close()
    await store.commit(ID)
    sameBytes(t, await readAll(store, ID), content)
  })

  await withStore(t, openStore, 'the array of a finished write may be reused', async (t, store) => {
    const scratch = new Uint8Array(1000)
    const writer = await store.write(ID, 0)
    for (let seed = 0; seed < 5; seed++) {
      scratch.set(bytesOf(1000, seed))
      await writer.write(scratch)
      scratch.fill(0xff)
    }
    await writer.close()
    await store.commit(ID)
    const found = await readAll(store, ID)
    for (let seed = 0; seed < 5; seed++) sameBytes(t, found.subarray(seed * 1000, (seed + 1) * 1000), bytesOf(1000, seed), `write ${seed}`)
  })

  await withStore(t, openStore, 'writes that overlap are kept in the order in which they were called', async (t, store) => {
    const content = bytesOf(50_000)
    const writer = await store.write(ID, 0)
    await Promise.all(Array.from({ length: 50 }, async (_, index) => await writer.write(content.subarray(index * 1000, (index + 1) * 1000))))
    await writer.close()
    await store.commit(ID)
    sameBytes(t, await readAll(store, ID), content)
  })

  await withStore(t, openStore, 'goes on at the size kept and nowhere else', async (t, store) => {
    const content = bytesOf(1000)
    await put(store, ID, content.subarray(0, 400))
    for (const offset of [1, 399, 401, 1000]) await t.rejects(store.write(ID, offset), { code: 'ERR_OFFSET' }, `offset ${offset}`)
    const writer = await store.write(ID, 400)
    t.equal(writer.size, 400)
    await writer.write(content.subarray(400))
    await writer.close()
    await store.commit(ID)
    sameBytes(t, await readAll(store, ID), content)
  })

  await withStore(t, openStore, 'an object that is not there has no bytes to go on from', async (t, store) => {
    await t.rejects(store.write(ID, 1), { code: 'ERR_OFFSET' })
    t.equal(await store.stat(ID), undefined)
  })

  await withStore(t, openStore, 'offset 0 discards what was there', async (t, store) => {
    await put(store, ID, bytesOf(5000, 1))
    await put(store, ID, bytesOf(300, 2))
    t.same(await store.stat(ID), { id: ID, size: 300, committed: false })
    await store.commit(ID)
    sameBytes(t, await readAll(store, ID), bytesOf(300, 2))
  })

  await withStore(t, openStore, 'an offset that is no whole number is the caller’s mistake', async (t, store) => {
    for (const offset of [-1, 0.5, NaN, Infinity]) await t.rejects(store.write(ID, offset), { name: 'RangeError' }, String(offset))
  })

  await withStore(t, openStore, 'one writer an object, of two that ask at once too', async (t, store) => {
    const outcomes = await Promise.allSettled([store.write(ID, 0), store.write(ID, 0)])
    const [writer] = outcomes.flatMap(outcome => outcome.status === 'fulfilled' ? [outcome.value] : [])
    const [refusal] = outcomes.flatMap(outcome => outcome.status === 'rejected' ? [outcome.reason] : [])
    t.equal(refusal?.code, 'ERR_BUSY')
    await t.rejects(store.write(ID, 0), { code: 'ERR_BUSY' })
    await t.rejects(store.commit(ID), { code: 'ERR_BUSY' })
    await t.rejects(store.remove(ID), { code: 'ERR_BUSY' })
    await (await store.write(idOf(2), 0)).close()

    await writer?.write(bytesOf(10))
    await writer?.close()
    await (await store.write(ID, 10)).close()
  })

  await withStore(t, openStore, 'a closed writer takes nothing, and closing it again does nothing', async (t, store) => {
    const writer = await store.write(ID, 0)
    await writer.write(bytesOf(10))
    await writer.close()
    await writer.close()
    await t.rejects(writer.write(bytesOf(1)), { code: 'ERR_CLOSED' })
    t.same(await store.stat(ID), { id: ID, size: 10, committed: false })
  })

  await withStore(t, openStore, 'close waits for the writes before it', async (t, store) => {
    const writer = await store.write(ID, 0)
    const writing = writer.write(bytesOf(100_000))
    await writer.close()
    await writing
    t.same(await store.stat(ID), { id: ID, size: 100_000, committed: false })
  })

  await withStore(t, openStore, 'committing twice, or twice at once, is committing once', async (t, store) => {
    await put(store, ID, bytesOf(77))
    await Promise.all([store.commit(ID), store.commit(ID)])
    await store.commit(ID)
    sameBytes(t, await readAll(store, ID), bytesOf(77))
  })

  await withStore(t, openStore, 'what is not there cannot be committed', async (t, store) => {
    await t.rejects(store.commit(ID), { code: 'ERR_NOT_FOUND' })
  })

  await withStore(t, openStore, 'a committed object never changes', async (t, store) => {
    await putCommitted(store, ID, bytesOf(77))
    await t.rejects(store.write(ID, 0), { code: 'ERR_EXISTS' })
    await t.rejects(store.write(ID, 77), { code: 'ERR_EXISTS' })
    sameBytes(t, await readAll(store, ID), bytesOf(77))
  })

  await withStore(t, openStore, 'an object may be empty', async (t, store) => {
    await putCommitted(store, ID, new Uint8Array(0))
    t.same(await store.stat(ID), { id: ID, size: 0, committed: true })
    t.equal((await readAll(store, ID)).length, 0)
    await t.rejects(store.write(ID, 0), { code: 'ERR_EXISTS' })
    t.equal(await store.remove(ID), true)
    t.equal(await store.stat(ID), undefined)
  })

  await withStore(t, openStore, 'ten objects written side by side do not mix', async (t, store) => {
    await Promise.all(Array.from({ length: 10 }, async (_, number) => await putCommitted(store, idOf(number), bytesOf(30_000 + number, number))))
    for (let number = 0; number < 10; number++) sameBytes(t, await readAll(store, idOf(number)), bytesOf(30_000 + number, number), `object ${number}`)
  })

  await withStore(t, openStore, 'a write beyond the quota fails whole, and removing makes room', async (t, store) => {
    t.equal(await store.available(), 1000)
    await putCommitted(store, ID, bytesOf(600))
    const writer = await store.write(idOf(2), 0)
    await writer.write(bytesOf(300))
    await t.rejects(writer.write(bytesOf(101)), { code: 'ERR_NO_SPACE' })
    t.equal(writer.size, 300)
    await writer.write(bytesOf(100))
    t.equal(await store.available(), 0)
    await writer.close()
    await store.remove(ID)
    t.equal(await store.available(), 600)
    await (await store.write(idOf(2), 0)).close()
    t.equal(await store.available(), 1000)
  }, { maxBytes: 1000 })

  for (const id of ['', 'a', '../../../../../../etc/passwd00000', ID.toUpperCase(), `${ID}0`, ID.slice(1), `${ID}\n`, `${ID.slice(0, 31)}\0`]) {
    await withStore(t, openStore, `refuses the id ${JSON.stringify(id)}`, async (t, store) => {
      for (const attempt of [store.write(id, 0), store.commit(id), store.read(id), store.stat(id), store.remove(id)]) {
        await t.rejects(attempt, { code: 'ERR_BAD_ID' })
      }
    })
  }
}
