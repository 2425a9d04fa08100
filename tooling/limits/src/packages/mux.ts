import type { PackageLimits } from '../limit.ts'

export const mux: PackageLimits = {
  folder: 'mux',
  exports: () => import('@ropewalk/mux'),
  limits: [
    {
      constant: 'SEND_BUFFER_BYTES',
      of: 'bytes that wait in an `Outlet`, and one value of its source',
      unit: 'bytes',
      beyond: 'its source is pulled no further',
      test: ['channel-halves.test.ts', 'a source is pulled until enough waits, in bytes or in pieces, and again when there is room']
    },
    {
      constant: 'SEND_BUFFER_PIECES',
      of: 'pieces that wait in an `Outlet`',
      unit: 'pieces',
      beyond: 'its source is pulled no further',
      test: ['channel-halves.test.ts', 'a source is pulled until enough waits, in bytes or in pieces, and again when there is room']
    }
  ],
  others: {}
}
