import type { Channel } from '@ropewalk/interface'
import { all, check, drain, quiet, type MuxerCase, type Stage } from './muxer-stage.ts'
import { counting, pattern, patternAt, type Counted } from './pattern.ts'
import { Script } from './script.ts'

const INTERACTIVE = 9
const ROUND_TRIPS = 20
const MESSAGE_BYTES = 32

/** Small messages beside a bulk transfer. */
export const fairnessCases: readonly MuxerCase[] = [
  {
    id: 'fairness',
    proves: 'beside one bulk channel, each small round trip on nine others costs at most the promised number of bulk bytes',
    async run (stage) {
      const { maxBulkBytesPerRoundTrip: bound } = stage.promises
      const bulkChannel = await stage.connect()
      const others = []
      for (let index = 0; index < INTERACTIVE; index++) others.push(await stage.connect(index % 2 === 0 ? 'left' : 'right'))

      // The supply ends: a muxer that lets bulk starve the rest must fail, not run on.
      let done = false
      const bulk = counting(until(() => done, ROUND_TRIPS * bound))
      const sending = quiet(bulkChannel.near.sink(bulk))
      const reading = quiet(drain(bulkChannel.far.source))

      const costs = await all(others.map(async ({ near, far }) => {
        quiet(far.sink(far.source))
        return await converse(stage, near, bulk)
      }))
      const starved = bulk.released
      done = true
      const worst = Math.max(...costs.flat())
      check(!starved, `the bulk channel sent all its ${bulk.bytes} bytes before ${INTERACTIVE * ROUND_TRIPS} small round trips were done`)
      check(worst <= bound, `${worst} > ${bound} bulk bytes during one round trip`)
      await stage.within(all([sending, reading]), 'the bulk channel ends')
      return `at most ${worst} bulk bytes during one round trip`
    }
  }
]

/** Bulk bytes that went by during each round trip of one small message. */
async function converse (stage: Stage, channel: Channel, bulk: Counted): Promise<number[]> {
  const script = new Script()
  const sending = quiet(channel.sink(script))
  const reader = channel.source[Symbol.asyncIterator]()
  const costs: number[] = []
  for (let round = 0; round < ROUND_TRIPS; round++) {
    const before = bulk.bytes
    quiet(script.say(patternAt(0, MESSAGE_BYTES)))
    for (let back = 0; back < MESSAGE_BYTES;) {
      const result = await stage.within(reader.next(), `small round trip ${round}`)
      check(result.done !== true, 'the echo ended early')
      back += result.value?.byteLength ?? 0
    }
    costs.push(bulk.bytes - before)
  }
  script.close()
  await stage.within(all([sending, drain({ [Symbol.asyncIterator]: () => reader })]), 'a small channel ends')
  return costs
}

function * until (done: () => boolean, maxBytes: number): Generator<Uint8Array> {
  for (const bytes of pattern(maxBytes)) {
    if (done()) return
    yield bytes
  }
}
