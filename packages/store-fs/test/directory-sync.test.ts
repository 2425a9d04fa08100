import t from 'tap'
import { DirectorySync } from '../src/directory-sync.ts'
import { nodeFileSystem, type StoreFile } from '../src/file-system.ts'

/** A directory whose syncs end when the test says so. */
function slowDirectory (): { sync: DirectorySync, ends: Array<(error?: Error) => void> } {
  const ends: Array<(error?: Error) => void> = []
  const handle = {
    sync: () => new Promise<void>((resolve, reject) => { ends.push(error => error == null ? resolve() : reject(error)) }),
    close: async () => {}
  }
  return { ends, sync: new DirectorySync({ ...nodeFileSystem, open: async () => handle as unknown as StoreFile }) }
}

t.test('who comes while a sync is under way waits for the next one, together with all the others', async t => {
  const { sync, ends } = slowDirectory()
  const done: string[] = []
  const first = sync.sync('d').then(() => done.push('first'))
  await turns()
  const late = ['second', 'third', 'fourth'].map(name => sync.sync('d').then(() => done.push(name)))
  await turns()
  t.equal(ends.length, 1)

  ends[0]?.()
  await first
  await turns()
  t.same(done, ['first'], 'a sync that began before the change promises nothing')
  t.equal(ends.length, 2)
  ends[1]?.()
  await Promise.all(late)
  t.equal(sync.syncs, 2)
})

t.test('a sync that fails fails only those that waited for it', async t => {
  const { sync, ends } = slowDirectory()
  const first = sync.sync('d')
  await turns()
  const second = sync.sync('d')
  ends[0]?.(new Error('EIO'))
  await t.rejects(first, { message: 'EIO' })
  await turns()
  ends[1]?.()
  await second
  const third = sync.sync('d')
  await turns()
  ends[2]?.()
  await third
})

t.test('directories do not wait for each other', async t => {
  const { sync, ends } = slowDirectory()
  const both = [sync.sync('a'), sync.sync('b')]
  await turns()
  t.equal(ends.length, 2)
  ends.forEach(end => end())
  await Promise.all(both)
})

/** Lets everything happen that waits for nothing but promises. */
async function turns (): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}
