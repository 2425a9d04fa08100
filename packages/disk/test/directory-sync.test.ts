import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DirectorySync, syncDirectory, type DirectoryOpener } from '../src/index.ts'

/** A directory whose syncs end when the test says so. */
function slowDirectory (): { sync: DirectorySync, ends: Array<(error?: Error) => void> } {
  const ends: Array<(error?: Error) => void> = []
  const handle = {
    sync: () => new Promise<void>((resolve, reject) => { ends.push(error => error == null ? resolve() : reject(error)) }),
    close: async () => {}
  }
  return { ends, sync: new DirectorySync({ open: async () => handle }) }
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
  t.equal(ends.length, 2)
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

t.test('a directory of the system is synced, and nothing of it stays open', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'disk-directory-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const calls: string[] = []
  const noting = (failure?: Error): DirectoryOpener => ({
    open: async (path, flags) => {
      const handle = await open(path, flags)
      calls.push('open')
      return {
        sync: async () => {
          calls.push('sync')
          await handle.sync()
          if (failure !== undefined) throw failure
        },
        close: async () => {
          calls.push('close')
          await handle.close()
        }
      }
    }
  })
  await syncDirectory(folder)
  await new DirectorySync().sync(folder)
  await syncDirectory(folder, noting())
  await t.rejects(syncDirectory(folder, noting(new Error('EIO'))), { message: 'EIO' })
  t.same(calls, ['open', 'sync', 'close', 'open', 'sync', 'close'])
  await writeFile(join(folder, 'file'), '')
  await t.rejects(syncDirectory(join(folder, 'file')), { code: 'ENOTDIR' })
  await t.rejects(syncDirectory(join(folder, 'nothing')), { code: 'ENOENT' })
})

/** Lets everything happen that waits for nothing but promises. */
async function turns (): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}
