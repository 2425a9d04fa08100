import fc from 'fast-check'
import t from 'tap'
import { LockState } from '../src/lock-state.ts'
import { NodeState, type Reservation } from '../src/node-state.ts'

const ID = ['a', 'b', 'c', 'd'].map(letter => letter.repeat(32)) as [string, string, string, string]

t.test('a reservation takes its space until it is dropped, complete or not', async t => {
  const state = new NodeState({ maxBytes: 100, maxReservations: 10, lifeMs: 1000 })
  t.ok(state.reserve(ID[0], 60, false, Infinity, 0))
  t.equal(state.reserve(ID[1], 41, false, Infinity, 0), undefined)
  t.equal(state.left(Infinity), 40)
  state.complete(ID[0], 1)
  t.same([state.used, state.reserved, state.left(Infinity)], [60, 0, 40])
  state.committed(ID[0], 2)
  t.equal(state.drop(ID[0]), undefined)
  t.equal(state.left(Infinity), 40)
  state.removed(60)
  t.equal(state.left(Infinity), 100)
})

t.test('what the store has free is shared by what is promised and not written', async t => {
  const state = new NodeState({ maxBytes: Infinity, maxReservations: 10, lifeMs: 1000 })
  state.reserve(ID[0], 60, false, 100, 0)
  t.equal(state.left(100), 40)
  state.record(ID[0], 20, 0)
  t.equal(state.left(80), 40, 'the store has 20 bytes less, and so has the promise')
  t.equal(state.written, 20)
  state.record(ID[0], 0, 0)
  t.equal(state.left(100), 40, 'a new start')
  t.throws(() => state.record(ID[0], 61, 0), RangeError)
})

t.test('0 bytes always fit, but not any number of reservations', async t => {
  const state = new NodeState({ maxBytes: 0, maxReservations: 2, lifeMs: 1000 })
  t.ok(state.reserve(ID[0], 0, false, 0, 0))
  t.equal(state.reserve(ID[1], 1, false, 0, 0), undefined)
  t.ok(state.reserve(ID[1], 0, false, 0, 0))
  t.equal(state.reserve(ID[2], 0, false, 0, 0), undefined)
  t.throws(() => state.reserve(ID[0], 0, false, 0, 0), RangeError)
})

t.test('data and keep-alives prolong a life', async t => {
  const state = new NodeState({ maxBytes: 100, maxReservations: 10, lifeMs: 1000 })
  for (const [index, id] of ID.entries()) state.reserve(id, 1, false, Infinity, index)
  state.refresh(ID[1], 500)
  state.record(ID[2], 1, 600)
  t.same(state.expired(1003).map(({ id }) => id), [ID[0], ID[3]])
  t.same(state.expired(999), [])
})

t.test('space adds up over any operations, against a list that is added up', async t => {
  const step = fc.record({ kind: fc.constantFrom('reserve', 'record', 'complete', 'commit', 'drop', 'remove'), id: fc.constantFrom(...ID), bytes: fc.nat(60) })
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const state = new NodeState({ maxBytes: 100, maxReservations: 3, lifeMs: 1000 })
    const open = new Map<string, { size: number, recorded: number, complete: boolean }>()
    const committed = new Map<string, number>()
    const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, each) => all + each, 0)
    for (const { kind, id, bytes } of steps) {
      const entry = open.get(id)
      const used = sum(committed.values()) + sum([...open.values()].filter(({ complete }) => complete).map(({ size }) => size))
      const reserved = sum([...open.values()].filter(({ complete }) => !complete).map(({ size }) => size))
      const unwritten = sum([...open.values()].filter(({ complete }) => !complete).map(({ size, recorded }) => size - recorded))
      t.same([state.used, state.reserved, state.size], [used, reserved, open.size])
      t.equal(state.left(70), open.size === 3 ? 0 : Math.max(0, Math.min(70 - unwritten, 100 - used - reserved)))
      switch (kind) {
        case 'reserve': {
          if (entry !== undefined || committed.has(id)) break
          const fits = open.size < 3 && (bytes === 0 || bytes <= 100 - used - reserved)
          const given: Reservation | undefined = state.reserve(id, bytes, true, Infinity, 0)
          t.equal(given !== undefined, fits)
          if (fits) open.set(id, { size: bytes, recorded: 0, complete: false })
          break
        }
        case 'record':
          if (entry === undefined || entry.complete) break
          entry.recorded = Math.min(bytes, entry.size)
          state.record(id, entry.recorded, 0)
          break
        case 'complete':
          state.complete(id, 0)
          if (entry !== undefined) entry.complete = true
          break
        case 'commit':
          state.committed(id, 0)
          if (open.delete(id)) committed.set(id, entry?.size ?? 0)
          break
        case 'drop':
          t.equal(state.drop(id)?.id, entry === undefined ? undefined : id)
          open.delete(id)
          break
        case 'remove':
          if (committed.has(id)) state.removed(committed.get(id) as number)
          committed.delete(id)
      }
    }
  }), { numRuns: 20 })
})

t.test('locks: many readers or one writer, nobody waits, nothing is left behind', async t => {
  const step = fc.record({ id: fc.constantFrom(...ID.slice(0, 2)), kind: fc.constantFrom('read' as const, 'write' as const), release: fc.boolean() })
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const locks = new LockState(3)
    const held: Array<{ id: string, kind: 'read' | 'write' }> = []
    for (const { id, kind, release } of steps) {
      const mine = held.filter(lock => lock.id === id)
      if (release) {
        const at = held.findIndex(lock => lock.id === id && lock.kind === kind)
        if (at < 0) t.throws(() => locks.release(id, kind), RangeError)
        else {
          locks.release(id, kind)
          held.splice(at, 1)
        }
      } else {
        const free = kind === 'write' ? mine.length === 0 : mine.length < 3 && mine.every(lock => lock.kind === 'read')
        t.equal(locks.acquire(id, kind), free)
        if (free) held.push({ id, kind })
      }
      t.equal(locks.size, new Set(held.map(lock => lock.id)).size)
    }
  }), { numRuns: 20 })
})
