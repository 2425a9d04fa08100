import tests from '@libp2p/interface-compliance-tests/stream-muxer'
import t from 'tap'
import { mdsftp } from '../src/index.ts'
import { mocha } from './mocha.ts'

t.test('the compliance tests of libp2p for stream muxers', async t => {
  await mocha(t, () => {
    tests({
      async setup () { return mdsftp()() },
      async teardown () {}
    })
  })
})
