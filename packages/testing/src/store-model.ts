import type { FragmentReader, FragmentStore, FragmentWriter } from '@ropewalk/interface'
import { bytesOf, idOf, sameBytes, withStore, type OpenedStore, type OpenStore, type StoreSuiteOptions, type Test } from './store-fixture.ts'

/** Random operations on a few objects, each compared with a Map that does the same. */
export async function storeModelSuite (t: Test, openStore: OpenStore, options: StoreSuiteOptions): Promise<void> {
  const { seed = 20_261_120, runs = 20 } = options
  for (let run = 0; run < runs; run++) {
    await withStore(t, openStore, `agrees with a Map over random operations, seed ${seed + run}`, async (t, _, opened) => {
      const play = new Play(t, opened, randomFrom(seed + run))
      for (let step = 0; step < STEPS; step++) await play.step()
      await play.compare()
    })
  }
}

const STEPS = 60
const IDS = 4

interface Model {
  content: Uint8Array
  committed: boolean
}

class Play {
  readonly #t: Test
  readonly #opened: OpenedStore
  readonly #random: (below: number) => number
  readonly #model = new Map<string, Model>()
  readonly #writers = new Map<string, FragmentWriter>()
  readonly #readers: Array<{ reader: FragmentReader, content: Uint8Array }> = []
  #store: FragmentStore

  constructor (t: Test, opened: OpenedStore, random: (below: number) => number) {
    this.#t = t
    this.#opened = opened
    this.#random = random
    this.#store = opened.store
  }

  async step (): Promise<void> {
    const id = idOf(this.#random(IDS))
    const steps = [this.#write, this.#append, this.#append, this.#append, this.#release, this.#release, this.#commit, this.#open, this.#read, this.#remove, this.#stat, this.#sync, this.#reopen]
    await steps[this.#random(steps.length)]?.call(this, id)
  }

  async compare (): Promise<void> {
    const found = []
    for await (const { id, size, committed } of this.#store.list()) found.push(`${id} ${size} ${committed}`)
    const wanted = Array.from(this.#model, ([id, { content, committed }]) => `${id} ${content.length} ${committed}`)
    this.#t.same(found.sort(), wanted.sort(), 'list')
    for (const { reader, content } of this.#readers) await this.#check(reader, content)
    for (const { reader } of this.#readers.splice(0)) await reader.close()
  }

  async #write (id: string): Promise<void> {
    const model = this.#model.get(id)
    const size = model?.content.length ?? 0
    const offset = [0, size, size + 1][this.#random(3)] as number
    const code = this.#writers.has(id)
      ? 'ERR_BUSY'
      : model?.committed === true ? 'ERR_EXISTS' : offset !== 0 && offset !== size ? 'ERR_OFFSET' : undefined
    const writer = await this.#expect(code, `write ${id} at ${offset}`, this.#store.write(id, offset))
    if (writer == null) return
    this.#writers.set(id, writer)
    this.#model.set(id, { content: model?.content.subarray(0, offset) ?? new Uint8Array(0), committed: false })
  }

  async #append (id: string): Promise<void> {
    const writer = this.#writers.get(id)
    const model = this.#model.get(id)
    if (writer == null || model == null) return
    const bytes = bytesOf(this.#random(5_000), this.#random(256))
    await writer.write(bytes)
    const content = new Uint8Array(model.content.length + bytes.length)
    content.set(model.content)
    content.set(bytes, model.content.length)
    model.content = content
    this.#t.equal(writer.size, content.length)
  }

  async #sync (id: string): Promise<void> {
    await this.#writers.get(id)?.sync()
  }

  async #release (id: string): Promise<void> {
    await this.#writers.get(id)?.close()
    this.#writers.delete(id)
  }

  async #commit (id: string): Promise<void> {
    const model = this.#model.get(id)
    const code = this.#writers.has(id) ? 'ERR_BUSY' : model == null ? 'ERR_NOT_FOUND' : undefined
    await this.#expect(code, `commit ${id}`, this.#store.commit(id))
    if (code == null && model != null) model.committed = true
  }

  async #open (id: string): Promise<void> {
    const model = this.#model.get(id)
    const reader = await this.#expect(model?.committed === true ? undefined : 'ERR_NOT_FOUND', `read ${id}`, this.#store.read(id))
    if (reader != null && model != null) this.#readers.push({ reader, content: model.content })
  }

  async #read (): Promise<void> {
    const [open] = this.#readers.splice(this.#random(this.#readers.length + 1), 1)
    if (open == null) return
    await this.#check(open.reader, open.content)
    await open.reader.close()
  }

  async #remove (id: string): Promise<void> {
    const code = this.#writers.has(id) ? 'ERR_BUSY' : undefined
    const removed = await this.#expect(code, `remove ${id}`, this.#store.remove(id))
    if (code == null) this.#t.equal(removed, this.#model.delete(id))
  }

  async #stat (id: string): Promise<void> {
    const model = this.#model.get(id)
    const wanted = model == null ? undefined : { id, size: model.content.length, committed: model.committed }
    this.#t.same(await this.#store.stat(id), wanted, `stat ${id}`)
  }

  /** Seldom: opening is slow, and a store that is always fresh hides what memory gets wrong. */
  async #reopen (): Promise<void> {
    if (this.#random(3) > 0) return
    this.#store = await this.#opened.reopen()
    this.#writers.clear()
  }

  async #check (reader: FragmentReader, content: Uint8Array): Promise<void> {
    const position = this.#random(content.length + 10)
    const into = new Uint8Array(this.#random(6_000))
    const wanted = content.subarray(position, position + into.length)
    const filled = await reader.read(into, position)
    sameBytes(this.#t, into.subarray(0, filled), wanted, `${into.length} bytes at ${position}`)
  }

  async #expect<T> (code: string | undefined, doing: string, attempt: Promise<T>): Promise<T | undefined> {
    if (code == null) return await attempt
    await this.#t.rejects(attempt, { code }, doing)
    return undefined
  }
}

/** Numbers below a bound from a seed (mulberry32): the same in every engine. */
export function randomFrom (seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
