import { hexdump } from '@ropewalk/testing'
import type { Dialect } from '@ropewalk/testing/muxer-suite'
import { encodeHeader, Flag, FrameType } from '../src/codec.ts'
import { INITIAL_WINDOW_BYTES } from '../src/index.ts'

/** Yamux as a hostile client speaks it. */
const id = (channel: number): number => channel * 2 + 1
const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const open = (channel: number): Uint8Array => encodeHeader(FrameType.WindowUpdate, Flag.SYN, id(channel), 0)
const data = (channel: number, content: Uint8Array): Uint8Array => join(encodeHeader(FrameType.Data, 0, id(channel), content.length), content)

export const YAMUX: Dialect = {
  windowBytes: INITIAL_WINDOW_BYTES,
  open,
  data: (channel, _sequence, content) => data(channel, content),
  announce: (channel, _sequence, length) => encodeHeader(FrameType.Data, 0, id(channel), length),
  reset: channel => encodeHeader(FrameType.WindowUpdate, Flag.RST, id(channel), 0),
  credit: (channel, bytes) => encodeHeader(FrameType.WindowUpdate, 0, id(channel), bytes),
  ping: value => encodeHeader(FrameType.Ping, Flag.SYN, 0, value),
  idle: {
    'empty data': data(0, new Uint8Array(0)),
    'updates by zero': encodeHeader(FrameType.WindowUpdate, 0, id(0), 0)
  },
  breaches: {
    'version 1': hexdump('01 01 0001 00000001 00000000'),
    'type 4': hexdump('00 04 0000 00000001 00000000'),
    'flag 0x10': hexdump('00 01 0010 00000001 00000000'),
    'a ping without a flag': hexdump('00 02 0000 00000000 00000001'),
    'a ping on a stream': hexdump('00 02 0001 00000001 00000001'),
    'data on stream 0': hexdump('00 00 0000 00000000 00000000'),
    'an open of our parity': hexdump('00 01 0001 00000002 00000000'),
    'an id opened twice': join(open(0), open(0)),
    'an id used again': join(open(0), encodeHeader(FrameType.WindowUpdate, Flag.RST, id(0), 0), open(0)),
    'data behind the end': join(open(0), encodeHeader(FrameType.WindowUpdate, Flag.FIN, id(0), 0), data(0, Uint8Array.of(1))),
    'an open with more data than the first window': join(encodeHeader(FrameType.Data, Flag.SYN, id(0), INITIAL_WINDOW_BYTES + 1), new Uint8Array(INITIAL_WINDOW_BYTES + 1))
  },
  strays: {
    'credit for a stream that never was': encodeHeader(FrameType.WindowUpdate, 0, id(50), 0xffff_ffff),
    'data for a stream that never was': data(50, new Uint8Array(100_000)),
    'a reset of a stream that never was': encodeHeader(FrameType.WindowUpdate, Flag.RST, id(50), 0)
  }
}
