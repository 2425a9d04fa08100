import { all, check, drain, quiet, type MuxerCase, type Stage } from './muxer-stage.ts'
import { counting, pattern, verify } from './pattern.ts'
import { Script } from './script.ts'

const LATER_BYTES = 1024 * 1024

/** Each direction ends on its own. */
export const halfCloseCases: readonly MuxerCase[] = [
  {
    id: 'half-close-opener',
    proves: 'after the opener has ended, 1 MiB still flows to it',
    needs: 'halfClose',
    run: stage => halfClose(stage, 'near')
  },
  {
    id: 'half-close-acceptor',
    proves: 'after the acceptor has ended, 1 MiB still flows to it',
    needs: 'halfClose',
    run: stage => halfClose(stage, 'far')
  },
  {
    id: 'half-close-prompt',
    proves: 'an end is seen at once, not only when the other direction ends too',
    needs: 'halfClose',
    async run (stage) {
      const { near, far } = await stage.connect()
      const held = new Script()
      const sending = quiet(far.sink(held))
      await stage.within(all([near.sink([]), drain(far.source)]), 'the end arrives while the other direction stays open')
      held.close()
      await stage.within(all([sending, drain(near.source)]), 'the other direction ends')
    }
  }
]

async function halfClose (stage: Stage, first: 'near' | 'far'): Promise<void> {
  const ends = await stage.connect()
  const [ending, talking] = first === 'near' ? [ends.near, ends.far] : [ends.far, ends.near]
  await stage.within(all([ending.sink(pattern(100, 1)), verify(talking.source, 100, 1)]), 'the first direction ends')

  const later = counting(pattern(LATER_BYTES, 2))
  await stage.within(all([talking.sink(later), verify(ending.source, LATER_BYTES, 2)]), 'the other direction goes on')
  check(later.released, 'the source was read to its end')
}
