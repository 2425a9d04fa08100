import type { ByteReceiver } from '@ropewalk/interface'
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

t.test('the transport hears that what comes is kept, when most of it is, in large pieces', async t => {
  const receivers: ByteReceiver[] = []
  const [connection] = duplexPair()
  const intake = new Intake(Object.assign(connection, { attach: (receiver: ByteReceiver) => { receivers.push(receiver); return { pause () {}, resume () {} } } }), 5000)
  let keep = 0
  const lent: boolean[] = []
  intake.start({ bytes: (_bytes, isLent) => { lent.push(isLent); intake.kept(keep); return true }, ended: () => {} })
  const [receiver] = receivers
  t.equal(receiver?.keeps, false)
  for (const [kept, of, keeps] of [[60_000, 100_000, true], [40_000, 100_000, false], [100_000, 100_000, true], [10_000, 10_000, false]] as const) {
    keep = kept
    receiver?.bytes(new Uint8Array(of), kept !== 40_000)
    t.equal(receiver?.keeps, keeps, `${kept} of ${of}`)
  }
  t.same(lent, [true, false, true, true])
})
