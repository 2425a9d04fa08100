import t from 'tap'
import { LogSync } from '../src/log-sync.ts'
import type { Told } from '../src/messages.ts'

/** A log whose syncs end when the test says so, and what was told. */
function slowLog (): { sync: LogSync, ends: Array<(error: Error | null) => void>, told: Told[] } {
  const ends: Array<(error: Error | null) => void> = []
  const told: Told[] = []
  return { ends, told, sync: new LogSync({ begin: done => { ends.push(done) }, tell: answers => { told.push(...answers) } }) }
}

const numbers = (told: readonly Told[]): number[] => told.map(({ number }) => number)

t.test('who comes while the log is synced waits for the next sync, together with all the others', async t => {
  const { sync, ends, told } = slowLog()
  sync.hold([{ number: 1, value: true }])
  sync.hold([{ number: 2, value: true }, { number: 3, value: true }])
  sync.hold([{ number: 4, value: true }])
  t.equal(ends.length, 1)
  ends[0]?.(null)
  t.same(numbers(told), [1], 'a sync that began before the transaction promises nothing')
  t.equal(ends.length, 2)
  ends[1]?.(null)
  t.same(numbers(told), [1, 2, 3, 4])
  t.equal(ends.length, 2)
})

t.test('a sync that fails refuses those that waited, those that came meanwhile, and all after them', async t => {
  const { sync, ends, told } = slowLog()
  sync.hold([{ number: 1, value: true }])
  sync.hold([{ number: 2, value: true }])
  t.equal(sync.lost, undefined)
  ends[0]?.(new Error('EIO'))
  ends[1]?.(null)
  t.match(told, [{ number: 1, code: 'ERR_IO', message: /EIO/ }, { number: 2, code: 'ERR_IO', message: /EIO/ }])
  t.match(sync.lost, { code: 'ERR_IO' })
})

t.test('whoever closes waits until all are told', async t => {
  const { sync, ends, told } = slowLog()
  const seen: number[][] = []
  sync.hold([{ number: 1, value: true }])
  sync.hold([{ number: 2, value: true }])
  sync.whenIdle(() => { seen.push(numbers(told)) })
  ends[0]?.(null)
  t.same(seen, [])
  ends[1]?.(null)
  t.same(seen, [[1, 2]])
  sync.whenIdle(() => { seen.push([]) })
  t.equal(seen.length, 2, 'at once, where nobody waits')
})
