import type { PackageLimits } from '../limit.ts'

export const protocolIpcUpload: PackageLimits = {
  folder: 'protocol-ipc-upload',
  exports: () => import('@ropewalk/protocol-ipc-upload'),
  limits: [
    {
      constant: 'MAX_PAYLOAD_BYTES',
      of: 'one message, without its header',
      unit: 'bytes',
      beyond: 'the connection ends',
      code: 'ERR_TOO_LARGE',
      test: ['codec.test.ts', 'packets and frames that are wrong are refused from what is there']
    },
    {
      constant: 'MIN_BLOCK_BYTES',
      of: 'the smallest block that may be agreed on',
      unit: 'bytes',
      beyond: 'a client refuses the offer',
      code: 'ERR_BAD_OFFER',
      test: ['x9.test.ts', 'X9: offers out of bounds, and gaps that do not exist or overlap']
    },
    {
      constant: 'MAX_BLOCK_BYTES',
      of: 'the largest block',
      unit: 'bytes',
      option: 'blockBytes',
      beyond: 'refused: by a client the offer, by a server the block',
      code: 'ERR_BAD_OFFER',
      test: ['x9.test.ts', 'X9: offers out of bounds, and gaps that do not exist or overlap']
    },
    {
      constant: 'MAX_WINDOW',
      of: 'blocks under way, and blocks that one message acknowledges',
      unit: 'items',
      option: 'window',
      beyond: 'the smaller of both sides counts; a longer acknowledgement is refused',
      code: 'ERR_MALFORMED',
      test: ['blocks.test.ts', 'what is encoded is decoded; what is short, long or too many is refused']
    },
    {
      constant: 'MAX_RANGE_BYTES',
      of: 'content that one request of a download asks for',
      unit: 'bytes',
      beyond: '`malformed message`',
      test: ['blocks.test.ts', 'ranges that are not there, too long, or not agreed on']
    },
    {
      constant: 'MAX_TOKEN_CHARACTERS',
      of: 'a token',
      unit: 'characters',
      beyond: 'refused',
      code: 'ERR_MALFORMED',
      test: ['codec.test.ts', 'malformed messages are coded errors that quote nothing']
    },
    {
      constant: 'MAX_ID_BYTES',
      of: 'an id that a peer has chosen',
      unit: 'bytes',
      beyond: 'refused',
      code: 'ERR_MALFORMED',
      test: ['codec.test.ts', 'malformed messages are coded errors that quote nothing']
    },
    {
      constant: 'MAX_ECHO_CHARACTERS',
      of: 'the `id` of profile final, as JSON',
      unit: 'characters',
      beyond: 'refused',
      code: 'ERR_MALFORMED',
      test: ['codec.test.ts', 'malformed messages are coded errors that quote nothing']
    },
    {
      constant: 'MAX_TAGS',
      of: 'labels of a transfer',
      unit: 'items',
      beyond: '`malformed message`',
      test: ['hostile.test.ts', 'refusals at AUTHENTICATION']
    },
    {
      constant: 'MAX_TAG_BYTES',
      of: 'a label',
      unit: 'bytes',
      beyond: '`malformed message`',
      test: ['hostile.test.ts', 'refusals at AUTHENTICATION']
    },
    {
      constant: 'MAX_NAME_BYTES',
      of: 'the name of a file',
      unit: 'bytes',
      beyond: '`bad file name`',
      test: ['hostile.test.ts', 'refusals at AUTHENTICATION']
    },
    {
      constant: 'MAX_FILES',
      of: 'files of one transfer',
      unit: 'files',
      option: 'maxFiles',
      beyond: '`too many files`',
      test: ['hostile.test.ts', 'refusals at AUTHENTICATION']
    },
    {
      constant: 'MAX_FILE_BYTES',
      of: 'one file',
      unit: 'bytes',
      option: 'maxFileBytes',
      beyond: '`file too big`',
      test: ['hostile.test.ts', 'refusals at AUTHENTICATION']
    },
    {
      constant: 'MAX_CHUNKS',
      of: 'blocks of one transfer',
      unit: 'items',
      option: 'maxChunks',
      beyond: '`file too big`',
      test: ['hostile.test.ts', 'refusals at AUTHENTICATION']
    },
    {
      constant: 'MAX_OPEN_TRANSFERS',
      of: 'transfers that a connection has open',
      unit: 'items',
      beyond: '`quota exceeded`',
      test: ['hostile.test.ts', 'sixteen transfers on a connection, and not one more']
    },
    {
      constant: 'MAX_TOKEN_TRIES',
      of: 'tokens refused on a connection',
      unit: 'items',
      option: 'maxTokenTries',
      beyond: 'the connection ends',
      test: ['x9.test.ts', 'X9: three tokens that are refused end the connection; the words say nothing of them']
    },
    {
      constant: 'MAX_MALFORMED',
      of: 'messages on a connection that nobody can read',
      unit: 'items',
      beyond: 'the connection ends',
      test: ['hostile.test.ts', 'three messages that nobody can read end the connection, each answered; others are served on']
    },
    {
      constant: 'MAX_STRAY_RESPONSES',
      of: 'answers to nothing that was asked',
      unit: 'items',
      beyond: 'the client gives up',
      code: 'ERR_STRAY_RESPONSE',
      test: ['x9.test.ts', 'X9: an ack for a chunk that was never sent']
    },
    {
      constant: 'MAX_RETRIES',
      of: 'times that a block is sent again',
      unit: 'items',
      beyond: 'the upload fails',
      code: 'ERR_TIMEOUT',
      test: ['x9.test.ts', 'X9: a lost answer is asked for again, under a new id; silence for ever is an error']
    },
    {
      constant: 'ANSWER_TIMEOUT_MS',
      of: 'an answer',
      unit: 'ms',
      option: 'answerMs',
      beyond: 'sent again, then the upload fails',
      code: 'ERR_TIMEOUT',
      test: ['x9.test.ts', 'X9: a lost answer is asked for again, under a new id; silence for ever is an error']
    },
    {
      constant: 'IDLE_TIMEOUT_MS',
      of: 'a client that says nothing',
      unit: 'ms',
      option: 'idleMs',
      beyond: 'the connection ends',
      code: 'ERR_TIMEOUT',
      test: ['hostile.test.ts', 'a client that says nothing is let go']
    },
    {
      constant: 'LINGER_BYTES',
      of: 'bytes that are thrown away of who may say no more',
      unit: 'bytes',
      beyond: 'the connection ends',
      test: ['hostile.test.ts', 'who may say no more is listened to for a mebibyte, and no longer']
    },
    {
      constant: 'LEEWAY_MS',
      of: 'what clocks may differ by',
      unit: 'ms',
      option: 'leewayMs',
      beyond: 'the token is refused',
      code: 'ERR_TOKEN_EXPIRED',
      test: ['x9.test.ts', 'X9: expired, not yet, wrong aud, impossible users']
    },
    {
      constant: 'MIN_KEY_BYTES',
      of: 'the shortest shared secret',
      unit: 'bytes',
      option: 'minKeyBytes',
      beyond: '`RangeError`',
      test: ['keys.test.ts', 'what is not good for it is refused, in words that have nothing of it']
    },
    {
      constant: 'MAX_UID',
      of: 'the highest number of a user',
      unit: 'items',
      beyond: 'the token is refused',
      code: 'ERR_TOKEN',
      test: ['x9.test.ts', 'X9: expired, not yet, wrong aud, impossible users']
    }
  ],
  others: {
    BLOCK_BYTES: 'the block where nothing was agreed on; the original knows no other',
    MAX_STREAM4_BYTES: 'what the original reads in one go; MAX_PAYLOAD_BYTES is less',
    BASE64_LINE: 'a form of the wire',
    RANGES_AHEAD: 'how a client asks; a server answers one after the other',
    HEADROOM_BYTES: 'room that is left free, so that a header needs no copy'
  }
}
