import t from 'tap'
import { VirtualClock } from '../src/index.ts'

t.test('runs what is due, earliest first, and in the order of setting among equals', async t => {
  const clock = new VirtualClock(1000)
  const seen: string[] = []
  clock.after(20, () => seen.push(`b at ${clock.now()}`))
  clock.after(10, () => seen.push(`a at ${clock.now()}`))
  clock.after(20, () => seen.push('c'))
  const cancel = clock.after(15, () => seen.push('never'))
  clock.after(21, () => seen.push('later'))
  cancel()
  await clock.advance(20)
  t.same(seen, ['a at 1010', 'b at 1020', 'c'])
  t.equal(clock.now(), 1020)
  t.equal(clock.pending, 1)
})

t.test('what waits on promises happens between two timers, timers set meanwhile included', async t => {
  const clock = new VirtualClock()
  const seen: string[] = []
  const sleep = (ms: number): Promise<void> => new Promise(resolve => clock.after(ms, resolve))
  const loop = (async () => {
    for (let round = 0; round < 3; round++) {
      await sleep(10)
      await null
      seen.push(`round at ${clock.now()}`)
    }
  })()
  clock.after(25, () => seen.push('timer'))
  await clock.advance(100)
  await loop
  t.same(seen, ['round at 10', 'round at 20', 'timer', 'round at 30'])
  t.equal(clock.pending, 0)
})
