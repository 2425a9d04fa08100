import { all, check, echo, quiet, type MuxerCase } from './muxer-stage.ts'
import { counting, pattern, PatternCheck } from './pattern.ts'

const MIB = 1024 * 1024
/** What a source hands out at a time: one of these may be in the sink's hand beyond what was accepted. */
const CHUNK_BYTES = 64 * 1024

/** Slow readers and full pipes. */
export const pressureCases: readonly MuxerCase[] = [
  {
    id: 'slow-consumer',
    proves: 'a reader that stops holds its sender within the promised bytes, other channels keep flowing, and it can go on later',
    async run (stage) {
      const { maxBufferedBytesPerChannel, bulkBytes } = stage.promises
      const { near, far } = await stage.connect()
      const bulk = counting(pattern(bulkBytes, 1, CHUNK_BYTES))
      const sending = quiet(near.sink(bulk))
      const reader = far.source[Symbol.asyncIterator]()
      const right = new PatternCheck(1)

      const first = await stage.within(reader.next(), 'the first chunk arrives')
      if (first.done === true) return check(false, 'ended before the first byte')
      right.push(first.value)
      const bound = right.offset + maxBufferedBytesPerChannel + CHUNK_BYTES
      await stage.still(() => bulk.bytes)
      check(bulk.bytes <= bound, `${bulk.bytes} > ${bound} bytes were accepted for a reader that took one chunk`)

      for (const from of ['left', 'right', 'left'] as const) {
        const other = await stage.connect(from)
        quiet(echo(other.far))
        await stage.roundTrip(other.near, MIB, 7)
      }
      await stage.still(() => bulk.bytes)
      const accepted = bulk.bytes
      check(accepted <= bound, `${accepted} > ${bound} bytes were accepted while other channels moved`)

      const enough = Math.min(bulkBytes, accepted + 8 * MIB)
      while (right.offset < enough) {
        const next = await stage.within(reader.next(), 'the reader goes on')
        if (next.done === true) break
        right.push(next.value)
      }
      check(right.offset >= enough, `only ${right.offset} of ${enough} bytes came after the reader went on`)
      near.abort(new Error('seen enough'))
      await stage.within(sending.catch(() => {}), 'the sink lets go')
      return `${accepted} bytes accepted for a reader that took ${first.value.byteLength}`
    }
  },
  {
    id: 'many-slow-consumers',
    proves: 'the promise holds for each of 20 channels whose readers take nothing, while another channel keeps flowing',
    async run (stage) {
      const { maxBufferedBytesPerChannel } = stage.promises
      const bound = maxBufferedBytesPerChannel + CHUNK_BYTES
      const sources = Array.from({ length: 20 }, () => counting(pattern(4 * bound, 1, CHUNK_BYTES)))
      for (const source of sources) quiet((await stage.connect()).near.sink(source))
      await stage.still(() => sources.reduce((sum, { bytes }) => sum + bytes, 0))
      const most = Math.max(...sources.map(({ bytes }) => bytes))
      check(most <= bound, `${most} > ${bound} bytes were accepted for a reader that takes nothing`)
      await stage.stillWorks()
      await stage.stillWorks('right')
      return `${most} bytes at most`
    }
  },
  {
    id: 'saturated',
    proves: 'both sides push through a transport of 512 bytes while both echo: nothing waits for ever on anything',
    line: { capacityBytes: 512, chunkBytes: 100 },
    async run (stage) {
      stage.serve(stage.left)
      stage.serve(stage.right)
      await all(Array.from({ length: 8 }, async (_, index) => {
        const channel = await stage.within((index % 2 === 0 ? stage.left : stage.right).open(), 'a channel opens')
        await stage.roundTrip(channel, 128 * 1024, index, 10_000)
      }))
    }
  }
]
