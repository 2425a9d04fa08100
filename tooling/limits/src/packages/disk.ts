import type { PackageLimits } from '../limit.ts'

export const disk: PackageLimits = {
  folder: 'disk',
  exports: () => import('@ropewalk/disk'),
  limits: [
    {
      constant: 'BEHIND_BYTES',
      of: 'bytes of one file written before the disk is asked to begin',
      unit: 'bytes',
      beyond: 'it begins, beside the writes',
      test: ['sync-behind.test.ts', 'a file is brought to the disk while more is written to it, each time so many bytes are']
    },
    {
      constant: 'MAX_VECTORS',
      of: 'pieces of a list in one system call',
      unit: 'pieces',
      beyond: 'several calls',
      test: ['vectors.test.ts', 'a list of more pieces than the system takes at once is written whole']
    }
  ],
  others: {
    DIRECT_BYTES: 'from this size on writes go past the cache',
    DIRECT_READ_BYTES: 'from this size on reads do',
    DISK_BLOCK_BYTES: 'where such writes and reads begin and end',
    MIN_VECTOR_BYTES: 'up to this size pieces are joined'
  }
}
