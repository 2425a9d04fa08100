import { constants } from 'node:fs'
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BEHIND_BYTES, DIRECT_BYTES, DIRECT_READ_BYTES, DISK_BLOCK_BYTES } from '@ropewalk/disk'
import type { FragmentStore } from '@ropewalk/interface'
import t from 'tap'
import { Uint8ArrayList } from 'uint8arraylist'
import { MAX_KEPT_FILES, MAX_READ_OBJECTS } from '../src/constants.ts'
import { nodeFileSystem, type FileSystem } from '../src/index.ts'
import { faultyFileSystem, systemError } from './faults.ts'
import { makeFolder } from './folder.ts'

const ID = 'cd'.repeat(16)

/** Memory that begins with a page. */
const { WebAssembly: machine } = globalThis as unknown as { WebAssembly: { Memory: new (options: { initial: number }) => { buffer: ArrayBuffer } } }
const pages = new Uint8Array(new machine.Memory({ initial: 32 }).buffer).map((_, index) => (index * 7 + (index >>> 9)) & 255)

/** Notes what is written and read past the cache. `refuse`: the system has no such thing. */
function watching (refuse: boolean): FileSystem & { direct: number[], reads: number[] } {
  const direct: number[] = []
  const reads: number[] = []
  return {
    ...nodeFileSystem,
    direct,
    reads,
    async open (path, flags, mode) {
      if ((flags & constants.O_DIRECT) === 0) return await nodeFileSystem.open(path, flags, mode)
      if (refuse) throw systemError('EINVAL')
      // Without the flag, so that it works wherever the test runs.
      const handle = await nodeFileSystem.open(path, flags & ~constants.O_DIRECT, mode)
      return new Proxy(handle, {
        get (target, key) {
          if (key === 'writev') {
            return async (vectors: Uint8Array[], position: number) => {
              for (const { length, byteOffset } of vectors) t.ok(length % DISK_BLOCK_BYTES === 0 && byteOffset % DISK_BLOCK_BYTES === 0)
              const written = await target.writev(vectors, position)
              direct.push(written.bytesWritten)
              return written
            }
          }
          if (key === 'read') {
            return async (into: Uint8Array, offset: number, length: number, position: number) => {
              for (const number of [into.byteOffset + offset, length, position]) t.equal(number % DISK_BLOCK_BYTES, 0)
              reads.push(length)
              return await target.read(into, offset, length, position)
            }
          }
          const value = Reflect.get(target, key, target) as unknown
          return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
        }
      })
    }
  }
}

async function content (store: FragmentStore): Promise<Uint8Array> {
  const reader = await store.read(ID)
  const bytes = new Uint8Array(reader.size)
  await reader.read(bytes, 0)
  await reader.close()
  return bytes
}

t.test('large writes go past the cache, from where a block of the disk begins to where one ends; the rest and the small go through it', async t => {
  const list = (): Uint8ArrayList => new Uint8ArrayList(pages.subarray(0, DIRECT_BYTES), pages.subarray(DIRECT_BYTES, DIRECT_BYTES + 77))
  for (const how of ['direct', 'refused', 'off'] as const) {
    const folder = await makeFolder()
    const fs = watching(how === 'refused')
    const store = await folder.open({ fs, direct: how !== 'off' })
    const writer = await store.write(ID, 0)
    await writer.write(pages.subarray(0, DISK_BLOCK_BYTES))
    await writer.write(list())
    // It no longer begins with a block.
    await writer.write(list())
    await writer.close()
    await store.commit(ID)
    const wanted = Buffer.concat([pages.subarray(0, DISK_BLOCK_BYTES), ...list(), ...list()])
    t.equal(Buffer.compare(await content(store), wanted), 0, how)
    // Not every system has such a flag.
    t.same(fs.direct, how === 'direct' && (constants.O_DIRECT as number | undefined) !== undefined ? [DIRECT_BYTES] : [])
    await folder.dispose()
  }
})

t.test('memory that the system does not take so is written all the same', async t => {
  const folder = await makeFolder()
  const store = await folder.open()
  const bytes = new Uint8Array(2 * DIRECT_BYTES).fill(7)
  const writer = await store.write(ID, 0)
  await writer.write(bytes)
  await writer.write(pages.subarray(0, 2 * DIRECT_BYTES))
  await writer.close()
  await store.commit(ID)
  t.equal(Buffer.compare(await content(store), Buffer.concat([bytes, pages.subarray(0, 2 * DIRECT_BYTES)])), 0)
  await folder.dispose()
})

/** Not every system has such a flag. */
const DIRECT = (constants.O_DIRECT as number | undefined) !== undefined

async function keep (store: FragmentStore, id: string, bytes: Uint8Array): Promise<void> {
  const writer = await store.write(id, 0)
  await writer.write(bytes)
  await writer.close()
  await store.commit(id)
}

t.test('an object is read past the cache the first time, as far as blocks of the disk go; what is read again, and the small, go through it', async t => {
  const size = 2 * DIRECT_READ_BYTES + 77
  for (const how of ['direct', 'refused', 'off'] as const) {
    const folder = await makeFolder()
    const fs = watching(how === 'refused')
    const opened = await folder.open({ fs, direct: how !== 'off' })
    await keep(opened, ID, pages.subarray(0, size))
    for (const again of [false, true]) {
      fs.reads.length = 0
      const reader = await opened.read(ID)
      const memory = reader.memory?.(DIRECT_READ_BYTES + DISK_BLOCK_BYTES + 5) ?? t.fail('it has memory of its own')
      for (let position = 0; position < size; position += DIRECT_READ_BYTES) {
        const read = await reader.read(memory as Uint8Array, position)
        t.equal(Buffer.compare((memory as Uint8Array).subarray(0, read), pages.subarray(position, Math.min(size, position + read))), 0, `${how} ${again} ${position}`)
      }
      await reader.read(pages.slice(0, DIRECT_READ_BYTES - 1), 0)
      await reader.read(new Uint8Array(DIRECT_READ_BYTES), 1)
      await reader.close()
      t.same(fs.reads, how === 'direct' && DIRECT && !again ? [DIRECT_READ_BYTES + DISK_BLOCK_BYTES, DIRECT_READ_BYTES] : [], `${how} ${again}`)
    }
    await folder.dispose()
  }
})

t.test('reads past the cache from memory that the system does not take, and beside each other, bring the same bytes', async t => {
  const folder = await makeFolder()
  const opened = await folder.open()
  await keep(opened, ID, pages.subarray(0, 4 * DIRECT_READ_BYTES))
  const reader = await opened.read(ID)
  const parts = [0, 1, 2, 3].map(index => ({ position: index * DIRECT_READ_BYTES, into: index === 2 ? Buffer.allocUnsafeSlow(DIRECT_READ_BYTES) : reader.memory?.(DIRECT_READ_BYTES) as Uint8Array }))
  await Promise.all(parts.map(async ({ position, into }) => { t.equal(await reader.read(into, position), DIRECT_READ_BYTES) }))
  for (const { position, into } of parts) t.equal(Buffer.compare(into, pages.subarray(position, position + DIRECT_READ_BYTES)), 0)
  await reader.close()
  await folder.dispose()
})

t.test('a reader has the object that it was opened for, if another has taken its place since', async t => {
  for (const replaced of [false, true]) {
    const folder = await makeFolder()
    const fs = watching(false)
    const opened = await folder.open({ fs })
    await keep(opened, ID, pages.subarray(0, DIRECT_READ_BYTES))
    const reader = await opened.read(ID)
    await opened.remove(ID)
    if (replaced) await keep(opened, ID, pages.slice(0, DIRECT_READ_BYTES).reverse())
    const memory = reader.memory?.(DIRECT_READ_BYTES) as Uint8Array
    t.equal(await reader.read(memory, 0), DIRECT_READ_BYTES)
    t.equal(Buffer.compare(memory, pages.subarray(0, DIRECT_READ_BYTES)), 0, String(replaced))
    t.same(fs.reads, [])
    await reader.close()
    await folder.dispose()
  }
})

t.test('which objects were read is known of the last so many only', async t => {
  const folder = await makeFolder()
  const fs = watching(false)
  const ids = Array.from({ length: MAX_READ_OBJECTS + 1 }, (_, index) => index.toString(16).padStart(32, '0'))
  const shard = join(folder.path, 'objects', '00')
  await mkdir(shard, { recursive: true })
  for (const id of ids) {
    await writeFile(join(shard, id), '')
    await truncate(join(shard, id), DIRECT_READ_BYTES)
  }
  const opened = await folder.open({ fs })
  const goesPast = async (id: string): Promise<boolean> => {
    fs.reads.length = 0
    const reader = await opened.read(id)
    await reader.read(reader.memory?.(DIRECT_READ_BYTES) as Uint8Array, 0)
    await reader.close()
    return fs.reads.length > 0
  }
  for (const id of ids) t.equal(await goesPast(id), DIRECT)
  t.equal(await goesPast(ids[1] as string), false)
  t.equal(await goesPast(ids[0] as string), DIRECT)
  await folder.dispose()
})

t.test('a large object is brought to the disk while it is written, and a failure then is a failure of the object', async t => {
  for (const fails of [false, true]) {
    const folder = await makeFolder()
    const begun = Promise.withResolvers<void>()
    const fs = faultyFileSystem(({ name, path, count }) => {
      if (name !== 'datasync' || !path.endsWith(ID) || count > 1) return undefined
      begun.resolve()
      return fails ? systemError('EIO') : undefined
    })
    const syncs = (): number => fs.calls.filter(call => call.startsWith('datasync') && call.endsWith(ID)).length
    const store = await folder.open({ fs, direct: false })
    const writer = await store.write(ID, 0)
    for (let written = 0; written < BEHIND_BYTES; written += pages.length) {
      t.equal(syncs(), 0, 'not for less')
      await writer.write(pages)
    }
    await begun.promise
    if (fails) {
      await t.rejects(writer.sync(), { code: 'ERR_IO' })
      await writer.close()
      await t.rejects(store.commit(ID), { code: 'ERR_IO' }, 'what the disk has lost is not committed')
    } else {
      await writer.close()
      await store.commit(ID)
      t.equal(syncs(), 2)
    }
    await folder.dispose()
  }
})

t.test('the files of uploads that wait for their commit stay open, at most so many', async t => {
  const folder = await makeFolder()
  const fs = faultyFileSystem(() => undefined)
  const store = await folder.open({ fs })
  const ids = Array.from({ length: MAX_KEPT_FILES + 2 }, (_, index) => index.toString(16).padStart(2, '0').repeat(16))
  for (const id of ids) {
    const writer = await store.write(id, 0)
    await writer.write(pages.subarray(0, 5))
    await writer.close()
  }
  const opens = (id: string): number => fs.calls.filter(call => call.startsWith('open') && call.endsWith(id)).length
  for (const id of ids) await store.commit(id)
  t.same(ids.map(opens), ids.map((_, index) => index < MAX_KEPT_FILES ? 1 : 2))
  // Room again, and an upload that is gone on with or removed keeps nothing.
  const [first] = ['ff'.repeat(16)] as const
  for (const offset of [0, 5]) {
    const writer = await store.write(first, offset)
    await writer.write(pages.subarray(0, 5))
    await writer.close()
  }
  t.ok(await store.remove(first))
  await folder.dispose()
})
