import t from 'tap'
import { MAX_FRAGMENTS } from '../src/index.ts'
import { SenderState } from '../src/sender-state.ts'

t.test('a transfer has no more fragments than a number can count', async t => {
  t.doesNotThrow(() => new SenderState({ size: MAX_FRAGMENTS, fragmentBytes: 1, window: 1 }))
  t.throws(() => new SenderState({ size: MAX_FRAGMENTS + 1, fragmentBytes: 1, window: 1 }), RangeError)
})
