import { constants } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { AT_ONCE_BYTES, LOOP_MS, LOOP_SHARE } from '../src/constants.ts'
import { nodeFileSystem } from '../src/index.ts'
import { LoopBudget } from '../src/loop-budget.ts'
import { makeFolder } from './folder.ts'

/** Calls that take as long as they say, by a clock of their own. */
function slowDisk (): { call (ms: number): Promise<string>, wait (ms: number): void } {
  let now = 0
  const budget = new LoopBudget(() => now)
  return {
    call: async ms => await budget.run(() => { now += ms; return 'at once' }, async () => 'in a thread'),
    wait: ms => { now += ms }
  }
}

t.test('quick calls are made at once, as long as together they are quick', async t => {
  const { call, wait } = slowDisk()
  for (let index = 0; index < 10; index++) t.equal(await call(LOOP_MS / 10), 'at once')
  let more = 0
  while (await call(LOOP_MS / 10) === 'at once') more++
  t.ok(more <= 11, `${more} more, for the share of the time that passed meanwhile`)
  t.equal(await call(0.01), 'in a thread')
  wait(LOOP_MS / LOOP_SHARE)
  t.equal(await call(0.01), 'at once')
})

t.test('after a call that took long, threads make the next ones until it is paid for', async t => {
  const { call, wait } = slowDisk()
  t.equal(await call(100), 'at once')
  wait(80 / LOOP_SHARE - 100)
  t.equal(await call(0.01), 'in a thread')
  wait(20 / LOOP_SHARE)
  t.equal(await call(0.01), 'at once')
})

t.test('a call that fails at once fails as one in a thread would', async t => {
  const budget = new LoopBudget(() => 0)
  await t.rejects(budget.run(() => { throw new Error('EIO') }, async () => {}), { message: 'EIO' })
})

t.test('a file is not closed while a thread reads it', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  const path = join(folder.path, 'file')
  const content = Buffer.alloc(1_048_576, 'content')
  await writeFile(path, content)
  const file = await nodeFileSystem.open(path, constants.O_RDONLY)
  const order: string[] = []
  const into = Buffer.alloc(content.length)
  const read = file.read(into, 0, into.length, 0).then(({ bytesRead }) => { order.push(`${bytesRead} read`) })
  await Promise.all([read, file.close().then(() => { order.push('closed') }), file.close()])
  t.same(order, [`${content.length} read`, 'closed'])
  t.ok(into.equals(content))
})

t.test('whoever comes too late neither reads nor writes the file that has the number now', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  const [path, other] = [join(folder.path, 'file'), join(folder.path, 'other')]
  await writeFile(path, 'of the file')
  await writeFile(other, 'of another')
  const file = await nodeFileSystem.open(path, constants.O_RDWR)
  await file.close()
  const next = await nodeFileSystem.open(other, constants.O_RDWR)
  for (const length of [10, AT_ONCE_BYTES + 1]) {
    await t.rejects(file.read(Buffer.alloc(length), 0, length, 0), { code: 'ERR_CLOSED' })
    await t.rejects(file.write(Buffer.alloc(length), 0, length, 0), { code: 'ERR_CLOSED' })
  }
  await t.rejects(file.writev([Buffer.alloc(1)], 0), { code: 'ERR_CLOSED' })
  await t.rejects(file.truncate(0), { code: 'ERR_CLOSED' })
  for (const late of [async () => { await file.stat() }, async () => { await file.datasync() }, async () => { await file.sync() }]) await t.rejects(late, { code: 'ERR_CLOSED' })
  await next.close()
  t.equal(await readFile(other, 'utf8'), 'of another')
})

t.test('where there is nothing, there is nothing to be told of', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  t.equal(await nodeFileSystem.lstat(join(folder.path, 'nothing')), undefined)
  await t.rejects(nodeFileSystem.lstat(join(folder.path, 'x'.repeat(300))), { code: 'ENAMETOOLONG' })
})
