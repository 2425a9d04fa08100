import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DIRECT_BYTES, DIRECT_FLAG, DIRECT_READ_BYTES, DirectFile, DISK_BLOCK_BYTES, diskMemory, fileOf, MAX_VECTORS, type DiskFile } from '../src/index.ts'

/** Memory that begins with a page. */
const pages = diskMemory((MAX_VECTORS + 1) * DISK_BLOCK_BYTES)
for (let index = 0; index < pages.length; index++) pages[index] = (index * 7 + (index >>> 9)) & 255

const folder = await mkdtemp(join(tmpdir(), 'disk-direct-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))

t.test('what goes past the cache begins and ends with a block of the disk; the caller writes the rest', async t => {
  const path = join(folder, 'blocks')
  const file = new DirectFile(() => fileOf(openSync(path, 'w')))
  t.equal(await file.write([pages.subarray(0, DIRECT_BYTES - DISK_BLOCK_BYTES)], 0), 0, 'too little')
  t.equal(await file.write([pages.subarray(0, DIRECT_BYTES)], 1), 0, 'not where a block begins')
  t.equal(await file.write([pages.subarray(1, 1 + DIRECT_BYTES)], 0), 0, 'not from where a page does')
  t.equal(await file.write([pages.subarray(0, DIRECT_BYTES), pages.subarray(0, 7), pages.subarray(0, DIRECT_BYTES)], DISK_BLOCK_BYTES), DIRECT_BYTES)
  await file.close()
  t.equal(Buffer.compare(readFileSync(path).subarray(DISK_BLOCK_BYTES), pages.subarray(0, DIRECT_BYTES)), 0)
})

t.test('what goes past the cache is no more pieces than the system takes at once', async t => {
  const path = join(folder, 'pieces')
  const file = new DirectFile(() => fileOf(openSync(path, 'w')))
  const pieces = Array.from({ length: MAX_VECTORS + 1 }, (_, index) => pages.subarray(index * DISK_BLOCK_BYTES, (index + 1) * DISK_BLOCK_BYTES))
  t.equal(await file.write(pieces, 0), MAX_VECTORS * DISK_BLOCK_BYTES)
  await file.close()
  t.equal(Buffer.compare(readFileSync(path), pages.subarray(0, MAX_VECTORS * DISK_BLOCK_BYTES)), 0)
})

t.test('what is read past the cache begins with a block of the disk, and ends where one does', async t => {
  const path = join(folder, 'read')
  writeFileSync(path, pages)
  const file = new DirectFile(() => fileOf(openSync(path, 'r')))
  const into = diskMemory(DIRECT_READ_BYTES + DISK_BLOCK_BYTES + 7, DIRECT_READ_BYTES)
  t.equal(await file.read(into.subarray(0, DIRECT_READ_BYTES - 1), 0), 0, 'too little')
  t.equal(await file.read(into, 1), 0, 'not where a block begins')
  t.equal(await file.read(into.subarray(1), 0), 0, 'not to where a page does')
  t.equal(await file.read(into, DISK_BLOCK_BYTES), DIRECT_READ_BYTES + DISK_BLOCK_BYTES)
  t.equal(Buffer.compare(into.subarray(0, DIRECT_READ_BYTES + DISK_BLOCK_BYTES), pages.subarray(DISK_BLOCK_BYTES, DIRECT_READ_BYTES + 2 * DISK_BLOCK_BYTES)), 0)
  t.same(into.subarray(DIRECT_READ_BYTES + DISK_BLOCK_BYTES), new Uint8Array(7))
  await file.close()
})

t.test('a system that has no such thing is asked once; any other failure is a failure', async t => {
  for (const code of ['EINVAL', 'EOPNOTSUPP', 'ENOTSUP']) {
    let asked = 0
    const refused = new DirectFile(() => {
      asked++
      throw failure(code)
    })
    for (let write = 0; write < 3; write++) t.equal(await refused.write([pages], 0), 0)
    t.equal(asked, 1)
  }
  for (const full of [new DirectFile(() => { throw failure('ENOSPC') }), new DirectFile(() => Promise.reject(failure('ENOSPC')))]) {
    await t.rejects(full.write([pages], 0), { code: 'ENOSPC' })
    await full.close()
  }
})

t.test('memory that the system does not take so is no failure, and not offered again', async t => {
  let offered = 0
  const writev = async (): Promise<never> => {
    offered++
    throw failure('EINVAL')
  }
  const file = new DirectFile(() => ({ ...fileOf(openSync(join(folder, 'offered'), 'w')), writev }))
  for (let write = 0; write < 2; write++) t.equal(await file.write([pages], 0), 0)
  t.equal(offered, 1)
  await file.close()
})

t.test('a file that is not there any more is not asked for again', async t => {
  for (const gone of [() => undefined, async () => undefined]) {
    let asked = 0
    const file = new DirectFile(() => {
      asked++
      return gone()
    })
    for (let read = 0; read < 2; read++) t.equal(await file.read(pages, 0), 0)
    t.equal(asked, 1)
    await file.close()
  }
})

t.test('a file is opened when there is something to do, once, and closed once: at once where that can be', async t => {
  const path = join(folder, 'once')
  for (const kind of ['at once', 'in a thread'] as const) {
    let [opened, closed] = [0, 0]
    const noting = (file: DiskFile): DiskFile => ({
      write: (bytes, offset, length, position) => file.write(bytes, offset, length, position),
      writev: (vectors, position) => file.writev(vectors, position),
      read: (into, offset, length, position) => file.read(into, offset, length, position),
      close: () => {
        closed++
        return file.close()
      }
    })
    const file = new DirectFile(() => {
      opened++
      return kind === 'at once' ? noting(fileOf(openSync(path, 'w'))) : open(path, 'w').then(noting)
    })
    await file.write([pages.subarray(0, 7)], 0)
    t.equal(opened, 0, kind)
    t.same(await Promise.all([file.write([pages], 0), file.write([pages], 0)]), [pages.length, pages.length])
    t.equal(opened, 1)
    const ended = file.close()
    t.equal(closed, kind === 'at once' ? 1 : 0)
    await ended
    await file.close()
    t.equal(closed, 1)
    t.equal(await file.write([pages], 0), 0, 'nothing more after that')
    t.equal(opened, 1)
  }
})

t.test('memory for a disk goes past the cache, there and back', { skip: DIRECT_FLAG === undefined && 'wants O_DIRECT' }, async t => {
  const path = join(folder, 'past')
  closeSync(openSync(path, 'w'))
  const direct = (flags: number): number => openSync(path, flags | (DIRECT_FLAG as number))
  const supported = ((): boolean => {
    try {
      closeSync(direct(constants.O_WRONLY))
      return true
    } catch {
      return false
    }
  })()
  const file = new DirectFile(() => fileOf(direct(constants.O_RDWR)))
  t.equal(await file.write([pages], 0), supported ? pages.length : 0)
  const into = diskMemory(DIRECT_READ_BYTES, DIRECT_READ_BYTES)
  t.equal(await file.read(into, DISK_BLOCK_BYTES), supported ? into.length : 0)
  await file.close()
  if (supported) {
    t.equal(Buffer.compare(readFileSync(path), pages), 0)
    t.equal(Buffer.compare(into, pages.subarray(DISK_BLOCK_BYTES, DISK_BLOCK_BYTES + into.length)), 0)
  }
})

t.test('memory that is too little for that is ordinary, which everything takes', async t => {
  const resizable = ({ buffer }: Uint8Array): boolean => (buffer as ArrayBuffer).resizable
  t.same([DIRECT_BYTES - 1, DIRECT_BYTES].map(bytes => resizable(diskMemory(bytes))), [false, true])
  t.same([DIRECT_READ_BYTES - 1, DIRECT_READ_BYTES].map(bytes => resizable(diskMemory(bytes, DIRECT_READ_BYTES))), [false, true])
  t.equal(diskMemory(DIRECT_BYTES + 5).length, DIRECT_BYTES + 5)
})

function failure (code: string): Error {
  return Object.assign(new Error('injected'), { code })
}
