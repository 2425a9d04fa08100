import t from 'tap'
import { AcceptQueue } from '../src/index.ts'

t.test('channels are taken in the order in which they came, by those who wait longest', async t => {
  const told: number[] = []
  const queue = new AcceptQueue<number>(channel => told.push(channel))
  const waiting = [queue.take(), queue.take()]
  for (const channel of [1, 2, 3]) queue.put(channel)
  t.same(await Promise.all([...waiting, queue.take()]), [1, 2, 3])
  t.same(told, [1, 2, 3])
})

t.test('what is removed is not handed out', async t => {
  const queue = new AcceptQueue<number>(() => {})
  queue.put(1)
  queue.put(2)
  queue.remove(1)
  queue.remove(7)
  t.equal(await queue.take(), 2)
})

t.test('a clean end leaves what waits, an error takes it away, a close gives it back', async t => {
  const clean = new AcceptQueue<number>(() => {})
  clean.put(1)
  t.same(clean.end(), [])
  t.same([await clean.take(), await clean.take()], [1, undefined])

  const failed = new AcceptQueue<number>(() => {})
  const taker = failed.take()
  t.same(failed.end(new Error('gone')), [])
  await t.rejects(taker, { message: 'gone' })
  await t.rejects(failed.take(), { message: 'gone' })
  const full = new AcceptQueue<number>(() => {})
  full.put(5)
  t.same(full.end(new Error('gone')), [5])

  const closed = new AcceptQueue<number>(() => {})
  closed.put(1)
  t.same(closed.close(), [1])
  t.equal(await closed.take(), undefined)
})
