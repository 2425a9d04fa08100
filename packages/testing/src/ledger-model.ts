import type { Ledger, LedgerEntry, LedgerLease } from '@ropewalk/interface'
import { idOf, NOW, requestOf, UNLIMITED, withLedger, type LedgerSuiteOptions, type OpenedLedger, type OpenLedger, type Test } from './ledger-fixture.ts'
import { randomFrom } from './store-model.ts'

/** Random operations on a few entries, each compared with a list that is added up anew every time. */
export async function ledgerModelSuite (t: Test, openLedger: OpenLedger, options: LedgerSuiteOptions): Promise<void> {
  const { seed = 20_261_121, runs = 20 } = options
  for (let run = 0; run < runs; run++) {
    await withLedger(t, openLedger, `agrees with a list over random operations, seed ${seed + run}`, async (t, _, opened) => {
      const play = new Play(t, opened, randomFrom(seed + run))
      for (let step = 0; step < STEPS; step++) await play.step()
      await play.compare()
    })
  }
}

const STEPS = 80
const IDS = 5
const MAX_BYTES = 100
const MAX_OPEN = 4
const OWNERS = ['left', 'right']
const MAX_OWNER_BYTES = 70

class Play {
  readonly #t: Test
  readonly #opened: OpenedLedger
  readonly #random: (below: number) => number
  readonly #model = new Map<string, LedgerEntry>()
  readonly #leases: LedgerLease[] = []
  #ledger: Ledger
  #now = NOW

  constructor (t: Test, opened: OpenedLedger, random: (below: number) => number) {
    this.#t = t
    this.#opened = opened
    this.#random = random
    this.#ledger = opened.ledger
  }

  async step (): Promise<void> {
    this.#now += this.#random(30)
    const id = idOf(this.#random(IDS))
    const steps = [this.#reserve, this.#reserve, this.#lease, this.#lease, this.#renew, this.#release, this.#complete, this.#complete, this.#commit, this.#drop, this.#dropLeased, this.#prolong, this.#digest, this.#sweep, this.#reopen]
    await steps[this.#random(steps.length)]?.call(this, id)
    this.#t.same(await this.#ledger.usage(), { usedBytes: this.#sum(({ state }) => state !== 'reserved'), reservedBytes: this.#sum(({ state }) => state === 'reserved'), open: this.#open().length }, 'usage')
    this.#t.ok(this.#sum(() => true) <= MAX_BYTES, 'never more than there is')
  }

  async compare (): Promise<void> {
    const found: LedgerEntry[] = []
    for (let page = await this.#ledger.page('', 2); page.length > 0; page = await this.#ledger.page(page.at(-1)?.id ?? '', 2)) found.push(...page)
    this.#t.same(found, [...this.#model.values()].sort((a, b) => a.id < b.id ? -1 : 1))
  }

  async #reserve (id: string): Promise<void> {
    const owner = OWNERS[this.#random(2)] as string
    const request = { ...requestOf(0, this.#random(60)), id, owner, createdAt: this.#now, expiresAt: this.#now + this.#random(200) }
    const limits = { ...UNLIMITED, maxBytes: MAX_BYTES, maxOpen: MAX_OPEN, maxOwnerBytes: MAX_OWNER_BYTES }
    if (this.#model.has(id)) return void await this.#t.rejects(this.#ledger.reserve(request, limits), { code: 'ERR_EXISTS' })
    const owned = this.#open().filter(entry => entry.owner === owner).reduce((sum, { size }) => sum + size, 0)
    const left = Math.max(0, Math.min(MAX_BYTES - this.#sum(() => true), MAX_OWNER_BYTES - owned))
    const { entry, ...refused } = await this.#ledger.reserve(request, limits)
    if (this.#open().length < MAX_OPEN && (request.size === 0 || request.size <= left)) {
      const wanted: LedgerEntry = { ...request, state: 'reserved', sha256: undefined, token: 0, leasedUntil: 0 }
      this.#t.same(entry, wanted)
      this.#model.set(id, wanted)
    } else this.#t.same({ entry, ...refused }, { entry: undefined, left: this.#open().length < MAX_OPEN ? left : 0 })
  }

  async #lease (id: string): Promise<void> {
    const entry = this.#model.get(id)
    const until = this.#now + this.#random(60)
    const lease = await this.#ledger.lease(id, this.#now, until)
    if (entry === undefined || entry.state === 'committed' || entry.leasedUntil > this.#now) return void this.#t.equal(lease, undefined)
    this.#t.same(lease, { ...entry, token: entry.token + 1, leasedUntil: until })
    this.#change(entry, { token: entry.token + 1, leasedUntil: until })
    this.#leases.push(lease as LedgerLease)
  }

  async #renew (): Promise<void> {
    const [until, expiresAt] = [this.#now + this.#random(60), this.#now + this.#random(200)]
    await this.#leased(async lease => await this.#ledger.renew(lease, until, expiresAt), entry => ({ leasedUntil: until, expiresAt: Math.max(expiresAt, entry.expiresAt) }))
  }

  async #release (): Promise<void> {
    await this.#leased(async lease => await this.#ledger.release(lease, this.#now), entry => ({ leasedUntil: 0, expiresAt: Math.max(this.#now, entry.expiresAt) }))
  }

  async #complete (): Promise<void> {
    const sha256 = this.#random(2) === 0 ? undefined : 'ab'.repeat(32)
    await this.#leased(async lease => await this.#ledger.complete(lease, 0, sha256), entry => ({ state: 'complete', leasedUntil: 0, sha256: sha256 ?? entry.sha256 }))
  }

  async #commit (): Promise<void> {
    const sha256 = this.#random(2) === 0 ? undefined : 'ef'.repeat(32)
    await this.#leased(async lease => await this.#ledger.commit(lease, sha256), entry => ({ state: 'committed', leasedUntil: 0, expiresAt: Infinity, sha256: sha256 ?? entry.sha256 }))
  }

  async #leased (act: (lease: LedgerLease) => Promise<boolean>, change: (entry: LedgerEntry) => Partial<LedgerEntry>): Promise<void> {
    const lease = this.#leases[this.#random(this.#leases.length)]
    if (lease === undefined) return
    const entry = this.#held(lease)
    this.#t.equal(await act(lease), entry !== undefined)
    if (entry !== undefined) this.#change(entry, change(entry))
  }

  async #drop (id: string): Promise<void> {
    const entry = this.#model.get(id)
    const [expired, open] = [this.#random(2) === 0, this.#random(2) === 0]
    const goes = entry !== undefined && entry.leasedUntil <= this.#now && (!expired || entry.expiresAt <= this.#now) && (!open || entry.state !== 'committed')
    this.#t.same(await this.#ledger.drop(id, { now: this.#now, expired, open }), goes ? entry : undefined)
    if (goes) this.#model.delete(id)
  }

  async #dropLeased (): Promise<void> {
    const lease = this.#leases[this.#random(this.#leases.length)]
    if (lease === undefined) return
    const entry = this.#held(lease)
    this.#t.same(await this.#ledger.drop(lease.id, { lease, now: this.#now }), entry)
    if (entry !== undefined) this.#model.delete(lease.id)
  }

  async #prolong (id: string): Promise<void> {
    const entry = this.#model.get(id)
    const expiresAt = this.#now + this.#random(200)
    const prolongs = entry !== undefined && entry.state !== 'committed'
    this.#t.equal(await this.#ledger.prolong(id, expiresAt), prolongs)
    if (prolongs) this.#change(entry, { expiresAt: Math.max(expiresAt, entry.expiresAt) })
  }

  async #digest (id: string): Promise<void> {
    const entry = this.#model.get(id)
    const takes = entry?.state === 'committed' && entry.sha256 === undefined
    this.#t.equal(await this.#ledger.digest(id, 'cd'.repeat(32)), takes)
    if (takes) this.#change(entry, { sha256: 'cd'.repeat(32) })
  }

  async #sweep (): Promise<void> {
    const wanted = this.#open().filter(({ expiresAt, leasedUntil }) => expiresAt <= this.#now && leasedUntil <= this.#now)
      .sort((a, b) => a.expiresAt - b.expiresAt || (a.id < b.id ? -1 : 1))
    this.#t.same(await this.#ledger.expired(this.#now, 2), wanted.slice(0, 2))
  }

  /** Everything is as before, leases included: only the node that held them ends them. */
  async #reopen (): Promise<void> {
    if (this.#random(4) > 0 || this.#opened.reopen === undefined) return
    this.#ledger = await this.#opened.reopen()
  }

  #change (entry: LedgerEntry, change: Partial<LedgerEntry>): void {
    this.#model.set(entry.id, { ...entry, ...change })
  }

  #held ({ id, token }: LedgerLease): LedgerEntry | undefined {
    const entry = this.#model.get(id)
    return entry !== undefined && entry.token === token && entry.leasedUntil > 0 && entry.state !== 'committed' ? entry : undefined
  }

  #open (): LedgerEntry[] {
    return [...this.#model.values()].filter(({ state }) => state !== 'committed')
  }

  #sum (which: (entry: LedgerEntry) => boolean): number {
    return [...this.#model.values()].filter(which).reduce((sum, { size }) => sum + size, 0)
  }
}
