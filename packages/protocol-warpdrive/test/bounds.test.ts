import type { Channel } from '@ropewalk/interface'
import { duplexPair, turn, VirtualClock } from '@ropewalk/testing'
import t from 'tap'
import { decodeCslq } from '../src/codec.ts'
import { MAX_ARRAY_ITEMS, MAX_JSON_DEPTH, MAX_PEERS, MAX_UNCONFIRMED, MAX_WAITING_BYTES, PROGRESS_TIMEOUT_MS, READ_BYTES } from '../src/constants.ts'
import { askRange, begun, downloadTo } from '../src/client.ts'
import { Session } from '../src/index.ts'
import { PeersState } from '../src/peers-state.ts'
import { ALICE, BOB, pair } from './nodes.ts'

t.test('an array has only so many elements, whatever it claims', async t => {
  const claim = MAX_ARRAY_ITEMS + 1
  t.throws(() => decodeCslq('[l]c', Uint8Array.of(claim >> 24, claim >> 16, claim >> 8, claim)), { code: 'ERR_TOO_LARGE' })
})

t.test('JSON has only so many levels', async t => {
  for (const [levels, code] of [[MAX_JSON_DEPTH, undefined], [MAX_JSON_DEPTH + 1, 'ERR_BAD_JSON']] as const) {
    const [left, right] = duplexPair()
    void left.sink([new TextEncoder().encode('['.repeat(levels) + ']'.repeat(levels))])
    const read = new Session(right).jsonBytes('list').then(() => undefined, (error: { code: string }) => error.code)
    t.equal(await read, code)
  }
})

t.test('only so many peers are kept', async t => {
  const peers = new PeersState()
  for (let at = 0; at < MAX_PEERS; at++) peers.update(`${at}`, 'mod', 'trust')
  t.throws(() => peers.update('one more', 'mod', 'trust'), { code: 'ERR_TOO_MANY' })
  peers.update('7', 'mod', 'block')
  t.equal(peers.list().length, MAX_PEERS)
})

t.test('a session sends only so many entries that are not confirmed', async t => {
  const { alice, bob } = await pair({ a: '' })
  const { id } = await alice.createOffer(BOB, '')
  t.equal(bob.offers(1).length, 1)
  const [left, right] = duplexPair()
  const served = alice.serve(right, BOB, 'warpdrive')
  const session = new Session(left)
  for (let at = 0; at < MAX_UNCONFIRMED; at++) {
    await askRange(session, id, 0, 0)
    await begun(session)
  }
  await askRange(session, id, 0, 0)
  await session.close()
  t.match(await served, { code: 'ERR_TOO_MANY', message: 'too many entries that are not confirmed: 1025 > 1024' })
})

t.test('only so many bytes wait for a channel that nobody reads: then the sender waits, and is not kept waiting for ever', async t => {
  const clock = new VirtualClock(0)
  const [left] = duplexPair()
  const session = new Session(left, { clock })
  let sent = 0
  const sending = (async () => {
    for (;;) {
      await session.send(new Uint8Array(65_536), 1000)
      sent += 65_536
    }
  })()
  const failed = sending.catch((error: { code: string }) => error.code)
  for (let at = 0; at < 100; at++) await turn()
  // What the channel itself has taken is its own.
  t.ok(sent >= MAX_WAITING_BYTES && sent <= 3 * MAX_WAITING_BYTES, `${sent}`)
  await clock.advance(1000)
  t.equal(await failed, 'ERR_TIMEOUT')
})

t.test('whoever reads the files gets memory that is used again where it is known what the channel and the session hold', async t => {
  const { alice, files } = await pair({ a: 'abcdef' })
  const { id } = await alice.createOffer(BOB, '')
  const told: unknown[] = []
  const read = files.read.bind(files)
  files.read = (source, start, end, ...rest: unknown[]) => {
    const { memory } = rest[0] as { memory?: (bytes: number) => Uint8Array }
    told.push(memory?.(6).buffer.byteLength)
    return read(source, start, end)
  }
  for (const options of [{}, { heldBytes: 1000 }]) {
    const [left, right] = duplexPair()
    const served = alice.serve(right, BOB, 'warpdrive', options)
    const session = new Session(left)
    await askRange(session, id, 0, 0)
    await begun(session)
    t.equal(new TextDecoder().decode(await session.bytes(6, 'content')), 'abcdef')
    await session.close()
    t.equal(await served, undefined)
  }
  t.same(told, [undefined, 1000 + MAX_WAITING_BYTES + 5 * READ_BYTES])
})

t.test('a download that creeps is not cut off, however long one write takes to fill; one that then stands still is', async t => {
  const { alice, bob, files, clock } = await pair({ a: 'abcdef' }, { bob: { parallel: 1 } })
  const { id } = await alice.createOffer(BOB, '')
  const steps = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  files.read = async function * (): AsyncGenerator<Uint8Array> {
    for (const { promise } of steps) {
      await promise
      yield Uint8Array.of(0x61)
    }
    await new Promise(() => {})
  }
  let code: string | undefined
  const transfer = await bob.accept(id, undefined)
  const failed = transfer?.finished.catch((error: { code: string }) => { code = error.code })
  for (const step of steps) {
    await clock.advance(PROGRESS_TIMEOUT_MS - 1)
    step.resolve()
    for (let at = 0; at < 20; at++) await turn()
    t.equal(code, undefined)
  }
  await clock.advance(PROGRESS_TIMEOUT_MS - 1)
  for (let at = 0; at < 20; at++) await turn()
  t.equal(code, undefined, 'the time begins with the last byte')
  await clock.advance(1)
  await failed
  t.equal(code, 'ERR_TIMEOUT')
  await alice.close()
})

for (const cut of [1, 1000, 100_000]) {
  t.test(`a channel that hands its bytes over is not read piece by piece, in chunks of ${cut}: the same arrives, and its end is noticed`, async t => {
    const [left, right] = duplexPair({ chunkBytes: cut })
    let [handed, calls] = [0, 0]
    const receive: Channel['receive'] = async (take, { most = Infinity, signal } = {}) => {
      calls++
      const iterator = left.source[Symbol.asyncIterator]()
      for (let got = rest.splice(0); ; got = []) {
        if (got.length === 0) {
          const { done, value } = await iterator.next()
          signal?.throwIfAborted()
          if (done === true) return
          got = [...value.subarray()]
        }
        const bytes = got.slice(0, most - handed)
        rest.push(...got.slice(bytes.length))
        handed += bytes.length
        take(Uint8Array.from(bytes))
        if (handed === most) return
      }
    }
    const rest: number[] = []
    const session = new Session(Object.assign(left, { receive }))
    const content = new Uint8Array(3000).map((_, at) => at % 253)
    const sent = right.sink([Uint8Array.of(0), content])
    await begun(session)
    const got: number[] = []
    t.equal(await downloadTo(session, 3000, piece => { got.push(...piece) }, 1000), 3000)
    t.same(got, [...content])
    t.equal(calls, 1)
    await sent
    await t.rejects(downloadTo(session, 1, () => {}, 1000), { code: 'ERR_INCOMPLETE' })
    session.abort(new Error('over'))
  })
}

t.test('a download may stand still only so long', async t => {
  const { alice, bob, files, clock } = await pair({ a: 'abcdef' }, { bob: { parallel: 1 } })
  const { id } = await alice.createOffer(BOB, '')
  const begins = Promise.withResolvers<void>()
  files.read = async function * (): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(0x61)
    begins.resolve()
    await new Promise(() => {})
  }
  const transfer = await bob.accept(id, undefined)
  const failed = transfer?.finished.then(() => undefined, (error: { code: string }) => error.code)
  await begins.promise
  for (let at = 0; at < 20; at++) await turn()
  await clock.advance(PROGRESS_TIMEOUT_MS)
  t.equal(await failed, 'ERR_TIMEOUT')
  t.match(bob.offers(1), [{ status: 'failed', peer: ALICE }])
  await alice.close()
})
