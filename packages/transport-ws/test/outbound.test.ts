import t from 'tap'
import { Outbound } from '../src/outbound.ts'
import type { Wire } from '../src/wire.ts'

const MIB = 1024 * 1024

/** A wire that takes everything, and says that it has left when `left` says so. */
function wire (parts: Partial<Wire>): Wire {
  return {
    halfClose: true,
    pausable: true,
    bufferedBytes: 0,
    start () {},
    send () {},
    drained: async () => {},
    turn: async () => {},
    pause () {},
    resume () {},
    close () {},
    terminate () {},
    ...parts
  }
}

const OPTIONS = { maxSendBytes: 65536, end () {}, finished () {}, abort () {} }

t.test('a sink of a socket that takes everything at once lets the event loop turn', async t => {
  let turns = 0
  const outbound = new Outbound(wire({ turn: async () => { turns++ } }), OPTIONS)
  await outbound.sink([new Uint8Array(4 * MIB)])
  t.equal(turns, 3)
})

t.test('a peer that has shown that it has the end settles the sink before the platform does', async t => {
  const ended = Promise.withResolvers<void>()
  const outbound = new Outbound(wire({ drained: () => new Promise(() => {}) }), { ...OPTIONS, end: ended.resolve })
  const sink = outbound.sink([Uint8Array.of(1)])
  outbound.confirm()
  await ended.promise
  outbound.confirm()
  outbound.fail(new Error('gone'))
  await sink
  t.ok(outbound.finished)
})

t.test('a confirmation before the end was sent says nothing', async t => {
  const outbound = new Outbound(wire({}), OPTIONS)
  const sink = outbound.sink((async function * () { yield await new Promise<Uint8Array>(() => {}) })())
  outbound.confirm()
  outbound.fail(new Error('gone'))
  await t.rejects(sink, { message: 'gone' })
})
