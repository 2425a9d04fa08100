import { hexdump } from '@ropewalk/testing'
import { abuseSuite, type Dialect } from '@ropewalk/testing/muxer-suite'
import t from 'tap'
import { encodeFragment, encodePacket, UPSTREAM, writeFragmentHeader, type ControlPacket } from '../src/codec.ts'
import { mdsftp, WINDOW_BYTES, WINDOW_FRAGMENTS } from '../src/index.ts'

const packet = (channel: number, packet: ControlPacket): Uint8Array => encodePacket(UPSTREAM, channel + 1, packet)

/** MDSFTP as a hostile dialer speaks it. */
const MDSFTP: Dialect = {
  windowBytes: WINDOW_BYTES,
  windowFrames: WINDOW_FRAGMENTS,
  open: channel => packet(channel, { type: 'ChannelOpen' }),
  data: (channel, sequence, content) => encodeFragment(channel + 1, false, sequence, content),
  announce (channel, sequence, length) {
    const header = new Uint8Array(14)
    writeFragmentHeader(header, 0, channel + 1, false, sequence, length - 5)
    return header
  },
  reset: channel => packet(channel, { type: 'ChannelClose' }),
  breaches: {
    'an unknown kind': hexdump('7f 00000001 00000000'),
    'a wrong length': hexdump('04 00000001 00000005'),
    'a length that is negative when signed': hexdump('06 00000001 80000000'),
    'an empty fragment in mid-transfer': hexdump('80 00000001 00000000 01 00000001 00000005 00 00000000')
  },
  strays: {
    'an acknowledgement for a channel that never was': packet(50, { type: 'RecvAck', number: 5 }),
    'data for a channel that never was': encodeFragment(51, false, 9, new Uint8Array(100_000)),
    'a close of a channel that never was': packet(50, { type: 'ChannelClose' })
  }
}

for (const attach of [false, true]) {
  t.test(`attacks, over a connection that ${attach ? 'hands bytes over' : 'is iterated'}`, t => abuseSuite(t, MDSFTP, connection => mdsftp(connection, { role: 'acceptor' }), {
    line: { attach },
    floodFrames: 4000
  }))
}
