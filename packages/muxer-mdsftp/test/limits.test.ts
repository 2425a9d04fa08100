import t from 'tap'
import { RECENT_IDS } from '../src/index.ts'
import { ConnectionState } from '../src/state.ts'

t.test('the ids of closed channels are remembered up to a bound, the oldest goes first', async t => {
  const state = new ConnectionState('dialer')
  const close = (id: number): void => {
    state.open(() => id)
    state.close(id)
  }
  for (let id = 1; id <= RECENT_IDS; id++) close(id)
  t.throws(() => state.open(() => 1), { code: 'ERR_MAX_CHANNELS' }, 'all of them are remembered')
  close(RECENT_IDS + 1)
  t.equal(state.open(() => 1).channel, 1, 'and one more is too many')
  t.throws(() => state.open(() => 2), { code: 'ERR_MAX_CHANNELS' })
})
