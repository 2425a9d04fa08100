/**
 * A store and a ledger that can die between any two steps, and what is left of them then: after the death of the process
 * everything that was done; after a loss of power what was said to last, and of the ledger any later state up to the last.
 */
import type { FragmentInfo, FragmentReader, FragmentStore, FragmentWriter, Ledger, LedgerEntry, LedgerOptions } from '@ropewalk/interface'
import { LedgerBook } from '../src/ledger-state.ts'

interface Kept { content: Uint8Array, synced: number, committed: boolean }

/** What lies on the disk. */
export interface Remains { readonly objects: Map<string, Kept>, readonly entries: LedgerEntry[] }

/** Dies at the `stopAt`th point, and never says anything any more. */
export class Machine {
  readonly died: Promise<void>
  readonly store: FragmentStore
  readonly ledger: Ledger
  points = 0
  /** The last point that was passed. */
  at = ''
  readonly #stopAt: number
  readonly #objects: Map<string, Kept>
  /** States of the ledger since the last that lasts, the newest last. */
  #states: LedgerEntry[][]
  #die = (): void => {}
  #dead = false

  constructor (stopAt: number = Infinity, { objects, entries }: Remains = { objects: new Map(), entries: [] }) {
    this.#stopAt = stopAt
    this.died = new Promise(resolve => { this.#die = resolve })
    this.#objects = new Map(Array.from(objects, ([id, kept]) => [id, { ...kept }]))
    this.#states = [entries]
    this.store = new ModelStore(this.#objects, async name => await this.#point(name))
    this.ledger = this.#ledgerOf(entries)
  }

  /** What a process finds that starts after this one was killed. */
  killed (): Remains {
    return { objects: new Map(Array.from(this.#objects, ([id, kept]) => [id, { ...kept }])), entries: this.#states.at(-1) ?? [] }
  }

  /** Whatever a process may find that starts after a loss of power. */
  powerless (): Remains[] {
    const objects = new Map<string, Kept>()
    for (const [id, { content, synced, committed }] of this.#objects) {
      if (committed || synced > 0) objects.set(id, { content: committed ? content : content.slice(0, synced), synced, committed })
    }
    return this.#states.map(entries => ({ objects, entries }))
  }

  /** Before a step is done, and after it, before anybody is told. */
  async #point (name: string): Promise<void> {
    if (!this.#dead) {
      this.at = name
      if (++this.points === this.#stopAt) {
        this.#dead = true
        this.#die()
      }
    }
    if (this.#dead) await new Promise<void>(() => {})
  }

  #ledgerOf (entries: LedgerEntry[]): Ledger {
    const book = new LedgerBook()
    for (const entry of entries) book.restore(entry)
    return new Proxy({} as Ledger, {
      get: (_, name: keyof LedgerBook) => async (...values: unknown[]): Promise<unknown> => {
        if ((name as string) === 'usage') return book.usage
        const reads = READS.has(name)
        if (!reads) await this.#point(`before ledger.${name}`)
        const answer = (book[name] as (...values: unknown[]) => unknown)(...values)
        if (reads) return answer
        const state = book.page('', Infinity)
        const { lasting = false } = (values.at(-1) ?? {}) as LedgerOptions
        // A state that lasts is the oldest that can be found from now on.
        this.#states = lasting ? [state] : [...this.#states, state]
        await this.#point(`after ledger.${name}`)
        return answer
      }
    })
  }
}

const READS: ReadonlySet<string> = new Set(['get', 'page', 'expired', 'then'])

class ModelStore implements FragmentStore {
  readonly #objects: Map<string, Kept>
  readonly #point: (name: string) => Promise<void>

  constructor (objects: Map<string, Kept>, point: (name: string) => Promise<void>) {
    this.#objects = objects
    this.#point = point
  }

  async write (id: string, offset: number): Promise<FragmentWriter> {
    await this.#point('before store.write')
    const before = this.#objects.get(id)
    if (before?.committed === true) throw new Error(`${id} is committed`)
    if (offset !== 0 && offset !== before?.content.length) throw new Error(`offset ${offset} of ${id}`)
    const kept: Kept = offset === 0 ? { content: new Uint8Array(0), synced: 0, committed: false } : before as Kept
    this.#objects.set(id, kept)
    await this.#point('after store.write')
    return {
      get size () { return kept.content.length },
      write: async bytes => {
        await this.#point('before append')
        const piece = bytes.subarray()
        const content = new Uint8Array(kept.content.length + piece.length)
        content.set(kept.content)
        content.set(piece, kept.content.length)
        kept.content = content
        await this.#point('after append')
      },
      sync: async () => {
        await this.#point('before sync')
        kept.synced = kept.content.length
        await this.#point('after sync')
      },
      close: async () => await this.#point('close')
    }
  }

  async commit (id: string): Promise<void> {
    await this.#point('before store.commit')
    const kept = this.#objects.get(id)
    if (kept === undefined) throw new Error(`no ${id}`)
    Object.assign(kept, { committed: true, synced: kept.content.length })
    await this.#point('after store.commit')
  }

  async remove (id: string): Promise<boolean> {
    await this.#point('before store.remove')
    const was = this.#objects.delete(id)
    await this.#point('after store.remove')
    return was
  }

  async read (id: string): Promise<FragmentReader> {
    const kept = this.#objects.get(id)
    if (kept?.committed !== true) throw Object.assign(new Error(`no ${id}`), { code: 'ERR_NOT_FOUND' })
    const { content } = kept
    return {
      size: content.length,
      read: async (into, position) => {
        const part = content.subarray(position, position + into.length)
        into.set(part)
        return part.length
      },
      close: async () => {}
    }
  }

  async stat (id: string): Promise<FragmentInfo | undefined> {
    const kept = this.#objects.get(id)
    return kept === undefined ? undefined : { id, size: kept.content.length, committed: kept.committed }
  }

  async * list (): AsyncGenerator<FragmentInfo> {
    for (const id of [...this.#objects.keys()]) yield await this.stat(id) as FragmentInfo
  }

  async available (): Promise<number> {
    return 1e9
  }

  async close (): Promise<void> {}
}
