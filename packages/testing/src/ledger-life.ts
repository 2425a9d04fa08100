import { entryOf, idOf, NOW, requestOf, UNLIMITED, withLedger, type OpenLedger, type Test } from './ledger-fixture.ts'

/** Signals, closing, and what is there afterwards. */
export async function ledgerLifeSuite (t: Test, openLedger: OpenLedger): Promise<void> {
  await withLedger(t, openLedger, 'an aborted signal is noticed before anything is done', async (t, ledger) => {
    const signal = AbortSignal.abort(Object.assign(new Error('enough'), { code: 'ERR_ENOUGH' }))
    await t.rejects(ledger.reserve(requestOf(1, 1), UNLIMITED, { signal }), { code: 'ERR_ENOUGH' })
    await t.rejects(ledger.drop(idOf(1), { now: NOW }, { signal }), { code: 'ERR_ENOUGH' })
    t.equal(await ledger.get(idOf(1)), undefined)
  })

  await withLedger(t, openLedger, 'a closed ledger refuses, and may be closed again', async (t, ledger) => {
    const under = ledger.reserve(requestOf(1, 1), UNLIMITED, { lasting: true })
    await ledger.close()
    t.ok((await under).entry, 'what was asked before is done')
    await ledger.close()
    await t.rejects(ledger.get(idOf(1)), { code: 'ERR_CLOSED' })
    await t.rejects(ledger.reserve(requestOf(2, 1), UNLIMITED), { code: 'ERR_CLOSED' })
  })

  await withLedger(t, openLedger, 'what was done is there when it is opened again', async (t, ledger, { reopen }) => {
    if (reopen === undefined) return
    await ledger.reserve(requestOf(1, 10), UNLIMITED)
    await ledger.reserve(requestOf(2, 20, { owner: 'another' }), UNLIMITED)
    await ledger.lease(idOf(2), NOW, NOW + 100)
    const again = await reopen()
    t.same(await again.get(idOf(1)), entryOf(requestOf(1, 10)))
    t.same(await again.get(idOf(2)), entryOf(requestOf(2, 20, { owner: 'another' }), { token: 1, leasedUntil: NOW + 100 }))
    t.same(await again.usage(), { usedBytes: 0, reservedBytes: 30, open: 2 })
    t.same(await again.reserve(requestOf(3, 5, { owner: 'another' }), { ...UNLIMITED, maxOwnerBytes: 24 }), { left: 4 }, 'owners are known again')
  })
}
