import { entryOf, HOUR, idOf, NOW, requestOf, UNLIMITED, withLedger, type OpenLedger, type Test } from './ledger-fixture.ts'
import type { LedgerLease } from '@ropewalk/interface'

/** Who may write, and who may not any more. */
export async function ledgerLeaseSuite (t: Test, openLedger: OpenLedger): Promise<void> {
  await withLedger(t, openLedger, 'of many who ask for a lease at once, one gets it', async (t, ledger) => {
    await ledger.reserve(requestOf(1, 10), UNLIMITED)
    const leases = await Promise.all(Array.from({ length: 50 }, async () => await ledger.lease(idOf(1), NOW, NOW + 100)))
    t.same(leases.filter(lease => lease !== undefined), [entryOf(requestOf(1, 10), { token: 1, leasedUntil: NOW + 100 })])
    t.equal(await ledger.lease(idOf(2), NOW, NOW + 100), undefined, 'there is nothing')
  })

  await withLedger(t, openLedger, 'a lease that ran out is good until somebody takes the next; then nothing is done under it', async (t, ledger) => {
    await ledger.reserve(requestOf(1, 10), UNLIMITED)
    const first = await ledger.lease(idOf(1), NOW, NOW + 100) as LedgerLease
    t.equal(await ledger.lease(idOf(1), NOW + 99, NOW + 200), undefined)
    t.equal(await ledger.renew(first, NOW + 200, NOW + 2 * HOUR), true)
    t.equal((await ledger.get(idOf(1)))?.expiresAt, NOW + 2 * HOUR)
    t.equal(await ledger.lease(idOf(1), NOW + 199, NOW + 300), undefined)
    const second = await ledger.lease(idOf(1), NOW + 200, NOW + 300) as LedgerLease
    t.ok(second.token > first.token)
    t.equal(await ledger.renew(first, NOW + 400, 0), false)
    t.equal(await ledger.complete(first, 0, undefined), false)
    t.equal(await ledger.commit(first, undefined), false)
    t.equal(await ledger.release(first, 0), false)
    t.equal(await ledger.drop(idOf(1), { lease: first, now: NOW + 500 }), undefined)
    t.equal(await ledger.complete(second, NOW + HOUR, 'cd'.repeat(32)), true)
    t.equal(await ledger.complete(second, NOW + HOUR, undefined), false, 'once')
    t.same(await ledger.get(idOf(1)), entryOf(requestOf(1, 10), { state: 'complete', expiresAt: NOW + 2 * HOUR, sha256: 'cd'.repeat(32), token: 2 }))
  })

  await withLedger(t, openLedger, 'a lease given back can be taken at once', async (t, ledger) => {
    await ledger.reserve(requestOf(1, 10), UNLIMITED)
    const first = await ledger.lease(idOf(1), NOW, NOW + 100) as LedgerLease
    t.equal(await ledger.release(first, NOW + 3 * HOUR), true)
    t.equal(await ledger.release(first, NOW), false)
    t.equal((await ledger.get(idOf(1)))?.expiresAt, NOW + 3 * HOUR)
    t.equal((await ledger.lease(idOf(1), NOW, NOW + 100))?.token, 2)
  })

  await withLedger(t, openLedger, 'what is leased is neither expired nor dropped, but by its holder', async (t, ledger) => {
    await ledger.reserve(requestOf(1, 10, { expiresAt: NOW }), UNLIMITED)
    const lease = await ledger.lease(idOf(1), NOW, NOW + 100) as LedgerLease
    t.same(await ledger.expired(NOW + 50, 10), [])
    t.equal(await ledger.drop(idOf(1), { now: NOW + 50 }), undefined)
    t.equal(await ledger.drop(idOf(1), { now: NOW + 50, expired: true }), undefined)
    t.equal((await ledger.expired(NOW + 100, 10)).length, 1)
    t.equal((await ledger.drop(idOf(1), { lease, now: NOW + 50 }))?.id, idOf(1))
    t.same(await ledger.usage(), { usedBytes: 0, reservedBytes: 0, open: 0 })
  })

  await withLedger(t, openLedger, 'what is committed is leased to nobody, and gets one digest', async (t, ledger) => {
    await ledger.reserve(requestOf(1, 10), UNLIMITED)
    t.equal(await ledger.digest(idOf(1), 'ab'.repeat(32)), false, 'not before')
    await ledger.commit(await ledger.lease(idOf(1), NOW, NOW + 100) as LedgerLease, undefined)
    t.equal(await ledger.lease(idOf(1), NOW, NOW + 100), undefined)
    t.equal(await ledger.digest(idOf(1), 'ab'.repeat(32)), true)
    t.equal(await ledger.digest(idOf(1), 'ef'.repeat(32)), false)
    t.same(await ledger.get(idOf(1)), entryOf(requestOf(1, 10), { state: 'committed', expiresAt: Infinity, sha256: 'ab'.repeat(32), token: 1 }))
    t.same(await ledger.expired(Number.MAX_SAFE_INTEGER, 10), [])
    t.equal(await ledger.prolong(idOf(1), NOW + HOUR), false)
  })

  await withLedger(t, openLedger, 'a node that starts again ends its own leases, and nobody else\'s', async (t, ledger) => {
    await ledger.reserve(requestOf(1, 10), UNLIMITED)
    await ledger.reserve(requestOf(2, 10, { holder: 'elsewhere' }), UNLIMITED)
    const lost = await ledger.lease(idOf(1), NOW, NOW + 100) as LedgerLease
    await ledger.lease(idOf(2), NOW, NOW + 100)
    await ledger.reclaim('here')
    t.equal(await ledger.renew(lost, NOW + 100, 0), false)
    t.equal((await ledger.lease(idOf(1), NOW, NOW + 100))?.token, 2)
    t.equal(await ledger.lease(idOf(2), NOW, NOW + 100), undefined)
  })
}
