import { collect, counting, duplexPair, pattern, patternAt, settle, verify } from '@ropewalk/testing'
import { abuseSuite, muxerSuite } from '@ropewalk/testing/muxer-suite'
import type { Channel, Muxer } from '@ropewalk/interface'
import t from 'tap'
import { INITIAL_WINDOW_BYTES, yamux, type YamuxMuxer } from '../src/index.ts'
import { chainsafe, LIBRARIES, type ChainsafeMuxer } from './chainsafe.ts'
import { YAMUX } from './dialect.ts'

const NAMES = Object.keys(LIBRARIES) as Array<keyof typeof LIBRARIES>

interface Meeting { ours: YamuxMuxer, theirs: ChainsafeMuxer }

/** Ours and the library's, over one connection, in both roles. */
function meetings (library: keyof typeof LIBRARIES): Array<[string, () => Meeting]> {
  const meet = (role: 'client' | 'server', options: Parameters<typeof duplexPair>[0] = {}): Meeting => {
    const [left, right] = duplexPair(options)
    return { ours: yamux(left, { role }), theirs: chainsafe(right, { library, role: role === 'client' ? 'server' : 'client' }) }
  }
  return [
    ['ours as client', () => meet('client')],
    ['ours as server', () => meet('server')],
    ['ours as client, in pieces of 1000 bytes, handed over', () => meet('client', { attach: true, chunkBytes: 1000 })]
  ]
}

async function connect (opener: Muxer, acceptor: Muxer): Promise<[Channel, Channel]> {
  const [near, far] = await Promise.all([opener.open(), acceptor[Symbol.asyncIterator]().next()])
  return [near, far.value as Channel]
}

function part ({ ours, theirs }: Meeting): void {
  ours.abort(new Error('the test is over'))
  theirs.abort(new Error('the test is over'))
}

for (const [library, who, meet] of NAMES.flatMap(name => meetings(name).map(([who, meet]) => [name, who, meet] as const))) {
  t.test(`with ${library}, ${who}`, async t => {
    t.test('8 MiB go there and back, whoever opens', async t => {
      const both = meet()
      for (const [opener, acceptor] of [[both.ours, both.theirs], [both.theirs, both.ours]] as const) {
        const [near, far] = await connect(opener, acceptor)
        await Promise.all([near.sink(pattern(8 * 1024 * 1024, 5)), verify(near.source, 8 * 1024 * 1024, 5), far.sink(far.source)])
      }
      await settle(() => both.ours.size)
      t.equal(both.ours.size, 0)
      part(both)
    })

    t.test('each direction ends on its own, whoever is first', async t => {
      const both = meet()
      const [near, far] = await connect(both.ours, both.theirs)
      await Promise.all([near.sink(pattern(1000, 1)), verify(far.source, 1000, 1)])
      await Promise.all([far.sink(pattern(1_000_000, 2)), verify(near.source, 1_000_000, 2)])
      const [second, other] = await connect(both.ours, both.theirs)
      await Promise.all([other.sink(pattern(1000, 3)), verify(second.source, 1000, 3)])
      await Promise.all([second.sink(pattern(1_000_000, 4)), verify(other.source, 1_000_000, 4)])
      await settle(() => both.ours.size)
      t.equal(both.ours.size, 0)
      part(both)
    })

    t.test('a reset reaches the other side', async t => {
      const both = meet()
      const reason = new Error('changed my mind')
      const [near, far] = await connect(both.ours, both.theirs)
      const reading = collect(far.source)
      await settle(() => 0)
      near.abort(reason)
      await t.rejects(reading)
      const [mine, yours] = await connect(both.theirs, both.ours)
      const theirReading = collect(yours.source)
      await settle(() => 0)
      mine.abort(reason)
      await t.rejects(theirReading, { code: 'ERR_CHANNEL_RESET', remote: true })
      part(both)
    })

    t.test('100 streams at once, opened by both', async () => {
      const both = meet()
      for (const muxer of [both.ours, both.theirs]) void (async () => { for await (const channel of muxer) channel.sink(channel.source).catch(() => {}) })().catch(() => {})
      await Promise.all(Array.from({ length: 100 }, async (_, index) => {
        const channel = await (index % 2 === 0 ? both.ours : both.theirs).open()
        await Promise.all([channel.sink(pattern(100_000, index)), verify(channel.source, 100_000, index)])
      }))
      part(both)
    })

    t.test('a reader of ours that sleeps holds the library at the window', async t => {
      const both = meet()
      const offered = counting(pattern(64 * 1024 * 1024, 1, 65_536))
      const [near, far] = await connect(both.theirs, both.ours)
      near.sink(offered).catch(() => {})
      await far.source[Symbol.asyncIterator]().next()
      await settle(() => offered.bytes)
      t.ok(offered.bytes <= 3 * INITIAL_WINDOW_BYTES, `${offered.bytes} bytes`)
      part(both)
    })

    t.test('we answer its pings, and it answers ours', async t => {
      const both = meet()
      t.ok(await both.ours.ping() >= 0)
      t.ok(await both.theirs.inner.ping() >= 0)
      part(both)
    })

    t.test('our close ends it in order, and its close ends us', async t => {
      const both = meet()
      const [near, far] = await connect(both.ours, both.theirs)
      await Promise.all([near.sink([patternAt(0, 10)]), far.sink(far.source), collect(near.source)])
      await both.ours.close()
      t.equal((await both.theirs[Symbol.asyncIterator]().next()).done, true)

      const again = meet()
      const incoming = again.ours[Symbol.asyncIterator]().next()
      await again.theirs.close()
      t.equal((await incoming).done, true)
      await t.rejects(again.ours.open())
    })
  })
}

// The library as it comes, through the suites: what it is known to fail stands here with the figure.

for (const library of NAMES) {
  t.test(`${library} itself: the suite`, t => muxerSuite(t, line => {
    const [left, right] = line.connect()
    const ends = [chainsafe(left, { library, role: 'client', asItComes: true }), chainsafe(right, { library, role: 'server', asItComes: true })] as const
    return { left: ends[0], right: ends[1], openChannels: () => ends[0].size + ends[1].size }
  }, {
    bulkBytes: 32 * 1024 * 1024,
    sequentialChannels: 200,
    known: {
      'close-finishes': 'close waits for no channel',
      'muxer-abort': 'a reader sees a clean end',
      'death-reset': 'a reader sees a clean end when the connection breaks, and a sleeping reader lets 64 MiB come',
      'death-end': 'the same',
      'slow-consumer': 'all of 512 MiB is accepted for a reader that took one chunk',
      'many-slow-consumers': 'the same'
    }
  }))

  t.test(`${library} itself: attacks`, t => abuseSuite(t, YAMUX, connection => chainsafe(connection, { library, role: 'server', asItComes: true }), {
    floodFrames: 4000,
    known: {
      overdraft: '8 of 8 windows are kept for a reader that takes nothing',
      crumbs: '262,144 pieces for 262,144 bytes',
      'lying-length': 'the frame is gathered before its window is looked at',
      'ping-flood': '20,000 of 20,000 are answered',
      'ping-flood-unread': '20,000 answers are queued',
      'idle-flood': '20,000 of 20,000 are taken',
      'open-reset-flood': '20,000 channels are handed out',
      'open-flood': '19,000 refusals are sent',
      'open-flood-unread': '19,000 refusals are queued',
      'credit-overflow': 'a credit of 12 GiB is taken',
      breaches: 'unknown flags, an id opened twice, an id used again and data behind the end are taken'
    }
  }))
}
