import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Ledger } from '@ropewalk/interface'
import t from 'tap'
import { makeFile } from './file.ts'

const UNLIMITED = { maxBytes: Infinity, maxOpen: Infinity, maxOwnerOpen: Infinity, maxOwnerBytes: Infinity, maxReservedBytes: Infinity }

t.test('a file is open once: in this process, and in all', async t => {
  const file = await makeFile()
  t.teardown(file.dispose)
  const ledger = await file.open()
  await t.rejects(file.open(), { code: 'ERR_LOCKED' })
  t.match(await inChild(file.path), 'ERR_LOCKED')
  await ledger.close()
  t.match(await inChild(file.path), 'opened')
  await (await file.open()).close()
})

t.test('a process that is killed has lost nothing that it was told, and holds nobody up', async t => {
  const file = await makeFile()
  t.teardown(file.dispose)
  for (let round = 0; round < 3; round++) {
    const told = (await inChild(file.path, 20)).split('\n').filter(line => line.startsWith('reserved '))
    t.ok(told.length >= 20)
    const ledger = await file.open()
    for (const line of told) t.ok(await ledger.get(line.split(' ')[1] as string), line)
    const entries = await ledger.page('', 100_000)
    t.same(await ledger.usage(), { usedBytes: 0, reservedBytes: entries.reduce((sum, { size }) => sum + size, 0), open: entries.length }, 'the sums are those of the entries')
    await ledger.close()
  }
})

t.test('a process with flags of its own, such as the size of its heap, opens it as well', async t => {
  const file = await makeFile()
  t.teardown(file.dispose)
  t.match(await inChild(file.path, 0, '--max-old-space-size=128'), 'opened')
})

t.test('what is not a ledger, or one of tomorrow, is left alone', async t => {
  const file = await makeFile()
  t.teardown(file.dispose)
  await writeFile(file.path, 'Dear diary, '.repeat(1000))
  await t.rejects(file.open(), { code: 'ERR_FORMAT' })
})

t.test('a full file refuses what needs space, is none the worse, and gives space back', async t => {
  const file = await makeFile()
  t.teardown(file.dispose)
  const ledger = await file.open({ maxFileBytes: 100_000 })
  let number = 0
  for (; number < 10_000; number++) if (await reserve(ledger, number).catch((error: { code: string }) => error.code) === 'ERR_NO_SPACE') break
  t.ok(number > 50 && number < 10_000, `${number} fitted`)
  t.same(await ledger.usage(), { usedBytes: 0, reservedBytes: number, open: number })
  const half = number >> 1
  for (let dropped = 0; dropped < half; dropped++) t.ok(await ledger.drop(idOf(dropped), { now: 0 }))
  await reserve(ledger, 20_000)
  t.same(await ledger.usage(), { usedBytes: 0, reservedBytes: number - half + 1, open: number - half + 1 })
})

t.test('one step that is refused does not undo those beside it', async t => {
  const file = await makeFile()
  t.teardown(file.dispose)
  const ledger = await file.open()
  const results = await Promise.allSettled([reserve(ledger, 1), reserve(ledger, 1), reserve(ledger, 2)])
  t.same(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
  t.equal((await ledger.usage()).open, 2)
})

t.test('an idle ledger keeps no process from ending', async t => {
  const file = await makeFile()
  t.teardown(file.dispose)
  t.match(await inChild(file.path), 'opened')
})

async function reserve (ledger: Ledger, number: number): Promise<unknown> {
  return await ledger.reserve({ id: idOf(number), size: 1, durable: true, holder: 'here', owner: '', createdAt: 0, expiresAt: 1 }, UNLIMITED)
}

function idOf (number: number): string {
  return number.toString(16).padStart(32, '0')
}

/** What a child says that opens the ledger; with `lines`, one that goes on until it is killed after so many. */
async function inChild (path: string, lines = 0, ...flags: string[]): Promise<string> {
  const child = spawn(process.execPath, [...flags, '--conditions=@ropewalk/source', fileURLToPath(new URL('child.ts', import.meta.url)), path, String(lines)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  let text = ''
  for await (const piece of child.stdout) {
    text += String(piece)
    if (lines > 0 && text.split('\n').length > lines + 1) child.kill('SIGKILL')
  }
  await closed
  return text.slice(0, text.lastIndexOf('\n'))
}
