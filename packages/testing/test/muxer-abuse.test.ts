import type { Channel, Connection, Muxer } from '@ropewalk/interface'
import t from 'tap'
import { abuseCases, abuseSuite, runAbuseCase, type Dialect } from '../src/muxer-suite.ts'

/** A wire of one byte a frame, and content behind a data frame: enough to attack toys. */
const TOY: Dialect = {
  windowBytes: 32_768,
  open: () => Uint8Array.of(1),
  data: (_channel, _sequence, content) => Uint8Array.from([2, ...content]),
  announce: () => Uint8Array.of(3),
  reset: () => Uint8Array.of(4),
  credit: () => Uint8Array.of(5),
  ping: () => Uint8Array.of(6),
  idle: { nothing: Uint8Array.of(7) },
  breaches: { nonsense: Uint8Array.of(8) },
  strays: { 'a stray': Uint8Array.of(9) }
}

/** Says yes to everything and keeps everything: whatever comes goes to the one channel that there always is. */
function gullible (connection: Connection): Muxer {
  const channel: Channel = { source: connection.source as Channel['source'], sink: async () => {}, abort: () => {}, async [Symbol.asyncDispose] () {} }
  return {
    open: async () => channel,
    close: async () => {},
    abort: reason => connection.abort(reason),
    async * [Symbol.asyncIterator] () { for (let count = 0; count < 10; count++) yield channel }
  }
}

/** Takes one channel, and ends the connection at the next byte. */
function suspicious (connection: Connection, trusts = 1): Muxer {
  let over: Error | undefined
  const channels: Channel[] = []
  const waiting: Array<(result: IteratorResult<Channel>) => void> = []
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {})
  const fail = (error: Error): void => {
    over ??= error
    failed.reject(error)
    connection.abort(error)
    for (const each of waiting.splice(0)) each({ done: true, value: undefined })
  }
  const read = async (): Promise<void> => {
    let seen = 0
    for await (const list of connection.source) {
      seen += list.byteLength
      if (seen > trusts) return fail(new Error('too much'))
      const channel: Channel = { source: { [Symbol.asyncIterator]: () => ({ next: () => failed.promise }) }, sink: async () => {}, abort: () => {}, async [Symbol.asyncDispose] () {} }
      const taker = waiting.shift()
      if (taker === undefined) channels.push(channel)
      else taker({ done: false, value: channel })
    }
  }
  read().catch(() => {})
  return {
    open: async () => { throw over ?? new Error('never') },
    close: async () => {},
    abort: fail,
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const channel = channels.shift()
        if (channel !== undefined) return Promise.resolve({ done: false, value: channel })
        if (over !== undefined) return Promise.resolve({ done: true, value: undefined })
        return new Promise(resolve => { waiting.push(resolve) })
      }
    })
  }
}

const SMALL = { floodFrames: 1000 }

t.test('a muxer that takes everything fails every attack', async t => {
  for (const each of abuseCases) {
    if (each.id === 'strays') continue // What is to be ignored does it no harm.
    if (each.id.endsWith('-unread')) continue // It reads nothing, and so stands still like one that defends itself.
    await t.rejects(runAbuseCase(each, TOY, gullible, SMALL), { code: 'ERR_NOT_MET' }, each.id)
  }
})

t.test('one that answers all and reads on fails floods whose answers nobody reads', async t => {
  const reading = (connection: Connection): Muxer => {
    void (async () => { for await (const _ of connection.source) continue })().catch(() => {})
    return gullible({ ...connection, source: { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }, abort: reason => connection.abort(reason) })
  }
  for (const id of ['ping-flood-unread', 'open-flood-unread']) {
    const found = abuseCases.find(each => each.id === id)
    if (found === undefined) throw new RangeError(id)
    await t.rejects(runAbuseCase(found, TOY, reading, SMALL), { code: 'ERR_NOT_MET' }, id)
  }
})

t.test('a muxer that trusts nobody withstands every attack, and fails only those who come late', async t => {
  for (const each of abuseCases) {
    if (each.id === 'crumbs') continue // It would have to take a window.
    if (each.id === 'strays') await t.rejects(runAbuseCase(each, TOY, connection => suspicious(connection, 0), SMALL), { code: 'ERR_NOT_MET' }, each.id)
    else if (each.id === 'breaches') await t.resolves(runAbuseCase(each, TOY, connection => suspicious(connection, 0), SMALL), each.id)
    else await t.resolves(runAbuseCase(each, TOY, suspicious, SMALL), each.id)
  }
})

t.test('a known failure that passes is a failure, and so is an id that does not exist; what the wire lacks is skipped', async t => {
  const bodies: Array<(t: object) => Promise<void>> = []
  const skipped: string[] = []
  const recorder = {
    test: (name: string, { skip }: { skip?: string | false }, body: (t: object) => Promise<void>) => {
      if (typeof skip === 'string') skipped.push(name.split(':')[0] ?? '')
      bodies.push(body)
    }
  }
  const { ping: _, idle: __, ...mute } = TOY
  await abuseSuite(recorder, mute, suspicious, { ...SMALL, known: { overdraft: 'a figure' } })
  t.same(skipped.splice(0), ['ping-flood', 'ping-flood-unread', 'idle-flood'])
  await t.rejects(bodies[0]?.({}) ?? Promise.resolve(), { code: 'ERR_NOT_MET', message: /passes/ })
  bodies.length = 0
  await abuseSuite(recorder, mute, connection => suspicious(connection, 0), { ...SMALL, known: { strays: 'a figure' } })
  await t.resolves(bodies[abuseCases.findIndex(each => each.id === 'strays')]?.({}) ?? Promise.reject(new Error('no such case')))
  await t.rejects(abuseSuite(recorder, TOY, suspicious, { known: { nonsense: '' } }), RangeError)
})
