import t from 'tap'
import { LIST_BATCH_FILES, nodeFileSystem, type FileSystem } from '../src/index.ts'
import { makeFolder } from './folder.ts'

t.test('a list looks at no more files at a time than it may', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  let running = 0
  let most = 0
  const fs: FileSystem = {
    ...nodeFileSystem,
    async lstat (path) {
      most = Math.max(most, ++running)
      try {
        return await nodeFileSystem.lstat(path)
      } finally {
        running--
      }
    }
  }
  const store = await folder.open({ fs })
  const ids = Array.from({ length: 2 * LIST_BATCH_FILES + 1 }, (_, index) => `ab${index.toString(16).padStart(30, '0')}`)
  await Promise.all(ids.map(async id => {
    const writer = await store.write(id, 0)
    await writer.write(Uint8Array.of(1))
    await writer.close()
    await store.commit(id)
  }))
  most = 0
  const listed = []
  for await (const { id } of store.list()) listed.push(id)
  t.same(listed.sort(), ids)
  t.equal(most, LIST_BATCH_FILES)
})
