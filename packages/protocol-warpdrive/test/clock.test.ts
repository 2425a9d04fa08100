import t from 'tap'
import { within, type Clock } from '../src/clock.ts'

t.test('a clock that is set back, by however much, lengthens no wait by more than its limit', async t => {
  let now = 1_700_000_000_000
  const timers: Array<{ readonly ms: number, readonly run: () => void }> = []
  const clock: Clock = { now: () => now, after: (ms, run) => { timers.push({ ms, run }); return () => {} } }
  const waiting = within(clock, 1000, 'a byte', undefined, async (signal, heard) => {
    heard()
    await new Promise((_resolve, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }) })
  })
  now -= 400 * 24 * 60 * 60_000
  timers.shift()?.run()
  t.same(timers.map(({ ms }) => ms), [1000])
  timers.shift()?.run()
  t.equal(timers.length, 0)
  await t.rejects(waiting, { code: 'ERR_TIMEOUT' })
})
