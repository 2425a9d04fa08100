import type { PackageLimits } from '../limit.ts'

export const receive: PackageLimits = {
  folder: 'receive',
  exports: () => import('@ropewalk/receive'),
  limits: [
    {
      constant: 'MAX_COMPONENT_BYTES',
      of: 'one component of a name',
      unit: 'bytes',
      beyond: 'the name is refused',
      code: 'ERR_NAME',
      test: ['name.test.ts', 'P1: says of each bad name which rule it breaks, and where']
    },
    {
      constant: 'MAX_NAME_BYTES',
      of: 'a whole name',
      unit: 'bytes',
      beyond: 'the name is refused',
      code: 'ERR_NAME',
      test: ['name.test.ts', 'P1: says of each bad name which rule it breaks, and where']
    },
    {
      constant: 'MAX_NAME_DEPTH',
      of: 'components of a name',
      unit: 'levels',
      beyond: 'the name is refused',
      code: 'ERR_NAME',
      test: ['name.test.ts', 'P1: says of each bad name which rule it breaks, and where']
    },
    {
      constant: 'MAX_SHOWN_CHARACTERS',
      of: 'a name as it is shown to people',
      unit: 'characters',
      option: 'maxCharacters',
      beyond: 'the middle is left out, visibly',
      test: ['escape.test.ts', 'D1: a very long name is shortened, and says so']
    },
    {
      constant: 'GATHER_BYTES',
      of: 'bytes gathered for one write, twice',
      unit: 'bytes',
      beyond: '`receiveFile` waits for the disk',
      test: ['limits.test.ts', 'what is gathered for one write is bounded in bytes and in pieces, and the next waits for it']
    },
    {
      constant: 'GATHER_PIECES',
      of: 'pieces gathered for one write, twice',
      unit: 'pieces',
      beyond: '`receiveFile` waits for the disk',
      test: ['limits.test.ts', 'what is gathered for one write is bounded in bytes and in pieces, and the next waits for it']
    },
    {
      constant: 'MAX_RENAME_ATTEMPTS',
      of: 'other names tried with `overwrite: \'rename\'`',
      unit: 'names',
      beyond: 'the file is refused',
      code: 'ERR_EXISTS',
      test: ['limits.test.ts', 'no more other names are tried than so many']
    },
    {
      constant: 'MAX_OPEN_ATTEMPTS',
      of: 'times the staging folder is made anew',
      unit: 'items',
      beyond: 'the receiver does not open',
      code: 'ERR_IO',
      test: ['limits.test.ts', 'a staging folder that others remove again and again is given up']
    },
    {
      constant: 'MAX_TRANSFER_FILES',
      of: 'files of one transfer that its journal keeps apart',
      unit: 'files',
      beyond: 'the next file is refused',
      code: 'ERR_QUOTA',
      test: ['parts-state.test.ts', 'a transfer of as many files as there may be takes no more']
    },
    {
      constant: 'MAX_TARGET_BYTES',
      of: 'the target of a symbolic link',
      unit: 'bytes',
      beyond: 'the link is refused',
      code: 'ERR_SYMLINK',
      test: ['tree.test.ts', 'P4: asked to keep links inside, a receiver takes none that could lead out, not through others either']
    },
    {
      constant: 'BATCH_FILES',
      of: 'small files written, synced and named together',
      unit: 'files',
      beyond: 'the next wait',
      test: ['whole-files.test.ts', 'more than one batch, in many folders, of every size: content, permissions and times are there, and nothing else']
    },
    {
      constant: 'BATCH_BYTES',
      of: 'their bytes',
      unit: 'bytes',
      beyond: 'the next wait',
      test: ['whole-files.test.ts', 'more than one batch, in many folders, of every size: content, permissions and times are there, and nothing else']
    },
    {
      constant: 'KEEP_MS',
      of: 'a transfer that nobody goes on with',
      unit: 'ms',
      option: 'keepMs',
      beyond: 'removed when a receiver opens',
      test: ['transfer.test.ts', 'a transfer that nobody goes on with is removed after its time']
    },
    {
      constant: 'STALE_AFTER_MS',
      of: 'left-overs of another boot or container',
      unit: 'ms',
      option: 'staleAfterMs',
      beyond: 'removed when a receiver opens',
      test: ['staging.test.ts', 'what another boot or container has left goes only when it is old']
    }
  ],
  others: {
    ALLOWED_MODE: 'bits of a mode',
    OWNER_MODE: 'bits of a mode',
    OWNER_FOLDER_MODE: 'bits of a mode',
    MAX_JOURNAL_LINE_BYTES: 'a longer line in a journal is not one of ours, and ends it',
    READ_BYTES: 'bytes asked of the disk at a time',
    BATCHES: 'batches that are under way at a time',
    BUSY_DISK_BYTES: 'what others may have waiting for a disk that is flushed',
    FLUSH_FROM_FILES: 'from how many files on that is worth its while',
    SMALL_FILE_BYTES: 'up to this size a file is written at once'
  }
}
