import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, writevSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BEHIND_BYTES, DIRECT_BYTES } from '@ropewalk/disk'
import t from 'tap'
import type { Endings } from '../src/endings.ts'
import { StagedWriter } from '../src/file-writer.ts'
import { diskMemory, openReceiver } from '../src/index.ts'

/** Memory that begins with a page. */
const pages = diskMemory(4 * 1024 * 1024)
for (let index = 0; index < pages.length; index++) pages[index] = (index * 7 + (index >>> 9)) & 255

const folder = await mkdtemp(join(tmpdir(), 'receive-direct-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))

t.test('a large file arrives whole, from memory of any kind, and however often it is brought to the disk meanwhile', async t => {
  await using receiver = await openReceiver(folder)
  const wanted = join(folder, 'wanted')
  const fd = openSync(wanted, 'w')
  const writer = await receiver.file('large')
  const rounds = Math.ceil(BEHIND_BYTES / pages.length) + 1
  for (let round = 0; round < rounds; round++) {
    await writer.write(pages)
    writevSync(fd, [pages])
  }
  for (const bytes of [pages.subarray(0, 7), pages, new Uint8Array(2 * DIRECT_BYTES).fill(9)]) {
    await writer.write(bytes)
    writevSync(fd, [bytes])
  }
  closeSync(fd)
  const { path } = await writer.finish()
  t.equal(Buffer.compare(readFileSync(path), readFileSync(wanted)), 0)
})

t.test('what the disk has lost while a large file was written is a failure of the file', { skip: process.platform !== 'linux' && 'wants a file that nothing can sync' }, async t => {
  const left: string[] = []
  const home = { file: { fd: openSync('/dev/null', 'w'), path: '/dev/null' }, endings: undefined as unknown as Endings, take () {}, remove: async () => {}, released: (how: string) => { left.push(how) } }
  const writer = new StagedWriter({ name: 'lost', path: name => name, size: undefined, maxBytes: Infinity, mode: undefined, mtimeMs: undefined, overwrite: 'refuse' }, home)
  for (let written = 0; written < BEHIND_BYTES; written += pages.length) await writer.write(pages)
  await t.rejects(writer.finish(), { code: 'ERR_IO', message: 'sync "lost": EINVAL' })
  t.same(left, ['removed'])
})

t.test('a transfer writes past the cache too, and goes on so behind whole blocks; behind other bytes it takes the cache', { skip: process.platform !== 'linux' && 'wants /proc' }, async t => {
  const chunk = pages.subarray(0, DIRECT_BYTES)
  await using receiver = await openReceiver(join(folder, 'transfer'))
  const begin = async (): Promise<void> => {
    await using transfer = await receiver.transfer('t')
    const writer = await transfer.file('large')
    await writer.write(chunk)
    await writer.keep()
  }
  await begin()
  const transfer = await receiver.transfer('t')
  const writer = await transfer.file('large')
  t.equal(writer.size, DIRECT_BYTES)
  t.equal(descriptors(), 1)
  await writer.write(chunk)
  t.equal(descriptors(), 2, 'one more, for what goes past the cache')
  await writer.write(pages.subarray(0, 7))
  await writer.write(chunk)
  const { path } = await writer.finish()
  await transfer.finish()
  t.equal(descriptors(), 0)
  t.equal(Buffer.compare(readFileSync(path), Buffer.concat([chunk, chunk, pages.subarray(0, 7), chunk])), 0)
})

/** Descriptors of parts that this process has open. */
function descriptors (): number {
  return readdirSync('/proc/self/fd').filter(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).endsWith('.part')
    } catch {
      return false
    }
  }).length
}
