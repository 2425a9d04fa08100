import type { PackageLimits } from '../limit.ts'

export const disk: PackageLimits = {
  folder: 'disk',
  exports: () => import('@ropewalk/disk'),
  limits: [
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
