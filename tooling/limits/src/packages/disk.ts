import type { PackageLimits } from '../limit.ts'

export const disk: PackageLimits = {
  folder: 'disk',
  exports: () => import('@ropewalk/disk'),
  limits: [
    {
      constant: 'MAX_VECTORS',
      of: 'pieces of a list in one system call',
      unit: 'pieces',
      beyond: 'the rest is the caller\'s',
      test: ['direct.test.ts', 'what goes past the cache is no more pieces than the system takes at once']
    }
  ],
  others: {
    DIRECT_BYTES: 'from this size on writes go past the cache',
    DIRECT_READ_BYTES: 'from this size on reads do',
    DISK_BLOCK_BYTES: 'where such writes and reads begin and end'
  }
}
