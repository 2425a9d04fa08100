import { abuseSuite } from '@ropewalk/testing/muxer-suite'
import t from 'tap'
import { yamux } from '../src/index.ts'
import { YAMUX } from './dialect.ts'

for (const attach of [false, true]) {
  t.test(`attacks, over a connection that ${attach ? 'hands bytes over' : 'is iterated'}`, t => abuseSuite(t, YAMUX, connection => yamux(connection, { role: 'server' }), { line: { attach } }))
}
