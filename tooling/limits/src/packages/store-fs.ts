import type { PackageLimits } from '../limit.ts'

export const storeFs: PackageLimits = {
  folder: 'store-fs',
  exports: () => import('@ropewalk/store-fs'),
  limits: [
    {
      constant: 'MAX_KEPT_FILES',
      of: 'files of uploads that wait for their commit, kept open',
      unit: 'files',
      beyond: 'the file is opened once more',
      test: ['direct.test.ts', 'the files of uploads that wait for their commit stay open, at most so many']
    },
    {
      constant: 'MAX_READ_OBJECTS',
      of: 'objects of which is known that they were read',
      unit: 'items',
      beyond: 'the one that was read first is read past the cache again',
      test: ['direct.test.ts', 'which objects were read is known of the last so many only']
    },
    {
      constant: 'LIST_BATCH_FILES',
      of: 'files looked at side by side while a store is listed',
      unit: 'files',
      beyond: 'one batch after the other',
      test: ['limits.test.ts', 'a list looks at no more files at a time than it may']
    },
    {
      constant: 'LOCK_ANSWER_MS',
      of: 'the answer of a node that holds the lock',
      unit: 'ms',
      beyond: 'it holds it',
      code: 'ERR_LOCKED',
      test: ['lock.test.ts', 'a second process is refused while the first lives, even if it is stopped, and let in when it was killed']
    },
    {
      constant: 'LOCK_SETTLE_MS',
      of: 'waiting for another node that came at the same moment',
      unit: 'ms',
      beyond: 'whoever waits is refused',
      code: 'ERR_LOCKED',
      test: ['lock.test.ts', 'of many that come at once exactly one gets in']
    }
  ],
  others: {
    ID_DIGITS: 'part of a file name',
    AT_ONCE_BYTES: 'up to this size reads and writes take no thread',
    LOOP_MS: 'how long calls without a thread may take together',
    LOOP_SHARE: 'the share of all time that they may take'
  }
}
