import type { PackageLimits } from '../limit.ts'

export const negotiate: PackageLimits = {
  folder: 'negotiate',
  exports: () => import('@ropewalk/negotiate'),
  limits: [
    {
      constant: 'MAX_LINE_BYTES',
      of: 'one line, its line feed included',
      unit: 'bytes',
      beyond: 'the channel is broken off, on its length alone',
      code: 'ERR_LINE_TOO_LONG',
      test: ['codec.test.ts', 'what is no line is refused, wherever it is cut']
    },
    {
      constant: 'MAX_PROPOSALS',
      of: 'lines that a dialler sends before one is accepted',
      unit: 'items',
      option: 'maxProposals',
      beyond: 'the channel is broken off',
      code: 'ERR_TOO_MANY_PROPOSALS',
      test: ['hostile.test.ts', 'the last proposal that there may be is answered']
    },
    {
      constant: 'DEADLINE_MS',
      of: 'the whole handshake',
      unit: 'ms',
      option: 'deadlineMs',
      beyond: 'the channel is broken off',
      code: 'ERR_TIMEOUT',
      test: ['hostile.test.ts', 'whoever says nothing, or not enough, is given up at the deadline']
    }
  ],
  others: {
    MAX_LENGTH_BYTES: 'follows from MAX_LINE_BYTES'
  }
}
