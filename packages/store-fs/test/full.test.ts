/** No room left, in each step of an object's way: a code, no space lost, and a store that goes on. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FragmentStore } from '@ropewalk/interface'
import t, { type Test } from 'tap'
import { faultyFileSystem, systemError, type Fault } from './faults.ts'
import { makeFolder } from './folder.ts'

const MAX_BYTES = 1000
const ID = 'ab'.repeat(16)
const OTHER = 'cd'.repeat(16)

/** Which call of the model disk has no room, and what of the object is left when it has not. */
const STEPS: ReadonlyArray<{ step: string, hit: (call: Parameters<Fault>[0]) => boolean, left: number | undefined }> = [
  { step: 'the file is made', hit: ({ name, path }) => name === 'open' && path.endsWith(join('partial', ID)), left: undefined },
  { step: 'it is written', hit: ({ name, path, count }) => name === 'write' && path.endsWith(ID) && count === 2, left: 100 },
  { step: 'its shard is made', hit: ({ name, path }) => name === 'mkdir' && path.endsWith('ab'), left: 200 },
  { step: 'it is renamed', hit: ({ name }) => name === 'rename', left: 200 },
  { step: 'its directory is synced', hit: ({ name, path }) => name === 'sync' && path.endsWith(join('objects', 'ab')), left: 200 }
]

for (const { step, hit, left } of STEPS) {
  t.test(`a disk that is full when ${step}: ERR_NO_SPACE, the space adds up, others are served, and it can be done again`, async t => {
    let [full, hits] = [false, 0]
    const { store, path } = await openFull(t, call => {
      if (!full || !hit(call)) return undefined
      hits++
      return systemError('ENOSPC')
    })
    await put(store, OTHER, 300)
    full = true
    await t.rejects(put(store, ID, 200), { code: 'ERR_NO_SPACE', cause: { code: 'ENOSPC' } })
    t.ok(hits > 0, 'the disk was full')
    await agreed(t, store, path, left)
    await t.rejects(store.read(ID), { code: 'ERR_NOT_FOUND' })
    t.same(await store.stat(OTHER), { id: OTHER, size: 300, committed: true })

    full = false
    if (left === 200) await store.commit(ID)
    else await put(store, ID, 200)
    t.same(await store.stat(ID), { id: ID, size: 200, committed: true })
    t.equal(await store.available(), MAX_BYTES - 500)
    await store.remove(ID)
    t.equal(await store.available(), MAX_BYTES - 300)
    t.same(await readdir(join(path, 'partial')), [])
  })
}

t.test('a disk that is full when it is synced: what that may have lost is written again, and the space of both adds up', async t => {
  let full = true
  const { store } = await openFull(t, ({ name, path }) => full && name === 'datasync' && path.endsWith(ID) ? systemError('ENOSPC') : undefined)
  await t.rejects(put(store, ID, 200), { code: 'ERR_NO_SPACE' })
  full = false
  await t.rejects(store.commit(ID), { code: 'ERR_IO' }, 'a second sync would say that all is well')
  t.equal(await store.available(), MAX_BYTES - 200)
  await put(store, ID, 200)
  t.same(await store.stat(ID), { id: ID, size: 200, committed: true })
  t.equal(await store.available(), MAX_BYTES - 200)
})

t.test('a quota that is full in a write: what was there stays, and not a byte is counted that was not written', async t => {
  const { store } = await openFull(t, () => undefined)
  await put(store, OTHER, 900)
  await t.rejects(put(store, ID, 200), { code: 'ERR_NO_SPACE' })
  t.equal(await store.available(), 0, '100 bytes of the other were written')
  await store.remove(ID)
  t.equal(await store.available(), 100)
})

/** In pieces of 100 bytes, over from the start, and committed. */
async function put (store: FragmentStore, id: string, size: number): Promise<void> {
  const writer = await store.write(id, 0)
  try {
    for (let at = 0; at < size; at += 100) await writer.write(new Uint8Array(100).fill(at))
  } finally {
    await writer.close()
  }
  await store.commit(id)
}

/** What the store says of the object, what the quota says, and what lies on the disk are one and the same. */
async function agreed (t: Test, store: FragmentStore, path: string, left: number | undefined): Promise<void> {
  const there = await stat(join(path, 'partial', ID)).then(({ size }) => size, () => undefined)
  t.equal((await store.stat(ID))?.size, left)
  if (left !== undefined && there !== undefined) t.equal(there, left)
  t.equal(await store.available(), MAX_BYTES - 300 - (left ?? 0))
}

async function openFull (t: Test, fault: Fault): Promise<{ store: FragmentStore, path: string }> {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  return { store: await folder.open({ fs: faultyFileSystem(call => /boot\.new$/.test(call.path) ? undefined : fault(call)), maxBytes: MAX_BYTES }), path: folder.path }
}
