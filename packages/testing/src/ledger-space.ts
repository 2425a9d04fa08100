import { entryOf, HOUR, idOf, NOW, requestOf, UNLIMITED, withLedger, type OpenLedger, type Test } from './ledger-fixture.ts'

/** Space is promised once, and given back once. */
export async function ledgerSpaceSuite (t: Test, openLedger: OpenLedger): Promise<void> {
  await withLedger(t, openLedger, 'a reservation is kept as it was asked for', async (t, ledger) => {
    const request = requestOf(1, 2 ** 53 - 1, { durable: false })
    t.same(await ledger.reserve(request, UNLIMITED), { entry: entryOf(request) })
    t.same(await ledger.get(request.id), entryOf(request))
    t.equal(await ledger.get(idOf(2)), undefined)
    t.same(await ledger.usage(), { usedBytes: 0, reservedBytes: 2 ** 53 - 1, open: 1 })
    await t.rejects(ledger.reserve(request, UNLIMITED), { code: 'ERR_EXISTS' })
  })

  await withLedger(t, openLedger, 'each limit refuses, and says what would have fitted', async (t, ledger) => {
    await ledger.reserve(requestOf(1, 60), UNLIMITED)
    for (const [limit, left] of [[{ maxBytes: 100 }, 40], [{ maxReservedBytes: 90 }, 30], [{ maxOwnerBytes: 80 }, 20], [{ maxBytes: 10 }, 0], [{ maxOpen: 1 }, 0], [{ maxOwnerOpen: 1 }, 0]] as const) {
      t.same(await ledger.reserve(requestOf(2, 41), { ...UNLIMITED, ...limit }), { left }, JSON.stringify(limit))
    }
    t.ok((await ledger.reserve(requestOf(2, 40), { ...UNLIMITED, maxBytes: 100 })).entry, 'exactly what is left')
    t.ok((await ledger.reserve(requestOf(3, 0), { ...UNLIMITED, maxBytes: 100 })).entry, '0 bytes need no space')
    t.ok((await ledger.reserve(requestOf(4, 50, { owner: 'another' }), { ...UNLIMITED, maxOwnerBytes: 50, maxOwnerOpen: 1 })).entry, 'caps are each owner\'s own')
  })

  await withLedger(t, openLedger, '200 reservations at once never promise more than there is', async (t, ledger) => {
    const answers = await Promise.all(Array.from({ length: 200 }, async (_, number) => await ledger.reserve(requestOf(number, 7), { ...UNLIMITED, maxBytes: 1000 })))
    t.equal(answers.filter(({ entry }) => entry !== undefined).length, 142)
    t.same(await ledger.usage(), { usedBytes: 0, reservedBytes: 142 * 7, open: 142 })
  })

  await withLedger(t, openLedger, 'what is complete or committed takes its space until it is dropped', async (t, ledger) => {
    await ledger.reserve(requestOf(1, 10), UNLIMITED)
    const lease = await ledger.lease(idOf(1), NOW, NOW + HOUR)
    t.ok(lease !== undefined && await ledger.complete(lease, NOW + HOUR, undefined))
    t.same(await ledger.usage(), { usedBytes: 10, reservedBytes: 0, open: 1 })
    t.same(await ledger.reserve(requestOf(2, 91), { ...UNLIMITED, maxBytes: 100 }), { left: 90 })
    const second = await ledger.lease(idOf(1), NOW, NOW + HOUR)
    t.ok(second !== undefined && await ledger.commit(second, undefined, { lasting: true }))
    t.same(await ledger.usage(), { usedBytes: 10, reservedBytes: 0, open: 0 })
    t.equal(await ledger.drop(idOf(1), { now: NOW, open: true }), undefined, 'it is committed')
    t.equal((await ledger.drop(idOf(1), { now: NOW }))?.state, 'committed')
    t.equal(await ledger.drop(idOf(1), { now: NOW }), undefined)
    t.same(await ledger.usage(), { usedBytes: 0, reservedBytes: 0, open: 0 })
  })

  await withLedger(t, openLedger, 'what is expired is found, oldest first, and dropped once', async (t, ledger) => {
    for (const number of [3, 1, 2]) await ledger.reserve(requestOf(number, number, { expiresAt: NOW + number }), UNLIMITED)
    t.same((await ledger.expired(NOW + 2, 10)).map(({ id }) => id), [idOf(1), idOf(2)])
    t.same((await ledger.expired(NOW + 3, 1)).map(({ id }) => id), [idOf(1)])
    t.equal(await ledger.prolong(idOf(1), NOW + HOUR), true)
    t.equal(await ledger.prolong(idOf(1), NOW), true, 'which shortens nothing')
    t.equal(await ledger.prolong(idOf(9), NOW), false)
    t.equal(await ledger.drop(idOf(1), { now: NOW + 2, expired: true }), undefined, 'somebody kept it alive')
    const dropped = await Promise.all([1, 2, 3, 4].map(async () => await ledger.drop(idOf(2), { now: NOW + 2, expired: true })))
    t.equal(dropped.filter(entry => entry !== undefined).length, 1)
    t.same(await ledger.usage(), { usedBytes: 0, reservedBytes: 4, open: 2 })
  })

  await withLedger(t, openLedger, 'a start restores what it has found', async (t, ledger) => {
    const found = entryOf(requestOf(1, 70), { state: 'committed', expiresAt: Infinity, sha256: 'ab'.repeat(32) })
    await ledger.restore(found)
    t.same(await ledger.get(idOf(1)), found)
    t.same(await ledger.usage(), { usedBytes: 70, reservedBytes: 0, open: 0 })
    await ledger.reserve(requestOf(2, 5), UNLIMITED)
    await ledger.restore(entryOf(requestOf(2, 5), { state: 'complete' }))
    await ledger.restore({ ...found, size: 60 })
    t.same(await ledger.usage(), { usedBytes: 65, reservedBytes: 0, open: 1 })
    t.same((await ledger.page('', 10)).map(({ id }) => id), [idOf(1), idOf(2)].sort())
    t.same((await ledger.page([idOf(1), idOf(2)].sort()[0] as string, 10)).length, 1)
    t.equal((await ledger.page('', 1)).length, 1)
  })
}
