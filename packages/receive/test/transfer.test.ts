import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { receiveFile, type PartWriter, type ReceiveTransfer } from '../src/index.ts'
import { makeFolder, text, tree } from './folder.ts'

const CHILD = fileURLToPath(new URL('transfer-child.ts', import.meta.url))
const KEPT = '.ropewalk-staging/kept'
const TIME = 1_600_000_000_000

async function finish (transfer: ReceiveTransfer, name: string, content: string): Promise<void> {
  const bytes = text(content)
  const writer = await transfer.file(name, { size: bytes.length })
  await writer.write(bytes.subarray(writer.size))
  await writer.finish()
}

t.test('whoever goes on has what was there: whole files, bytes of others, and folders get their times at the end', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const first = await receiver.transfer('a/../weird id \0')
  t.equal(await first.directory('d', { mode: 0o750, mtimeMs: TIME }), true)
  await finish(first, 'd/whole', 'whole')
  const part = await first.file('d/part', { size: 10, mode: 0o640, mtimeMs: TIME })
  await part.write(text('01234'))
  t.equal(await part.keep(), 5)
  await first.close()
  await receiver.close()
  t.same(await tree(root), ['d', 'd/whole'])

  const again = await (await open()).transfer('a/../weird id \0')
  t.same([again.isWhole('d/whole'), again.isWhole('d/part'), again.keptBytes('d/part')], [true, false, 5])
  await t.rejects(again.file('d/whole'), { code: 'ERR_EXISTS' })
  const rest = await again.file('d/part', { size: 10, mtimeMs: TIME })
  t.same([rest.size, rest.verified], [5, 0])
  const kept: Uint8Array[] = []
  for await (const bytes of rest.read(1, 5)) kept.push(bytes)
  t.equal(Buffer.concat(kept).toString(), '1234')
  await rest.write(text('56789'))
  await rest.finish()
  await again.finish()
  t.equal(await readFile(join(root, 'd/part'), 'utf8'), '0123456789')
  t.match(await stat(join(root, 'd')), { mtimeMs: TIME, mode: 0o40750 })
  t.same(await readdir(join(root, KEPT)).catch(() => []), [])
})

t.test('what was never verified is not said to be, and an aborted file begins anew', async t => {
  const { open } = await makeFolder(t)
  const receiver = await open()
  const first = await receiver.transfer('t')
  const part = await first.file('f', { size: 9 })
  await part.write(text('abc'))
  await part.verify()
  await part.write(text('def'))
  await first.close()
  const second = await receiver.transfer('t')
  const again = await second.file('f', { size: 9 })
  t.same([again.size, again.verified], [6, 3])
  await again.abort()
  t.equal(second.keptBytes('f'), 0)
  await t.rejects(again.write(text('x')), { code: 'ERR_CLOSED' })
  const small = await second.file('f', { size: 2 })
  t.equal(small.size, 0)
  await second.discard()
  const third = await receiver.transfer('t')
  t.equal(third.keptBytes('f'), 0)
})

t.test('a file that is announced smaller than what is kept of it begins anew', async t => {
  const { open } = await makeFolder(t)
  const receiver = await open()
  const transfer = await receiver.transfer('t')
  const part = await transfer.file('f', { size: 9 })
  await part.write(text('abcdef'))
  await part.keep()
  t.equal((await transfer.file('f', { size: 3 })).size, 0)
})

t.test('one transfer belongs to one receiver at a time, whatever process it is in', async t => {
  const { root, open } = await makeFolder(t)
  const [one, two] = [await open(), await open()]
  const transfer = await one.transfer('t')
  await t.rejects(one.transfer('t'), { code: 'ERR_BUSY' })
  await t.rejects(two.transfer('t'), { code: 'ERR_BUSY' })
  await transfer.file('f')
  await t.rejects(transfer.file('f'), { code: 'ERR_BUSY' })
  await t.rejects(transfer.finish(), { code: 'ERR_BUSY' })
  await one.close()
  await t.rejects(transfer.file('g'), { code: 'ERR_CLOSED' })
  await (await two.transfer('t')).discard()
  t.same(await tree(root), [])
})

t.test('an aborted signal keeps what a transfer has written', async t => {
  const { open } = await makeFolder(t)
  const receiver = await open()
  const transfer = await receiver.transfer('t')
  const stop = new AbortController()
  const writer = await transfer.file('f', { size: 4, signal: stop.signal })
  await writer.write(text('ab'))
  stop.abort(new Error('enough'))
  await writer.keep()
  t.equal(transfer.keptBytes('f'), 2)
})

/** Runs a process that receives until it is killed, at a step that it prints. */
async function killAt (root: string, step: string): Promise<void> {
  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', CHILD, root, step], { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = once(child, 'close')
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await gone
}

t.test('P7: after kill -9 a transfer goes on at the byte it had, and what else the process left is removed', async t => {
  const { root, open } = await makeFolder(t)
  await killAt(root, 'part')
  const receiver = await open()
  const transfer = await receiver.transfer('t')
  t.same([transfer.isWhole('whole'), transfer.keptBytes('part')], [true, 6])
  const writer = await transfer.file('part', { size: 9 })
  t.same([writer.size, writer.verified], [6, 3])
  await writer.write(text('ghi'))
  await writer.finish()
  await transfer.finish()
  await receiver.close()
  t.same(await tree(root), ['part', 'whole'])
  t.equal(await readFile(join(root, 'part'), 'utf8'), 'abcdefghi')
  t.same(await readdir(join(root, '.ropewalk-staging')).catch(() => []), [])
})

for (const step of ['sealed', 'linked', 'unlinked']) {
  t.test(`P7: killed while a file gets its name, ${step}: it has it, or gets it, once`, async t => {
    const { root, open } = await makeFolder(t)
    await killAt(root, step)
    const receiver = await open()
    const transfer = await receiver.transfer('t')
    if (step === 'sealed') {
      const writer: PartWriter = await transfer.file('f', { size: 3 })
      t.equal(writer.size, 3)
      await writer.finish()
    }
    t.ok(transfer.isWhole('f'))
    await transfer.finish()
    t.same(await tree(root), ['f'])
    t.equal((await stat(join(root, 'f'))).nlink, 1)
    t.equal(await readFile(join(root, 'f'), 'utf8'), 'abc')
  })
}

t.test('killed while a file is given up whose name somebody else has taken: that one is not taken for it', async t => {
  const { root, open } = await makeFolder(t)
  await killAt(root, 'refused')
  const transfer = await (await open()).transfer('t')
  t.equal(transfer.isWhole('f'), false)
  await t.rejects(transfer.file('f', { size: 3 }), { code: 'ERR_EXISTS' })
  t.equal(await readFile(join(root, 'f'), 'utf8'), 'another')
})

t.test('files that end together fail alone, and the others last', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const first = await receiver.transfer('t')
  const names = ['d/a', 'd/b', 'e/a', 'top', 'd/c']
  const writers: PartWriter[] = []
  for (const name of names) {
    const writer = await first.file(name, { size: 3 })
    await writer.write(text(name.slice(-3).padStart(3, '/')))
    writers.push(writer)
  }
  await mkdir(join(root, 'd'))
  await writeFile(join(root, 'd/b'), 'another')
  await writeFile(join(root, 'e'), 'no folder')
  const ended = await Promise.allSettled(writers.map(async writer => await writer.finish()))
  t.match(ended, [{ status: 'fulfilled' }, { reason: { code: 'ERR_EXISTS' } }, { reason: { code: 'ERR_NOT_A_DIRECTORY' } }, { status: 'fulfilled' }, { status: 'fulfilled' }])
  await first.close()
  const again = await receiver.transfer('t')
  t.same(names.filter(name => again.isWhole(name)), ['d/a', 'top', 'd/c'])
  t.same(await tree(root), ['d', 'd/a', 'd/b', 'd/c', 'e', 'top'])
  t.equal(await readFile(join(root, 'd/c'), 'utf8'), 'd/c')
})

t.test('a file is looked for in its folder as it is, also when the folder was exchanged since the last one', async t => {
  const { root, open } = await makeFolder(t)
  const transfer = await (await open()).transfer('t')
  await finish(transfer, 'd/a', 'a')
  await writeFile(join(root, 'd/b'), 'another')
  await t.rejects(transfer.file('d/b', { size: 1 }), { code: 'ERR_EXISTS' })
  await rename(join(root, 'd'), join(root, 'old'))
  await finish(transfer, 'd/b', 'b')
  t.same(await tree(root), ['d', 'd/b', 'old', 'old/a', 'old/b'])
})

t.test('a journal that is torn or changed is believed up to there, whichever byte it is', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const first = await receiver.transfer('t')
  await finish(first, 'a', 'aaa')
  const part = await first.file('b', { size: 6 })
  await part.write(text('bbb'))
  await part.verify()
  await first.close()
  const [name = ''] = await readdir(join(root, KEPT))
  const path = join(root, KEPT, name, 'journal')
  const journal = await readFile(path)
  const saved = new Map(await Promise.all((await readdir(join(root, KEPT, name))).map(async entry => [entry, await readFile(join(root, KEPT, name, entry))] as const)))
  for (let at = 0; at < journal.length; at++) {
    await mkdir(join(root, KEPT, name), { recursive: true })
    for (const [entry, bytes] of saved) await writeFile(join(root, KEPT, name, entry), bytes)
    const bad = Buffer.from(journal)
    bad[at] = (bad[at] as number) ^ (1 << at % 8)
    await writeFile(path, bad)
    const transfer = await receiver.transfer('t')
    const held = [transfer.isWhole('a'), transfer.keptBytes('b')]
    t.ok([[true, 3], [true, 0], [false, 0]].some(([whole, bytes]) => whole === held[0] && bytes === held[1]), `bit ${at % 8} of byte ${at}: ${held.join(', ')}`)
    await transfer.discard()
  }
  await mkdir(join(root, KEPT, name), { recursive: true })
  await writeFile(path, journal)
  await truncate(path, journal.length - 1)
  await appendFile(path, Buffer.alloc(100_000, 0x61))
  const transfer = await receiver.transfer('t')
  t.ok(transfer.isWhole('a'))
})

t.test('a transfer that nobody goes on with is removed after its time', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const transfer = await receiver.transfer('t')
  await (await transfer.file('f')).write(text('x'))
  await receiver.close()
  t.equal((await readdir(join(root, KEPT))).length, 1)
  await (await open()).close()
  t.equal((await readdir(join(root, KEPT))).length, 1)
  await (await open({ keepMs: 0 })).close()
  t.same(await tree(root), [])
  t.same(await readdir(join(root, '.ropewalk-staging')).catch(() => []), [])
})

t.test('single files and transfers share the root, and neither takes the other’s names', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const transfer = await receiver.transfer('t')
  await receiveFile(receiver, 'a', [text('x')])
  await t.rejects(transfer.file('a'), { code: 'ERR_EXISTS' })
  await finish(transfer, 'b', 'b')
  await t.rejects(receiver.file('b'), { code: 'ERR_EXISTS' })
  await transfer.finish()
  await rm(join(root, 'a'))
  t.same(await tree(root), ['b'])
})

t.test('D2: a name stays one name in the journal, whatever it looks like', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const names = ['a"},{"is":"placed","part":0,"as":"b"', "a'; DROP TABLE offers; --", '<img src=x onerror=alert(1)>', '$(reboot) `id` && x', '%0d%0aSet-Cookie: a=b', '${HOME}', '\u2025', '{}']
  const first = await receiver.transfer('t')
  for (const name of names) await finish(first, name, name)
  await first.close()
  const second = await receiver.transfer('t')
  t.same(names.filter(name => second.isWhole(name)), names)
  t.notOk(second.isWhole('b'))
  t.same(await tree(root), [...names].sort())
  await t.rejects(second.file('a\n{"is":"placed"}'), { code: 'ERR_NAME', message: /^[\x20-\x7e]*$/ })
})

t.test('D3: what is in a file is never in an error about it', async t => {
  const { open } = await makeFolder(t)
  const receiver = await open({ maxFileBytes: 20, maxTotalBytes: 30 })
  const secret = 'BEGIN PRIVATE KEY'
  const transfer = await receiver.transfer('t')
  const errors: Error[] = []
  const caught = async (work: Promise<unknown>): Promise<void> => { errors.push(await work.then(() => new Error('done'), (error: Error) => error)) }
  await caught(receiveFile(receiver, 'a', [text(secret)], { size: 3 }))
  await caught(receiveFile(receiver, 'a', [text(secret)], { size: 18 }))
  await caught(receiveFile(receiver, 'a', [text(secret), text(secret)]))
  await finish(transfer, 'b', secret)
  await caught(transfer.file('b'))
  await caught(receiveFile(receiver, 'c', [text(secret)]))
  t.same(errors.map(error => (error as Error & { code: string }).code), ['ERR_SIZE', 'ERR_SIZE', 'ERR_SIZE', 'ERR_EXISTS', 'ERR_QUOTA'])
  for (const error of errors) t.notMatch(`${error.message} ${error.stack} ${JSON.stringify(error)}`, /PRIVATE/)
})

t.test('P6: a part of which somebody makes a link while the transfer is open is not followed either', async t => {
  const { root, outside, open } = await makeFolder(t)
  const first = await open()
  await (await (await first.transfer('t')).file('f', { size: 9 })).write(text('abc'))
  await first.close()
  await writeFile(join(outside, 'victim'), 'victim')
  const again = await (await open()).transfer('t')
  t.equal(again.keptBytes('f'), 3)
  const [part = ''] = (await readdir(join(root, '.ropewalk-staging'), { recursive: true })).filter(entry => entry.endsWith('0.part'))
  await rm(join(root, '.ropewalk-staging', part))
  await symlink(join(outside, 'victim'), join(root, '.ropewalk-staging', part))
  await t.rejects(again.file('f', { size: 9 }), { code: 'ERR_IO', message: /ELOOP/ })
  t.equal(await readFile(join(outside, 'victim'), 'utf8'), 'victim')
})

t.test('P6: a journal or a part that somebody has made a link of is not followed', async t => {
  const { root, outside, open } = await makeFolder(t)
  const receiver = await open()
  const first = await receiver.transfer('t')
  await (await first.file('f', { size: 9 })).write(text('abc'))
  await receiver.close()
  const [name = ''] = await readdir(join(root, KEPT))
  await writeFile(join(outside, 'victim'), 'victim')
  const again = await open()
  await rm(join(root, KEPT, name, '0.part'))
  await symlink(join(outside, 'victim'), join(root, KEPT, name, '0.part'))
  const second = await again.transfer('t')
  t.equal(second.keptBytes('f'), 0)
  await finish(second, 'f', 'abc')
  await again.close()
  t.equal(await readFile(join(root, 'f'), 'utf8'), 'abc')

  await rm(join(root, KEPT, name, 'journal'))
  await symlink(join(outside, 'victim'), join(root, KEPT, name, 'journal'))
  await t.rejects(async () => (await open()).transfer('t'), { code: 'ERR_IO' })
  t.equal(await readFile(join(outside, 'victim'), 'utf8'), 'victim')
})
