import type { PackageLimits } from '../limit.ts'

export const muxerMdsftp: PackageLimits = {
  folder: 'muxer-mdsftp',
  exports: () => import('@ropewalk/muxer-mdsftp'),
  limits: [
    {
      constant: 'WINDOW_BYTES',
      of: 'bytes unacknowledged, in one direction of a channel',
      unit: 'bytes',
      option: 'windowBytes',
      beyond: 'the channel fails',
      code: 'ERR_WINDOW',
      test: ['hostile.test.ts', 'a sender that ignores the window is reset, and costs no more than the window']
    },
    {
      constant: 'SHARED_WINDOW_BYTES',
      of: 'bytes of them that a sender uses while the connection has other channels',
      unit: 'bytes',
      beyond: 'it waits for credit',
      test: ['muxer.test.ts', 'beside another channel a sender uses a part of the window, and alone again all of it']
    },
    {
      constant: 'HELD_BYTES',
      of: 'bytes that a channel holds of what its sink was given, besides the last array',
      unit: 'bytes',
      beyond: 'the source is asked for no more',
      test: ['muxer.test.ts', 'a sleeping reader holds the sender at the window while it is offered 512 MiB, and others run']
    },
    {
      constant: 'WINDOW_FRAGMENTS',
      of: 'fragments unacknowledged, in one direction of a channel',
      unit: 'fragments',
      option: 'windowFragments',
      beyond: 'the channel fails',
      code: 'ERR_WINDOW',
      test: ['hostile.test.ts', 'more fragments than the window, of one byte each, are no way around it']
    },
    {
      constant: 'WRITE_BUFFER_BYTES',
      of: 'bytes that `write` leaves waiting on one channel',
      unit: 'bytes',
      beyond: 'it says no, and `writable` is told when there is room',
      test: ['observer.test.ts', 'bytes that nobody reads are not credited, and what was written waits']
    },
    {
      constant: 'MAX_BUFFERED_BYTES',
      of: 'bytes received and not taken, all channels of a connection together',
      unit: 'bytes',
      option: 'maxBufferedBytes',
      beyond: 'the connection is not read until half is taken',
      test: ['packets.test.ts', 'content that nobody takes stops the reading of the connection, not its life']
    },
    {
      constant: 'MAX_FRAGMENT_BYTES',
      of: 'content of one fragment',
      unit: 'bytes',
      option: 'maxFragmentBytes',
      beyond: 'the connection fails, on the header alone',
      code: 'ERR_PAYLOAD_TOO_LARGE',
      test: ['codec.test.ts', 'a length is refused on the header alone, before any payload']
    },
    {
      constant: 'MAX_CHANNELS',
      of: 'channels open, each side\'s own',
      unit: 'channels',
      option: 'maxChannels',
      beyond: 'ours: an error; the peer\'s: refused',
      code: 'ERR_MAX_CHANNELS',
      test: ['state.test.ts', 'opens beyond the limit, the backlog or the closing are refused']
    },
    {
      constant: 'MAX_ACCEPT_BACKLOG',
      of: 'channels that the peer has opened and nobody has taken',
      unit: 'channels',
      option: 'maxAcceptBacklog',
      beyond: 'the next is refused',
      test: ['state.test.ts', 'opens beyond the limit, the backlog or the closing are refused']
    },
    {
      constant: 'MAX_WASTED_OPENS',
      of: 'opens of the peer that came to nothing, in a burst',
      unit: 'channels',
      option: 'maxWastedOpens',
      beyond: 'the connection fails',
      code: 'ERR_FLOOD',
      test: ['hostile.test.ts', 'opens beyond the limit are refused one by one, a flood of them ends the connection']
    },
    {
      constant: 'WASTED_OPENS_PER_SECOND',
      of: 'how many of them are forgiven',
      unit: 'a second',
      beyond: 'the connection fails',
      code: 'ERR_FLOOD',
      test: ['state.test.ts', 'opens that come to nothing end the connection, taken or not, unless time forgives them']
    },
    {
      constant: 'MAX_WAITING_PACKETS',
      of: 'packets that wait on one channel (packets view)',
      unit: 'packets',
      beyond: 'the connection fails',
      code: 'ERR_FLOOD',
      test: ['packets.test.ts', 'packets that nobody takes are bounded']
    },
    {
      constant: 'MAX_BLOCKS',
      of: 'blocks of 128 KiB for content that is given back, all connections together',
      unit: 'items',
      beyond: 'memory is not used again',
      test: ['blocks.test.ts', 'no more blocks are kept than there may be, and content comes whole without them']
    },
    {
      constant: 'FAREWELL_MS',
      of: 'the end of the peer\'s direction, behind ours',
      unit: 'ms',
      beyond: 'the connection is broken off',
      test: ['muxer.test.ts', 'a peer that never ends its side after our close is left behind; one that does in time is not broken off']
    },
    {
      constant: 'MAX_ID_DRAWS',
      of: 'draws of a random id',
      unit: 'items',
      beyond: '`open` is refused',
      code: 'ERR_MAX_CHANNELS',
      test: ['state.test.ts', 'an id in use, or closed a moment ago, is drawn again, five times']
    },
    {
      constant: 'RECENT_IDS',
      of: 'ids of closed channels that are not drawn again',
      unit: 'items',
      beyond: 'the oldest is forgotten',
      test: ['limits.test.ts', 'the ids of closed channels are remembered up to a bound, the oldest goes first']
    }
  ],
  others: {
    HEADER_BYTES: 'part of the wire',
    FRAGMENT_PREFIX_BYTES: 'part of the wire',
    SEED_CODE_CHANNEL_OPEN: 'part of the wire',
    BLOCK_BYTES: 'the size of the blocks in which content arrives',
    FRAGMENT_BYTES: 'the size of the fragments that we send'
  }
}
