import type { PackageLimits } from '../limit.ts'

export const framing: PackageLimits = {
  folder: 'framing',
  exports: () => import('@ropewalk/framing'),
  limits: [
    {
      constant: 'DEFAULT_MAX_QUEUE_BYTES',
      of: 'bytes in a `ByteQueue`',
      unit: 'bytes',
      option: 'maxBytes',
      beyond: '`push` throws, and nothing changes',
      code: 'ERR_QUEUE_FULL',
      test: ['defaults.test.ts', 'the limits hold by default, to the byte']
    },
    {
      constant: 'DEFAULT_MAX_QUEUE_CHUNKS',
      of: 'chunks in a `ByteQueue`, small ones joined',
      unit: 'items',
      option: 'maxChunks',
      beyond: '`push` throws, and nothing changes',
      code: 'ERR_QUEUE_FULL',
      test: ['byte-queue.test.ts', 'is bounded in bytes and in chunks, one over included']
    },
    {
      constant: 'MAX_SLAB_BYTES',
      of: 'a slab into which small chunks are copied',
      unit: 'bytes',
      beyond: 'another slab is begun',
      test: ['byte-queue.test.ts', 'keeps 262,144 single bytes in few chunks']
    },
    {
      constant: 'DEFAULT_MAX_READ_BYTES',
      of: 'one exact read, or one line',
      unit: 'bytes',
      option: 'maxBytes',
      beyond: 'the read is refused before it waits',
      code: 'ERR_TOO_LARGE',
      test: ['byte-reader.test.ts', 'refuses a read over the limit before it waits']
    },
    {
      constant: 'DEFAULT_MAX_FRAME_BYTES',
      of: 'one frame, its header included',
      unit: 'bytes',
      option: 'maxFrameBytes',
      beyond: 'refused from the header alone',
      code: 'ERR_TOO_LARGE',
      test: ['defaults.test.ts', 'the limits hold by default, to the byte']
    },
    {
      constant: 'DEFAULT_MAX_JSON_BYTES',
      of: 'one JSON value',
      unit: 'bytes',
      option: 'maxBytes',
      beyond: 'refused at the first byte too many',
      code: 'ERR_TOO_LARGE',
      test: ['json-splitter.test.ts', 'bounds the bytes of one value, not of the stream']
    },
    {
      constant: 'DEFAULT_MAX_JSON_DEPTH',
      of: 'arrays and objects inside each other, in one JSON value',
      unit: 'levels',
      option: 'maxDepth',
      beyond: 'refused at the bracket',
      code: 'ERR_TOO_DEEP',
      test: ['json-splitter.test.ts', 'bounds the depth']
    }
  ],
  others: {
    DEFAULT_COALESCE_BYTES: 'up to this size chunks are copied together',
    QUOTE: 'a character of JSON',
    BACKSLASH: 'a character of JSON'
  }
}
