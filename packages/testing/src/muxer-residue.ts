import { all, check, drain, echo, quiet, type MuxerCase, type Stage } from './muxer-stage.ts'
import { patternAt } from './pattern.ts'

/** What closed channels leave behind: nothing. */
export const residueCases: readonly MuxerCase[] = [
  {
    id: 'residue-closed',
    proves: 'channels opened, used and closed one after another leave nothing behind',
    async run (stage) {
      stage.serve(stage.right)
      return await leavesNothing(stage, stage.promises.sequentialChannels, async () => {
        const channel = await stage.left.open()
        const [, length] = await all([channel.sink([patternAt(0, 1)]), drain(channel.source)])
        check(length === 1, `${length} of 1 byte came back`)
      })
    }
  },
  {
    id: 'residue-reset',
    proves: 'channels opened and broken off one after another leave nothing behind',
    async run (stage) {
      return await leavesNothing(stage, Math.ceil(stage.promises.sequentialChannels / 10), async () => {
        const { near, far } = await stage.connect()
        const reading = quiet(drain(far.source))
        near.abort(new Error('never mind'))
        await stage.fails(reading, 'the source of a channel that the peer broke off')
      })
    }
  },
  {
    id: 'residue-at-once',
    proves: '500 channels open at once, all ended, leave nothing behind',
    async run (stage) {
      const ends = await all(Array.from({ length: 500 }, () => stage.connect()))
      return await leavesNothing(stage, 1, async () => {
        for (const { near, far } of ends) {
          quiet(echo(far))
          await stage.roundTrip(near, 10)
        }
      })
    }
  }
]

async function leavesNothing (stage: Stage, times: number, play: () => Promise<void>): Promise<string> {
  const { pair } = stage
  const before = await pair.residue?.()
  for (let index = 0; index < times; index++) await stage.within(play(), `channel ${index} of ${times} comes and goes`)

  const open = await stage.still(() => pair.openChannels?.())
  check((open ?? 0) === 0, `${open} channels are still remembered after ${times}`)
  const after = await pair.residue?.()
  check((after ?? 0) <= (before ?? 0), `residue grew from ${before} to ${after} over ${times} channels`)
  return `${times} times; channels remembered: ${open ?? 'not counted'}, residue: ${after ?? 'not measured'}`
}
