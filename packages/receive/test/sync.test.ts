import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { turn } from '@ropewalk/testing'
import t from 'tap'
import { SharedSync, syncFolder } from '../src/sync.ts'
import { makeFolder } from './folder.ts'

t.test('whoever asks while a sync is under way waits for the next, with all who asked meanwhile', async t => {
  const begun: Array<PromiseWithResolvers<void>> = []
  const shared = new SharedSync(() => {
    const running = Promise.withResolvers<void>()
    begun.push(running)
    return running.promise
  })
  const ended: string[] = []
  const ask = (name: string): Promise<void> => shared.sync().then(() => { ended.push(name) }, () => { ended.push(`${name} failed`) })

  const all = [ask('a'), ask('b')]
  await turn()
  await turn()
  t.equal(begun.length, 1, 'one for both')
  all.push(ask('c'), ask('d'))
  await turn()
  t.equal(begun.length, 1, 'what they have written may be too late for the one that runs')
  begun[0]?.resolve()
  await Promise.all(all.slice(0, 2))
  await turn()
  t.same([begun.length, ended], [2, ['a', 'b']])
  begun[1]?.reject(new Error('EIO'))
  await Promise.all(all)
  t.same(ended, ['a', 'b', 'c failed', 'd failed'])
  all.push(ask('e'))
  await turn()
  await turn()
  begun[2]?.resolve()
  await Promise.all(all)
  t.equal(ended.at(-1), 'e', 'a failure is not the next one’s')
})

t.test('a folder is synced for all who wait for it, by whatever descriptor, each of which may be closed then', async t => {
  const { root } = await makeFolder(t)
  mkdirSync(join(root, 'a'))
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 20 }, async (_, index) => {
      const fd = openSync(join(root, index % 2 === 0 ? 'a' : '.'), 'r')
      if (index % 3 === 0) await turn()
      await syncFolder(fd)
      closeSync(fd)
    }))
  }
  t.pass()
})
