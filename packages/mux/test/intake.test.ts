import { counting, duplexPair, pattern, settle } from '@ropewalk/testing'
import t from 'tap'
import { Intake } from '../src/index.ts'

for (const attach of [false, true]) {
  t.test(`reading stops while too much waits, and goes on (${attach ? 'handed over' : 'iterated'})`, async t => {
    const [left, right] = duplexPair({ attach, capacityBytes: 1000 })
    const offered = counting(pattern(100_000, 1, 500))
    const sent = left.sink(offered)
    const intake = new Intake(right, 5000)
    let seen = 0
    const ended = Promise.withResolvers<Error | undefined>()
    intake.start({
      bytes: (bytes, lent) => {
        t.equal(lent, attach)
        seen += bytes.length
        intake.buffer(bytes.length)
        return true
      },
      ended: ended.resolve
    })
    await settle(() => offered.bytes)
    t.ok(seen > 5000 && seen <= 8000, `${seen} bytes were read`)
    const held = seen
    intake.buffer(-2000)
    await settle(() => offered.bytes)
    t.equal(seen, held, 'not before half is taken')
    for (let taken = 2000; taken < 100_000; taken += 500) {
      intake.buffer(-500)
      await settle(() => seen, { turns: 3 })
    }
    t.equal(await ended.promise, undefined)
    t.equal(seen, 100_000)
    await sent
  })

  t.test(`the target may end the reading (${attach ? 'handed over' : 'iterated'})`, async t => {
    const [left, right] = duplexPair({ attach })
    const intake = new Intake(right, 5000)
    let calls = 0
    intake.start({ bytes: () => { calls++; return false }, ended: () => t.fail('nobody asks for the end any more') })
    left.sink([Uint8Array.of(1), Uint8Array.of(2)]).catch(() => {})
    await settle(() => calls)
    t.equal(calls, 1)
  })

  t.test(`a connection that fails is told (${attach ? 'handed over' : 'iterated'})`, async t => {
    const [left, right] = duplexPair({ attach })
    const ended = Promise.withResolvers<Error | undefined>()
    new Intake(right, 5000).start({ bytes: () => true, ended: ended.resolve })
    left.abort(new Error('gone'))
    t.ok(await ended.promise instanceof Error)
  })
}
