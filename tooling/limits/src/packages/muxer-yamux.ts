import type { PackageLimits } from '../limit.ts'

export const muxerYamux: PackageLimits = {
  folder: 'muxer-yamux',
  exports: () => import('@ropewalk/muxer-yamux'),
  limits: [
    {
      constant: 'INITIAL_WINDOW_BYTES',
      of: 'bytes that the peer may send ahead on one channel',
      unit: 'bytes',
      option: 'windowBytes',
      beyond: 'the connection fails',
      code: 'ERR_WINDOW',
      test: ['hostile.test.ts', 'M8: a sender that ignores the window costs no more than the window']
    },
    {
      constant: 'MAX_CREDIT_BYTES',
      of: 'credit that the peer grants on one channel',
      unit: 'bytes',
      beyond: 'the connection fails',
      code: 'ERR_WINDOW_OVERFLOW',
      test: ['stream-state.test.ts', 'M7: credit beyond 32 bits is refused, up to there it is kept']
    },
    {
      constant: 'MAX_BUFFERED_BYTES',
      of: 'bytes received and not taken, all channels of a connection together',
      unit: 'bytes',
      option: 'maxBufferedBytes',
      beyond: 'the connection is not read until half is taken',
      test: ['muxer.test.ts', 'unread bytes of all channels together stop the reading of the connection']
    },
    {
      constant: 'MAX_CHANNELS',
      of: 'channels open, each side\'s own',
      unit: 'channels',
      option: 'maxChannels',
      beyond: 'ours: an error; the peer\'s: refused',
      code: 'ERR_MAX_CHANNELS',
      test: ['hostile.test.ts', 'M5: taken or not, there are no more channels than the limit']
    },
    {
      constant: 'MAX_STREAM_ID',
      of: 'ids of streams, of which each is used once',
      unit: 'items',
      beyond: '`open` is refused',
      code: 'ERR_IDS_EXHAUSTED',
      test: ['state.test.ts', 'ids are ours by parity, in order, and run out']
    },
    {
      constant: 'MAX_ACCEPT_BACKLOG',
      of: 'channels that the peer has opened and nobody has taken',
      unit: 'channels',
      option: 'maxAcceptBacklog',
      beyond: 'the next is refused',
      test: ['hostile.test.ts', 'M5: opens that nobody takes are refused beyond the backlog, a flood of them ends the connection']
    },
    {
      constant: 'MAX_UNACKNOWLEDGED_OPENS',
      of: 'channels that we have opened and the peer has not acknowledged',
      unit: 'channels',
      option: 'maxUnacknowledgedOpens',
      beyond: '`open` waits',
      test: ['hostile.test.ts', 'M5: a peer that acknowledges nothing holds our opens back']
    },
    {
      constant: 'MAX_WASTED_OPENS',
      of: 'opens of the peer that came to nothing, in a burst',
      unit: 'channels',
      option: 'maxWastedOpens',
      beyond: 'the connection fails',
      code: 'ERR_FLOOD',
      test: ['hostile.test.ts', 'M4: open and reset, over and over, ends the connection, whether somebody takes the channels or not']
    },
    {
      constant: 'WASTED_OPENS_PER_SECOND',
      of: 'how many of them are forgiven',
      unit: 'a second',
      beyond: 'the connection fails',
      code: 'ERR_FLOOD',
      test: ['state.test.ts', 'M4, M5: opens that come to nothing are forgiven slowly, then the connection ends']
    },
    {
      constant: 'MAX_IDLE_FRAMES',
      of: 'frames that do nothing, in a burst',
      unit: 'frames',
      option: 'maxIdleFrames',
      beyond: 'the connection fails',
      code: 'ERR_FLOOD',
      test: ['hostile.test.ts', 'M3: frames that do nothing, on and on, end the connection']
    },
    {
      constant: 'IDLE_FRAMES_PER_SECOND',
      of: 'how many of them are forgiven',
      unit: 'a second',
      beyond: 'the connection fails',
      code: 'ERR_FLOOD',
      test: ['state.test.ts', 'M3: frames that do nothing are forgiven slowly, then the connection ends']
    },
    {
      constant: 'MAX_UNANSWERED_PINGS',
      of: 'pings whose answers the peer does not read',
      unit: 'frames',
      beyond: 'the connection fails',
      code: 'ERR_FLOOD',
      test: ['hostile.test.ts', 'M2: pings from a peer that does not read are kept to a bound, then the connection ends']
    },
    {
      constant: 'MAX_QUEUED_RESETS',
      of: 'resets that the peer does not read',
      unit: 'frames',
      beyond: 'the connection fails',
      code: 'ERR_FLOOD',
      test: ['hostile.test.ts', 'M15: what we owe a peer that does not read is bounded: resets']
    },
    {
      constant: 'MAX_ID_GAPS',
      of: 'ranges of ids that the peer has passed over and may still use',
      unit: 'items',
      beyond: 'the oldest is forgotten; using it fails the connection',
      code: 'ERR_STREAM_ID',
      test: ['state.test.ts', 'what a peer passes over is remembered to a bound, and costs no more for being large']
    },
    {
      constant: 'FAREWELL_MS',
      of: 'a goodbye that the peer does not take',
      unit: 'ms',
      beyond: 'the connection is broken off',
      test: ['hostile.test.ts', 'a goodbye that nobody takes does not hold the connection']
    },
    {
      constant: 'KEEP_ALIVE_TIMEOUT_MS',
      of: 'silence behind a ping, where `keepAliveMs` is set',
      unit: 'ms',
      option: 'keepAliveTimeoutMs',
      beyond: 'the connection fails',
      code: 'ERR_TIMEOUT',
      test: ['hostile.test.ts', 'M11, M13: a silent peer is asked, and given up; one that trickles is not']
    }
  ],
  others: {
    HEADER_BYTES: 'part of the wire',
    VERSION: 'part of the wire',
    FRAME_BYTES: 'the size of the frames that we send'
  }
}
