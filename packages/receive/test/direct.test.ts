import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, writevSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { BEHIND_BYTES, DIRECT_BYTES, DISK_BLOCK_BYTES } from '../src/constants.ts'
import { DirectFile, diskMemory } from '../src/direct.ts'
import { openReceiver } from '../src/index.ts'
import { directly } from '../src/staging.ts'

/** Memory that begins with a page. */
const pages = diskMemory(4 * 1024 * 1024)
for (let index = 0; index < pages.length; index++) pages[index] = (index * 7 + (index >>> 9)) & 255

const folder = await mkdtemp(join(tmpdir(), 'receive-direct-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))

t.test('what goes past the cache begins and ends with a block of the disk; the caller writes the rest', async t => {
  const path = join(folder, 'blocks')
  const file = new DirectFile(() => openSync(path, 'w'))
  t.equal(await file.write([pages.subarray(0, DIRECT_BYTES - DISK_BLOCK_BYTES)], 0), 0, 'too little')
  t.equal(await file.write([pages.subarray(0, DIRECT_BYTES)], 1), 0, 'not where a block begins')
  t.equal(await file.write([pages.subarray(1, 1 + DIRECT_BYTES)], 0), 0, 'not from where a page does')
  t.equal(await file.write([pages.subarray(0, DIRECT_BYTES), pages.subarray(0, 7), pages.subarray(0, DIRECT_BYTES)], DISK_BLOCK_BYTES), DIRECT_BYTES)
  file.close()
  t.equal(Buffer.compare(readFileSync(path).subarray(DISK_BLOCK_BYTES), pages.subarray(0, DIRECT_BYTES)), 0)
})

t.test('a system that has no such thing is asked once; any other failure is a failure', async t => {
  let asked = 0
  const refused = new DirectFile(() => {
    asked++
    throw Object.assign(new Error('injected'), { code: 'EINVAL' })
  })
  for (let write = 0; write < 3; write++) t.equal(await refused.write([pages], 0), 0)
  t.equal(asked, 1)
  const full = new DirectFile(() => { throw Object.assign(new Error('injected'), { code: 'ENOSPC' }) })
  await t.rejects(full.write([pages], 0), { code: 'ENOSPC' })
})

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

t.test('memory for a disk goes past the cache', { skip: process.platform !== 'linux' && 'wants O_DIRECT' }, async t => {
  const path = join(folder, 'past')
  closeSync(openSync(path, 'w'))
  const file = new DirectFile(directly(path) as () => number)
  const supported = ((): boolean => {
    try {
      closeSync((directly(path) as () => number)())
      return true
    } catch {
      return false
    }
  })()
  t.equal(await file.write([pages], 0), supported ? pages.length : 0)
  file.close()
  if (supported) t.equal(Buffer.compare(readFileSync(path), pages), 0)
})
