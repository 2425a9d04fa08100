import { duplexPair } from '@ropewalk/testing'
import { muxerSuite, type MakeMuxers } from '@ropewalk/testing/muxer-suite'
import t from 'tap'
import { INITIAL_WINDOW_BYTES, yamux } from '../src/index.ts'

const make = (attach: boolean): MakeMuxers => line => {
  const [left, right] = attach ? duplexPair({ ...line.options, attach }) : line.connect()
  const ends = [yamux(left, { role: 'client' }), yamux(right, { role: 'server' })] as const
  const cut = (how: 'reset' | 'end'): void => { for (const end of [left, right]) end.abort(new Error(how)) }
  return { left: ends[0], right: ends[1], openChannels: () => ends[0].size + ends[1].size, ...attach ? { cut } : {} }
}

t.test('the suite, over a connection that is iterated', t => muxerSuite(t, make(false), { maxBufferedBytesPerChannel: 2 * INITIAL_WINDOW_BYTES }))
t.test('the suite, over a connection that hands bytes over', t => muxerSuite(t, make(true), { maxBufferedBytesPerChannel: 2 * INITIAL_WINDOW_BYTES }))
