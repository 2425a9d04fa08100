import type { FileHandle } from 'node:fs/promises'
import { turn } from '@ropewalk/testing'
import t from 'tap'
import { lent } from '../src/casync/lent.ts'

t.test('a read ahead that fails is told to whoever asks for its piece, and is nobody else\'s', async t => {
  let reads = 0
  const handle = { read: async () => { if (++reads === 1) return { bytesRead: 3 }; throw Object.assign(new Error('EIO'), { code: 'EIO' }) } } as unknown as FileHandle
  const pieces = lent(handle, new AbortController().signal)
  t.equal((await pieces.next()).value?.length, 3)
  await turn()
  await t.rejects(pieces.next(), { code: 'EIO' })
})
