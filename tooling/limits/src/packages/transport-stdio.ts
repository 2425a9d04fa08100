import type { PackageLimits } from '../limit.ts'

export const transportStdio: PackageLimits = {
  folder: 'transport-stdio',
  exports: () => import('@ropewalk/transport-stdio'),
  limits: [
    {
      constant: 'BYTES_PER_TURN',
      of: 'bytes that a sink writes without letting the event loop turn',
      unit: 'bytes',
      beyond: 'it lets it turn',
      test: ['limits.test.ts', 'a source that never waits lets others run, however fast its bytes are taken']
    },
    {
      constant: 'STDERR_BYTES',
      of: 'stderr of a child that is kept',
      unit: 'bytes',
      beyond: 'what came before is forgotten; `onStderr` is told of all',
      test: ['spawn.test.ts', 'of stderr the last 64 KiB are kept, and all of it is told']
    },
    {
      constant: 'MESSAGE_CHARACTERS',
      of: 'the last line of stderr in the message of an error',
      unit: 'characters',
      beyond: 'its beginning is left out',
      test: ['limits.test.ts', 'of the last line of stderr an error repeats so many characters']
    },
    {
      constant: 'CLOSE_TIMEOUT_MS',
      of: 'a child\'s end of data and exit, when disposing',
      unit: 'ms',
      option: 'closeTimeoutMs',
      beyond: 'the child is killed',
      test: ['close.test.ts', 'a child that does not end when it should is killed']
    },
    {
      constant: 'KILL_TIMEOUT_MS',
      of: 'SIGTERM without effect',
      unit: 'ms',
      option: 'killTimeoutMs',
      beyond: 'SIGKILL',
      test: ['close.test.ts', 'a child that ignores that is made to']
    },
    {
      constant: 'EXIT_GRACE_MS',
      of: 'a child\'s exit after a pipe of it has ended, while we still send',
      unit: 'ms',
      beyond: 'it lives: only that direction has ended',
      code: 'ERR_CONNECTION_RESET',
      test: ['spawn.test.ts', 'a child that lives on without its stdin fails the sink alone']
    },
    {
      constant: 'STDERR_GRACE_MS',
      of: 'the rest of stderr after an exit',
      unit: 'ms',
      beyond: 'it is not waited for',
      test: ['close.test.ts', 'a grandchild that holds the pipes does not hold us']
    }
  ],
  others: {
    READ_BUFFER_BYTES: 'the size of a buffer that is read into',
    LEAST_READ_BYTES: 'when such a buffer is too full to be read into'
  }
}
