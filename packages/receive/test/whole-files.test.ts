/** Small files that come whole, many at once. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { link, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { turn } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import { BATCH_BYTES, BATCH_FILES, FLUSH_FROM_FILES, SMALL_FILE_BYTES } from '../src/constants.ts'
import { writeBatch, type BatchDisk } from '../src/batch.ts'
import type { WholeFile } from '../src/index.ts'
import { PartsState } from '../src/parts-state.ts'
import { isMuchWaiting, isSince, waitingBytes } from '../src/waiting.ts'
import { makeFolder, staged, text, tree } from './folder.ts'

const CHILD = fileURLToPath(new URL('whole-files-child.ts', import.meta.url))
const TIME = 1_600_000_000_000

const codes = (results: ReadonlyArray<PromiseSettledResult<unknown>>): string[] => results.map(result => result.status === 'fulfilled' ? 'whole' : (result.reason as { code: string }).code)

t.test('more than one batch, in many folders, of every size: content, permissions and times are there, and nothing else', async t => {
  const { root, open } = await makeFolder(t)
  const transfer = await (await open()).transfer('t')
  const sizes = [0, 1, 4095, 4096, SMALL_FILE_BYTES, SMALL_FILE_BYTES + 1, BATCH_BYTES + 1]
  const files = Array.from({ length: 2 * BATCH_FILES + 3 }, (_, index): WholeFile => ({
    name: `d${index % 7}/sub/f${index}`, bytes: new Uint8Array(sizes[index % 31] ?? index).fill(index), mode: index % 2 === 0 ? 0o4640 : 0o600, mtimeMs: TIME + index * 1000
  }))
  const results = await transfer.files(files)
  t.same(results.map(result => result.status === 'fulfilled' ? result.value : result.reason), files.map(({ name, bytes }) => ({ path: join(root, name), name, size: bytes.length })))
  for (const { name, bytes, mode, mtimeMs } of files) {
    const found = await stat(join(root, name))
    if (found.mtimeMs !== mtimeMs || (found.mode & 0o7777) !== ((mode ?? 0) & 0o777) || !(await readFile(join(root, name))).equals(bytes)) t.fail(name)
    if (!transfer.isWhole(name)) t.fail(`${name} is not whole`)
  }
  t.same(codes(await transfer.files([files[0] as WholeFile])), ['ERR_EXISTS'])
  await transfer.finish()
  t.same(await staged(root), [])
})

t.test('P1, P3, P10, X8: what is wrong with one file is not the others’ affair, and nothing is left of it', async t => {
  const { path, root, outside, open } = await makeFolder(t)
  await writeFile(join(root, 'taken'), 'mine')
  await symlink(outside, join(root, 'way-out'))
  const receiver = await open({ maxFileBytes: 10, maxTotalBytes: 40, maxEntries: 7, collisions: 'refuse' })
  const transfer = await receiver.transfer('t')
  const part = await transfer.file('half', { size: 4 })
  await part.write(text('ha'))
  const file = (name: string, content = name): WholeFile => ({ name, bytes: text(content) })
  const files = [
    file('a'), file('../up'), file('taken'), file('way-out/in'), file('b/c'), file('a', 'again'), file('A'), file('half'), file('long', '01234567890'), file('a/b'), file('last')
  ]
  t.same(codes(await transfer.files(files)), [
    'whole', 'ERR_NAME', 'ERR_EXISTS', 'ERR_SYMLINK', 'whole', 'ERR_BUSY', 'ERR_COLLISION', 'ERR_BUSY', 'ERR_SIZE', 'ERR_NOT_A_DIRECTORY', 'ERR_QUOTA'
  ])
  // Those that came to nothing are not counted.
  t.same(codes(await transfer.files([file('last'), file('n1'), file('n2'), file('n3'), file('n4')])), ['whole', 'whole', 'whole', 'whole', 'ERR_QUOTA'])
  await part.abort()
  t.same(codes(await transfer.files([file('half')])), ['whole'])
  t.equal(readFileSync(join(root, 'taken'), 'utf8'), 'mine')
  await transfer.finish()
  t.same(await tree(root), ['a', 'b', 'b/c', 'half', 'last', 'n1', 'n2', 'n3', 'taken', 'way-out'])
  t.same([await readdir(outside), (await readdir(path)).sort()], [[], ['outside', 'root']])
})

t.test('a name that is replaced, or numbered', async t => {
  const { root, open } = await makeFolder(t)
  await writeFile(join(root, 'f'), 'old')
  const transfer = await (await open()).transfer('t')
  const results = await transfer.files([{ name: 'f', bytes: text('one'), overwrite: 'rename' }, { name: 'g', bytes: text('two'), overwrite: 'replace' }])
  t.match(results, [{ value: { name: 'f (1)' } }, { value: { name: 'g' } }])
  await writeFile(join(root, 'h'), 'old')
  t.match(await transfer.files([{ name: 'h', bytes: text('new'), overwrite: 'replace' }]), [{ value: { name: 'h' } }])
  await transfer.finish()
  t.same(['f', 'f (1)', 'g', 'h'].map(name => readFileSync(join(root, name), 'utf8')), ['old', 'one', 'two', 'new'])
})

t.test('what was kept of a file is removed, and an ending transfer waits for what is under way', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const transfer = await receiver.transfer('t')
  for (const size of [9, SMALL_FILE_BYTES + 9]) {
    const part = await transfer.file(`f${size}`, { size })
    await part.write(text('wrong'))
    await part.keep()
  }
  const coming = transfer.files([{ name: 'f9', bytes: text('content') }, { name: `f${SMALL_FILE_BYTES + 9}`, bytes: new Uint8Array(SMALL_FILE_BYTES + 9).fill(7) }, { name: 'g', bytes: text('g') }])
  while (transfer.keptBytes('f9') > 0) await turn()
  await t.rejects(transfer.file('g'), { code: 'ERR_BUSY' })
  await t.rejects(transfer.finish(), { code: 'ERR_BUSY' })
  const results = await coming
  t.same(codes(results), ['whole', 'whole', 'whole'])
  t.equal(readFileSync(join(root, 'f9'), 'utf8'), 'content')
  t.ok(readFileSync(join(root, `f${SMALL_FILE_BYTES + 9}`)).every(byte => byte === 7))
  const last = transfer.files([{ name: 'last', bytes: text('last') }])
  await receiver.close()
  t.same(codes(await last), ['whole'])
  t.equal((await stat(join(root, 'last'))).nlink, 1, 'it has no second name in what is kept')
  t.same(await tree(root), ['f65545', 'f9', 'g', 'last'])
  await t.rejects(transfer.files([], { signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' })
  t.same(codes(await transfer.files([{ name: 'late', bytes: text('late') }])), ['ERR_CLOSED'])
})

for (const step of ['sealed', 'linked', 'left']) {
  t.test(`P7: killed while a batch gets its names, ${step}: each has its name, or gets it, once`, async t => {
    const { root, open } = await makeFolder(t)
    const child = spawn(process.execPath, ['--conditions=@ropewalk/source', CHILD, root, step], { stdio: ['pipe', 'pipe', 'inherit'] })
    const gone = once(child, 'close')
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await gone
    const receiver = await open()
    const transfer = await receiver.transfer('t')
    const names = Array.from({ length: 20 }, (_, index) => `f${index}`)
    const whole = names.filter(name => transfer.isWhole(name))
    t.equal(whole.length, step === 'sealed' ? 0 : step === 'linked' ? 10 : 20)
    t.same((await tree(root)).length, whole.length)
    for (const name of names.filter(name => !transfer.isWhole(name))) {
      t.equal(transfer.keptBytes(name), name.length, 'all of it is there')
      await (await transfer.file(name, { size: name.length })).finish()
    }
    for (const name of names) t.equal(readFileSync(join(root, name), 'utf8'), name)
    t.same((await staged(root)), [], 'no second name is left')
    await transfer.finish()
    await receiver.close()
    t.same(await readdir(root).then(names => names.length), 20)
  })
}

/** A disk that is watched: what was done to it, and with `flushes` what flushing says. */
function watched (flushes: boolean, refused: number | undefined = undefined): BatchDisk & { readonly steps: string[] } {
  const steps: string[] = []
  return {
    steps,
    flush: async () => {
      steps.push('flush')
      return flushes
    },
    sync: async fd => {
      const first = new Uint8Array(1)
      const copy = openSync(`/proc/self/fd/${fd}`, 'r')
      readSync(copy, first)
      closeSync(copy)
      steps.push(`sync ${first[0]}`)
      if (first[0] === refused) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    }
  }
}

t.test('S3: every file of a batch is on the disk: by one flush, or else by a sync of each', { skip: process.platform !== 'linux' && 'descriptors are looked into by /proc' }, async t => {
  const { root } = await makeFolder(t)
  let number = 0
  const batch = async (count: number, disk: BatchDisk): Promise<Array<[number, unknown]>> => {
    const files = Array.from({ length: count }, (_, index) => ({ path: join(root, `${number++}`), bytes: Uint8Array.of(index), mode: undefined, mtimeMs: undefined }))
    return [...await writeBatch(files, disk)]
  }
  const synced = (count: number): string[] => Array.from({ length: count }, (_, index) => `sync ${index}`)
  const many = FLUSH_FROM_FILES
  const flushed = watched(true)
  t.same([await batch(many, flushed), flushed.steps], [[], ['flush']])
  const refused = watched(false)
  t.same([await batch(many, refused), refused.steps], [[], ['flush', ...synced(many)]])
  const few = watched(true)
  t.same([await batch(many - 1, few), few.steps], [[], synced(many - 1)])
  t.match(await batch(many, watched(false, 3)), [[3, { code: 'ENOSPC' }]])
  // A name that is there is nobody's to write to, and is no reason against the others.
  await writeFile(join(root, `${number + 1}`), 'mine')
  await link(join(root, `${number + 1}`), join(root, `${number + 2}`))
  const some = watched(false)
  t.match(await batch(4, some), [[1, { code: 'EEXIST' }], [2, { code: 'EEXIST' }]])
  t.same([some.steps, readFileSync(join(root, `${number - 3}`), 'utf8')], [['sync 0', 'sync 3'], 'mine'])
})

t.test('a system without the program sync, whose every file is synced by itself', async t => {
  const { root } = await makeFolder(t)
  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', CHILD, root, 'whole'], { stdio: 'inherit', env: { ...process.env, PATH: '/nowhere' } })
  t.same(await once(child, 'close'), [0, null])
  t.equal((await tree(root)).length, 20)
})

t.test('a file that is whole at once is a file that begins and is sealed', async () => {
  const fact = fc.oneof(
    fc.record({ is: fc.constant('whole' as const), part: fc.nat(3), name: fc.constantFrom('a', 'b', 'c'), bytes: fc.nat(20) }),
    fc.record({ is: fc.constant('begun' as const), part: fc.nat(3), name: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ is: fc.constant('dropped' as const), part: fc.nat(3) }),
    fc.record({ is: fc.constant('placed' as const), part: fc.nat(3), as: fc.constant('x') })
  )
  fc.assert(fc.property(fc.array(fact, { maxLength: 20 }), fc.array(fc.record({ size: fc.nat(20), nlink: fc.integer({ min: 1, max: 2 }) }), { minLength: 4, maxLength: 4 }), (facts, sizes) => {
    const [ours, theirs] = [new PartsState('boot'), new PartsState('boot')]
    for (const fact of facts) {
      ours.apply(fact)
      if (fact.is !== 'whole') theirs.apply(fact)
      else {
        theirs.apply({ is: 'begun', part: fact.part, name: fact.name })
        theirs.apply({ is: 'sealed', part: fact.part, bytes: fact.bytes })
      }
    }
    const found = new Map(sizes.entries())
    return JSON.stringify([ours.recover(found), ['a', 'b', 'c'].map(name => [ours.of(name), ours.isWhole(name)])]) ===
      JSON.stringify([theirs.recover(found), ['a', 'b', 'c'].map(name => [theirs.of(name), theirs.isWhole(name)])])
  }), { numRuns: 1000 })
})

t.test('what waits for disks, and which Linux it is', async t => {
  t.equal(waitingBytes('MemFree:  1 kB\nDirty:              1024 kB\nWriteback:             8 kB\nWritebackTmp:    5 kB\n'), 1032 * 1024)
  t.equal(waitingBytes('MemFree:  1 kB\n'), Infinity)
  t.equal(isMuchWaiting(-1), true)
  t.same(['5.8.0', '5.10.1-rc', '6.1.0-18-amd64', '5.7.19', '4.19'].map(release => isSince(release, 5, 8)), [true, true, true, false, false])
})
