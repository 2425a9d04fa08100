import { chopped } from './cuts.ts'
import { all, drain, echo, quiet, type MuxerCase } from './muxer-stage.ts'
import { pattern, patternAt, verify } from './pattern.ts'

const MIB = 1024 * 1024

/** Bytes go where they should, in order. */
export const exchangeCases: readonly MuxerCase[] = [
  {
    id: 'echo',
    proves: 'what goes out on a channel reaches the peer and comes back, and both directions end',
    async run (stage) {
      for (const from of ['left', 'right'] as const) {
        const { near, far } = await stage.connect(from)
        quiet(echo(far))
        await stage.roundTrip(near, 5)
      }
    }
  },
  {
    id: 'order',
    proves: 'bytes written in many uneven chunks arrive complete and in order',
    async run (stage) {
      const { near, far } = await stage.connect()
      const bytes = patternAt(0, 300_000)
      await stage.within(all([near.sink(chopped(bytes, [1, 2, 3, 500, 1, 4096, 65, 7])), verify(far.source, bytes.byteLength)]), 'all chunks arrive')
    }
  },
  {
    id: 'order-transport-bytes',
    proves: 'bytes arrive complete and in order when the transport delivers one byte at a time',
    line: { chunkBytes: 1 },
    async run (stage) {
      const { near, far } = await stage.connect()
      quiet(echo(far))
      await stage.roundTrip(near, 20_000, 1, 777)
    }
  },
  {
    id: 'both-open',
    proves: 'both sides may open channels at the same moment: each reaches the other side and none is taken for another',
    async run (stage) {
      stage.serve(stage.left)
      stage.serve(stage.right)
      const opened = await stage.within(all([stage.left, stage.right, stage.right, stage.left].map(muxer => muxer.open())), 'four channels open')
      await all(opened.map((channel, index) => stage.roundTrip(channel, 10_000, index)))
    }
  },
  {
    id: 'empty-chunks',
    proves: 'chunks without bytes disturb nothing, and an empty source is an end',
    async run (stage) {
      const { near, far } = await stage.connect()
      const empty = new Uint8Array()
      const sent = all([near.sink([empty, patternAt(0, 3), empty, empty, patternAt(3, 2), empty]), far.sink([])])
      await stage.within(all([sent, verify(far.source, 5), verify(near.source, 0)]), 'five bytes arrive one way and an end the other')
    }
  },
  {
    id: 'last-chunk',
    proves: 'what is sent just before the end arrives, however little it is',
    async run (stage) {
      for (const length of [1, 2, 65_535, 65_536, 65_537]) {
        const { near, far } = await stage.connect()
        await stage.within(all([near.sink(pattern(length, length)), verify(far.source, length, length)]), `${length} bytes and the end arrive`)
        await stage.within(all([far.sink([]), drain(near.source)]), 'the other end arrives')
      }
    }
  },
  {
    id: 'both-ways-1mib',
    proves: '1 MiB goes each way at the same time',
    run: stage => bothWays(stage, MIB)
  },
  {
    id: 'both-ways-8mib',
    proves: '8 MiB go each way at the same time',
    run: stage => bothWays(stage, 8 * MIB)
  },
  {
    id: 'hundred-at-once',
    proves: '100 channels at once, opened by both sides, keep their bytes apart',
    async run (stage) {
      stage.serve(stage.left)
      stage.serve(stage.right)
      await all(Array.from({ length: 100 }, async (_, index) => {
        const channel = await stage.within((index % 2 === 0 ? stage.left : stage.right).open(), 'a channel opens')
        await stage.roundTrip(channel, 30_000 + index, index, 1000 + index)
      }))
    }
  }
]

async function bothWays (stage: Parameters<MuxerCase['run']>[0], length: number): Promise<void> {
  const { near, far } = await stage.connect()
  await stage.within(all([
    near.sink(pattern(length, 1)),
    far.sink(pattern(length, 2)),
    verify(far.source, length, 1),
    verify(near.source, length, 2)
  ]), `${length} bytes go each way`)
}
