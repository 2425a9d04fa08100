import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { Uint8ArrayList } from 'uint8arraylist'
import { escapeName, openReceiver, type Receiver, type FileOptions, type ReceivedFile } from '../src/index.ts'
import { makeFolder, staged, text, tree } from './folder.ts'
import { REFUSED } from './names.ts'

t.test('a file has its name only when it is whole', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const writer = await receiver.file('a/b/report.txt', { size: 15 })
  await writer.write(text('hello '))
  await writer.write(new Uint8ArrayList(text('wor'), new Uint8Array(0), text('ld')))
  t.same(await tree(root), [], 'not even its folder is there')
  t.equal((await staged(root)).length, 1)
  await writer.write(text('!!!!'))
  t.equal(writer.size, 15)

  t.same(await writer.finish(), { path: join(root, 'a/b/report.txt'), name: 'a/b/report.txt', size: 15 })
  t.equal(await readFile(join(root, 'a/b/report.txt'), 'utf8'), 'hello world!!!!')
  t.same(await staged(root), [])
  await receiver.close()
  t.same(await readdir(root), ['a'], 'nothing else is left')
})

t.test('an empty file is a file', async t => {
  const { root, open } = await makeFolder(t)
  await put(await open(), 'empty', '', { size: 0 })
  t.equal((await stat(join(root, 'empty'))).size, 0)
})

t.test('a file that is aborted, disposed of, or open when the receiver closes leaves nothing', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const aborted = await receiver.file('a/aborted')
  await aborted.write(text('x'))
  await aborted.abort()
  await aborted.abort()
  await t.rejects(aborted.write(text('x')), { code: 'ERR_CLOSED' })
  await t.rejects(aborted.finish(), { code: 'ERR_CLOSED' })
  {
    await using disposed = await receiver.file('a/disposed')
    await disposed.write(text('x'))
  }
  const left = await receiver.file('a/left')
  await left.write(text('x'))
  await receiver.close()
  await receiver.close()
  t.same(await readdir(root), [])
  await t.rejects(left.finish(), { code: 'ERR_CLOSED' })
  await t.rejects(receiver.file('b'), { code: 'ERR_CLOSED' })
})

t.test('an abort in the middle of finishing settles both, and leaves the whole file or nothing', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  for (let round = 0; round < 20; round++) {
    const writer = await receiver.file(`f${round}`)
    await writer.write(text('whole'))
    const finishing = writer.finish()
    for (let turn = 0; turn < round; turn++) await new Promise(resolve => setImmediate(resolve))
    const [outcome] = await Promise.allSettled([finishing, writer.abort()])
    const content = await readFile(join(root, `f${round}`), 'utf8').catch(() => undefined)
    t.equal(content, outcome.status === 'fulfilled' ? 'whole' : undefined)
  }
  t.same(await staged(root), [])
})

t.test('a signal that is raised early or late removes the file', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const reason = Object.assign(new Error('no longer wanted'), { code: 'MINE' })
  await t.rejects(receiver.file('a', { signal: AbortSignal.abort(reason) }), { code: 'MINE' })

  const controller = new AbortController()
  const beginning = receiver.file('a', { signal: controller.signal })
  controller.abort(reason)
  await t.rejects(beginning, { code: 'MINE' })

  const later = new AbortController()
  const writer = await receiver.file('a', { signal: later.signal })
  await writer.write(text('x'))
  later.abort(reason)
  await t.rejects(writer.write(text('x')), { code: 'ERR_CLOSED' })
  await writer.abort()
  t.same(await staged(root), [])
})

t.test('X2: too many bytes and too few are both refused, and leave nothing', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const long = await receiver.file('long', { size: 10 })
  await long.write(text('12345'))
  await t.rejects(long.write(text('678901')), { code: 'ERR_SIZE', message: /11 > 10 bytes/, remote: true })
  await t.rejects(long.finish(), { code: 'ERR_SIZE' }, 'what failed once cannot be finished')
  const short = await receiver.file('short', { size: 10 })
  await short.write(text('12345'))
  await t.rejects(short.finish(), { code: 'ERR_SIZE', message: /5 < 10 bytes/ })
  await long.abort()
  t.same(await tree(root), [])
  t.same(await staged(root), [])
})

t.test('X8: what is announced is compared with what is allowed and what is free before a byte is taken', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open({ maxFileBytes: 1e17 })
  await t.rejects(receiver.file('a', { size: Number.MAX_SAFE_INTEGER - 1e15 }), { code: 'ERR_NO_SPACE' })
  const small = await open({ maxFileBytes: 100 })
  await t.rejects(small.file('a', { size: 101 }), { code: 'ERR_SIZE', message: /101 > 100 bytes/ })
  const unknown = await small.file('a')
  await unknown.write(new Uint8Array(100))
  await t.rejects(unknown.write(new Uint8Array(1)), { code: 'ERR_SIZE', message: /101 > 100 bytes/ })
  await unknown.abort()
  for (const size of [-1, 0.5, NaN, 2 ** 63]) await t.rejects(receiver.file('a', { size }), { name: 'RangeError' })
  t.same(await staged(root), [])
})

t.test('P1, P2: no bad name makes anything anywhere, whether or not the root exists', async t => {
  const { path, root, open } = await makeFolder(t)
  const missing = join(path, 'not', 'yet')
  const receivers = [await open(), await openReceiver(missing)]
  const before = await tree(path)
  for (const receiver of receivers) {
    for (const [name, rule] of REFUSED) await t.rejects(receiver.file(name), { code: 'ERR_NAME', rule }, escapeName(name, 40))
    await receiver.close()
  }
  t.same((await tree(path)).filter(entry => !entry.includes('staging')), before.filter(entry => !entry.includes('staging')))
  t.same(await tree(root), [])
})

t.test('nothing is overwritten unasked', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  await writeFile(join(root, 'taken'), 'old')
  await t.rejects(receiver.file('taken'), { code: 'ERR_EXISTS' }, 'early, before bytes are sent in vain')

  const late = await receiver.file('late')
  await late.write(text('new'))
  await writeFile(join(root, 'late'), 'old')
  await t.rejects(late.finish(), { code: 'ERR_EXISTS' }, 'and in the end, by the link itself')
  for (const name of ['taken', 'late']) t.equal(await readFile(join(root, name), 'utf8'), 'old')
  t.same(await staged(root), [])
})

t.test('of many that finish under one name at once exactly one wins', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const writers = await Promise.all(Array.from({ length: 10 }, async (_, index) => {
    const writer = await receiver.file('one')
    await writer.write(text(`writer ${index}`))
    return writer
  }))
  const outcomes = await Promise.allSettled(writers.map(async writer => await writer.finish()))
  const winner = outcomes.findIndex(({ status }) => status === 'fulfilled')
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  t.equal(await readFile(join(root, 'one'), 'utf8'), `writer ${winner}`)
})

t.test('replacing is atomic and asked for; a directory is never replaced', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  await writeFile(join(root, 'taken'), 'old')
  await mkdir(join(root, 'folder'))
  t.same(await put(receiver, 'taken', 'new', { overwrite: 'replace' }), { path: join(root, 'taken'), name: 'taken', size: 3 })
  t.equal(await readFile(join(root, 'taken'), 'utf8'), 'new')
  await t.rejects(receiver.file('folder', { overwrite: 'replace' }), { code: 'ERR_NOT_A_FILE' })

  const late = await receiver.file('late', { overwrite: 'replace' })
  await mkdir(join(root, 'late'))
  await t.rejects(late.finish(), { code: 'ERR_NOT_A_FILE' })
})

t.test('on request, another name is found', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const names = []
  for (let round = 0; round < 3; round++) names.push((await put(receiver, 'a/report.pdf', String(round), { overwrite: 'rename' })).name)
  t.same(names, ['a/report.pdf', 'a/report (1).pdf', 'a/report (2).pdf'])
  t.equal(await readFile(join(root, 'a/report (2).pdf'), 'utf8'), '2')
})

t.test('P4: links that are in the root already are not followed, not replaced unasked, and their targets stay', async t => {
  const { root, outside, open } = await makeFolder(t)
  await writeFile(join(outside, 'secret'), 'secret')
  await symlink(outside, join(root, 'absolute'))
  await symlink('../outside', join(root, 'climbing'))
  await symlink('.', join(root, 'self'))
  await symlink(join(outside, 'secret'), join(root, 'file'))
  await symlink(join(outside, 'new'), join(root, 'dangling'))
  await mkdir(join(root, 'deep/er'), { recursive: true })
  await symlink('../../../outside', join(root, 'deep/er/link'))
  const receiver = await open()

  for (const name of ['absolute/x', 'climbing/x', 'self/x', 'absolute/a/b/x', 'deep/er/link/x']) {
    for (const overwrite of ['refuse', 'replace', 'rename'] as const) await t.rejects(receiver.file(name, { overwrite }), { code: 'ERR_SYMLINK' }, name)
  }
  await t.rejects(receiver.file('file/x'), { code: 'ERR_SYMLINK' })
  for (const name of ['file', 'dangling', 'absolute']) await t.rejects(receiver.file(name), { code: 'ERR_EXISTS' }, name)

  t.equal((await put(receiver, 'dangling', 'mine', { overwrite: 'rename' })).name, 'dangling (1)')
  await put(receiver, 'file', 'mine', { overwrite: 'replace' })
  await put(receiver, 'absolute', 'mine', { overwrite: 'replace' })
  t.equal((await lstat(join(root, 'file'))).isFile(), true, 'the link itself was replaced')
  t.same(await tree(outside), ['secret'])
  t.equal(await readFile(join(outside, 'secret'), 'utf8'), 'secret')
})

t.test('P4: a parent that becomes a link while the bytes arrive is not followed either', async t => {
  const { root, outside, open } = await makeFolder(t)
  const receiver = await open()
  const writer = await receiver.file('a/x')
  await writer.write(text('mine'))
  await symlink(outside, join(root, 'a'))
  await t.rejects(writer.finish(), { code: 'ERR_SYMLINK' })
  t.same(await tree(outside), [])
  t.same(await staged(root), [])
})

t.test('P10: a file where a folder is wanted, and a folder where a file is', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  await writeFile(join(root, 'file'), '')
  await mkdir(join(root, 'folder'))
  await t.rejects(receiver.file('file/x'), { code: 'ERR_NOT_A_DIRECTORY' })
  await t.rejects(receiver.file('folder'), { code: 'ERR_EXISTS' })
})

t.test('P10: names that differ only in case are reported when that is asked for', async t => {
  const { root, open } = await makeFolder(t)
  const strict = await open({ collisions: 'refuse' })
  await put(strict, 'Docs/README', '1')
  for (const name of ['Docs/readme', 'docs/other', 'DOCS', 'Docs/readme/x']) {
    await t.rejects(put(strict, name, '2'), { code: 'ERR_COLLISION' }, name)
    await t.rejects(put(strict, name, '2', { overwrite: 'replace' }), { code: 'ERR_COLLISION' }, name)
  }
  await put(strict, 'Docs/other', '3')
  await put(strict, 'Docs/README', '4', { overwrite: 'replace' })
  t.equal((await put(strict, 'Docs/Readme', '5', { overwrite: 'rename' })).name, 'Docs/Readme (1)')
  const both = await Promise.allSettled([put(strict, 'new', '6'), put(strict, 'NEW', '6')])
  t.equal(both.filter(({ status }) => status === 'fulfilled').length, 1)

  const lenient = await open()
  await put(lenient, 'Docs/readme', '7')
  t.same((await readdir(join(root, 'Docs'))).sort(), ['README', 'Readme (1)', 'other', 'readme'])
})

t.test('P8: permissions are those that were asked for, without setuid, setgid, sticky and what the umask takes', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  await writeFile(join(root, 'plain'), '', { mode: 0o777 })
  const permitted = (await stat(join(root, 'plain'))).mode & 0o777
  for (const [mode, wanted] of [[0o7777, 0o777], [0o4755, 0o755], [0o2711, 0o711], [0o1640, 0o640], [0, 0o600], [0o444, 0o644], [undefined, 0o666]] as const) {
    const { path } = await put(receiver, `m${mode}`, 'x', { mode })
    t.equal((await stat(path)).mode & 0o7777, (wanted & permitted) | 0o600, mode?.toString(8) ?? 'none')
  }
  for (const mode of [-1, 0.5, NaN]) await t.rejects(receiver.file('x', { mode }), { name: 'RangeError' })
})

t.test('the time of the file is the sender’s', async t => {
  const { open } = await makeFolder(t)
  const receiver = await open()
  for (const mtimeMs of [0, 1_600_000_000_123, -1000]) t.equal((await stat((await put(receiver, `t${mtimeMs}`, 'x', { mtimeMs })).path)).mtimeMs, mtimeMs)
  for (const mtimeMs of [NaN, Infinity, 9e15]) await t.rejects(receiver.file('x', { mtimeMs }), { name: 'RangeError' })
})

t.test('the staging folder is nobody else’s', async t => {
  const { root, open } = await makeFolder(t)
  await mkdir(join(root, '.ropewalk-staging'))
  await chmod(join(root, '.ropewalk-staging'), 0o777)
  const receiver = await open()
  const writer = await receiver.file('a')
  const [path = ''] = await staged(root)
  t.equal((await lstat(join(root, '.ropewalk-staging'))).mode & 0o777, 0o700)
  t.equal((await lstat(join(root, '.ropewalk-staging', path, '..'))).mode & 0o777, 0o700)
  await writer.abort()
})

t.test('a root that is reached through a link is the operator’s choice; descriptors are used where there are any', async t => {
  const { path, root } = await makeFolder(t)
  await symlink(root, join(path, 'link'))
  const receiver = await openReceiver(join(path, 'link'))
  t.equal(receiver.confinement, process.platform === 'linux' ? 'descriptor' : 'path')
  await put(receiver, 'a', 'x')
  await receiver.close()
  t.same(await tree(root), ['a'])
})

t.test('by path, where there are no descriptors, the same is refused', async t => {
  const { root, outside, open } = await makeFolder(t)
  await symlink(outside, join(root, 'link'))
  const receiver = await open({ confinement: 'path' })
  await t.rejects(receiver.file('link/x'), { code: 'ERR_SYMLINK' })
  await t.rejects(receiver.file('../x'), { code: 'ERR_NAME' })
  await put(receiver, 'a/b', 'x')
  await receiver.close()
  t.same(await tree(root), ['a', 'a/b', 'link'])
})

async function put (receiver: Receiver, name: string, content: string, options?: FileOptions): Promise<ReceivedFile> {
  const writer = await receiver.file(name, options)
  await writer.write(text(content))
  return await writer.finish()
}
