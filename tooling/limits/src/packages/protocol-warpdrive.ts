import type { PackageLimits } from '../limit.ts'

export const protocolWarpdrive: PackageLimits = {
  folder: 'protocol-warpdrive',
  exports: () => import('@ropewalk/protocol-warpdrive'),
  limits: [
    {
      constant: 'MAX_JSON_BYTES',
      of: 'one JSON value',
      unit: 'bytes',
      option: 'maxJsonBytes',
      beyond: 'the session is closed',
      code: 'ERR_TOO_LARGE',
      test: ['node.test.ts', '10^6 entries, 100 MiB of JSON: refused within their limits']
    },
    {
      constant: 'MAX_ENTRIES',
      of: 'entries of one offer',
      unit: 'items',
      option: 'maxEntries',
      beyond: 'the offer is refused',
      code: 'ERR_TOO_MANY',
      test: ['node.test.ts', '10^6 entries, 100 MiB of JSON: refused within their limits']
    },
    {
      constant: 'MAX_NAME_BYTES',
      of: 'a name in an offer',
      unit: 'bytes',
      beyond: 'the offer is refused',
      code: 'ERR_BAD_NAME',
      test: ['node.test.ts', 'hostile offers: each has its code, and nothing is kept']
    },
    {
      constant: 'MAX_PEER_OFFERS',
      of: 'offers that are kept of one peer',
      unit: 'items',
      option: 'maxPeerOffers',
      beyond: 'the oldest that is over goes; where none is, the next is refused',
      code: 'ERR_TOO_MANY',
      test: ['node.test.ts', 'hostile offers: each has its code, and nothing is kept']
    },
    {
      constant: 'MAX_PEER_SESSIONS',
      of: 'sessions of one peer at a time',
      unit: 'items',
      option: 'maxPeerSessions',
      beyond: 'the next channel is broken off',
      code: 'ERR_TOO_MANY',
      test: ['limits.test.ts', 'a session without a command ends, and one peer has only so many']
    },
    {
      constant: 'IDLE_TIMEOUT_MS',
      of: 'a session without a command',
      unit: 'ms',
      option: 'idleMs',
      beyond: 'it is closed',
      code: 'ERR_TIMEOUT',
      test: ['limits.test.ts', 'a session without a command ends, and one peer has only so many']
    },
    {
      constant: 'REPLY_TIMEOUT_MS',
      of: 'a reply',
      unit: 'ms',
      option: 'replyMs',
      beyond: 'the session is broken off',
      code: 'ERR_TIMEOUT',
      test: ['node.test.ts', 'a peer that never answers, one that lies about the content, one that refuses']
    },
    {
      constant: 'MAX_BLOCKS',
      of: 'blocks of one file',
      unit: 'pieces',
      beyond: 'the blocks are larger',
      test: ['content-digest.test.ts', 'of larger files the blocks are larger, never more than so many']
    },
    {
      constant: 'STROKE_BYTES',
      of: 'bytes of a download gathered for one write, twice',
      unit: 'bytes',
      beyond: 'the download waits for the disk',
      test: ['strokes.test.ts', 'strokes: while one write is under way the next is gathered, and never more than two are held']
    },
    {
      constant: 'FINISHED_AHEAD',
      of: 'files of one session that are being made to last',
      unit: 'items',
      beyond: 'the next waits',
      test: ['strokes.test.ts', 'what has come is made to last while the rest comes, so many at a time, and confirmed in its order']
    },
    {
      constant: 'MANY_ENTRIES',
      of: 'small files asked for with one command',
      unit: 'items',
      beyond: 'the next are asked for with the next',
      test: ['small.test.ts', 'small files come together and larger ones beside them']
    },
    {
      constant: 'MANY_BYTES',
      of: 'their bytes, held until all of them are verified, three times',
      unit: 'bytes',
      beyond: 'the next are asked for with the next',
      test: ['small.test.ts', 'small files come together and larger ones beside them']
    },
    {
      constant: 'MAX_JSON_DEPTH',
      of: 'levels in one JSON value',
      unit: 'levels',
      beyond: 'the session is closed',
      code: 'ERR_BAD_JSON',
      test: ['bounds.test.ts', 'JSON has only so many levels']
    },
    {
      constant: 'MAX_ARRAY_ITEMS',
      of: 'elements of one array of the wire',
      unit: 'items',
      beyond: 'the session is closed',
      code: 'ERR_TOO_LARGE',
      test: ['bounds.test.ts', 'an array has only so many elements, whatever it claims']
    },
    {
      constant: 'MAX_PEERS',
      of: 'peers that are kept',
      unit: 'items',
      option: 'maxPeers',
      beyond: 'the next is refused',
      code: 'ERR_TOO_MANY',
      test: ['bounds.test.ts', 'only so many peers are kept']
    },
    {
      constant: 'MAX_UNCONFIRMED',
      of: 'entries sent on one session and not confirmed',
      unit: 'items',
      beyond: 'the session is closed',
      code: 'ERR_TOO_MANY',
      test: ['bounds.test.ts', 'a session sends only so many entries that are not confirmed']
    },
    {
      constant: 'MAX_WAITING_BYTES',
      of: 'bytes that wait for a channel',
      unit: 'bytes',
      beyond: 'the sender waits',
      test: ['bounds.test.ts', 'only so many bytes wait for a channel that nobody reads: then the sender waits, and is not kept waiting for ever']
    },
    {
      constant: 'PROGRESS_TIMEOUT_MS',
      of: 'the time between bytes of a download',
      unit: 'ms',
      option: 'progressMs',
      beyond: 'the download is broken off',
      code: 'ERR_TIMEOUT',
      test: ['bounds.test.ts', 'a download may stand still only so long']
    },
    {
      constant: 'MAX_QUEUED_EVENTS',
      of: 'events that wait for a listener',
      unit: 'items',
      option: 'maxQueued',
      beyond: 'it is disconnected',
      code: 'ERR_SLOW',
      test: ['limits.test.ts', 'a listener that lags is disconnected']
    }
  ],
  others: {
    MANY_AHEAD: 'what we ask for ahead',
    MANY_FAST_MS: 'when more is asked for at a time',
    MANY_SLOW_MS: 'when less is asked for at a time',
    READ_BYTES: 'bytes of a file that are read at a time',
    SENT_BYTES: 'bytes of small files in one piece',
    SMALL_FILE_BYTES: 'up to this size files are asked for together',
    ASKED_AHEAD: 'what we ask for ahead',
    AUTO_ACCEPT_DELAY_MS: 'a pause that the original needs',
    BLOCK_BYTES: 'what is verified by itself',
    CLOSE_TIMEOUT_MS: 'a moment in which the peer may end first',
    MAX_DRAIN_BYTES: 'what is thrown away in that moment',
    PARALLEL_FILES: 'a default of how many at a time',
    MAX_STRING_BYTES: 'the wire has one byte for a length',
    IDENTITY_BYTES: 'a length that the wire fixes',
    DIGEST_BYTES: 'the length of a SHA-256'
  }
}
