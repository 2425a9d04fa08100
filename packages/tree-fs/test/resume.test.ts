/** Trees that somebody was killed over, and that the next one goes on with. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, statSync } from 'node:fs'
import { chmod, mkdir, readFile, readdir, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TreeKept, TreeMark, TreePart } from '@ropewalk/interface'
import t, { type Test } from 'tap'
import { writeTree, type WriteTreeOptions } from '../src/write-tree.ts'
import { folder } from './folder.ts'
import { asNobody, directory, file, leave, nodesOf, partsOf, run, variedTree } from './trees.ts'

/** Content in so small pieces that a file has several. */
const PIECE_BYTES = 100_000

async function partsOfTree (root: string): Promise<TreePart[]> {
  const parts: TreePart[] = []
  for await (const part of partsOf(root)) {
    if (part.kind !== 'data') parts.push(part)
    else for (let at = 0; at < part.bytes.length; at += PIECE_BYTES) parts.push({ kind: 'data', bytes: part.bytes.slice(at, at + PIECE_BYTES) })
  }
  return parts
}

/** A mark behind each part says how many have come; then something goes wrong. */
async function * broken (parts: readonly TreePart[], from: number, to: number): AsyncGenerator<TreePart | TreeMark> {
  for (const [i, part] of parts.entries()) {
    if (i < from) continue
    if (i === to) throw new Error('enough')
    yield part
    yield { kind: 'mark', trace: Buffer.from(String(i + 1)) }
  }
}

const keptOf = (parts: readonly TreePart[], count: number): Array<TreePart | TreeKept> => parts.slice(0, count).map(part => part.kind === 'data' ? { kind: 'kept', bytes: part.bytes.length } : part)

interface Going {
  readonly parts: readonly TreePart[]
  readonly to: string
  readonly workspace: string
  marked: number
  /** Why it began anew, each time that it did. */
  readonly anew: unknown[]
}

/** One run, which ends at part `until`. Where it began. */
async function go (going: Going, until: number, options: WriteTreeOptions = {}): Promise<number> {
  const { parts, to, workspace } = going
  let from = going.marked
  async function * source (): AsyncGenerator<TreePart | TreeMark> {
    yield * broken(parts, from, until)
  }
  const writing = writeTree(source(), to, {
    existing: 'replace',
    durable: false,
    workspace,
    onMark: trace => { going.marked = Number(Buffer.from(trace).toString()) },
    kept: keptOf(parts, going.marked),
    onAnew: reason => {
      from = 0
      going.marked = 0
      going.anew.push(reason)
    },
    ...options
  })
  await writing.catch((error: unknown) => { if (!(error instanceof Error && error.message === 'enough')) throw error })
  return from
}

async function begin (t: Test, from: string): Promise<Going> {
  const place = await folder(t)
  await mkdir(join(place, 'to'))
  return { parts: await partsOfTree(from), to: join(place, 'to'), workspace: join(place, 'work'), marked: 0, anew: [] }
}

t.test('whatever it is that breaks off, the next run goes on behind it, and the tree is the same', async t => {
  const from = await variedTree(t)
  await chmod(join(from, 'deep/large'), 0o400)
  await chmod(join(from, 'deep/er'), 0o500)
  await run('setfattr', ['-n', 'system.posix_acl_default', '-v', '0x0200000001000700ffffffff04000500ffffffff10000700ffffffff20000500ffffffff', join(from, 'empty')]).catch(() => t.comment('no lists of access here'))
  await run('chattr', ['+d', join(from, 'deep')]).catch(() => t.comment('no attributes here'))
  const wanted = await nodesOf(from)
  const first = await begin(t, from)
  const wrong: unknown[] = []
  for (let until = 1, turn = 0; until < first.parts.length; until += 3, turn++) {
    // Marks that were told and not kept are as those that were not told.
    for (const lost of [[0, 1, 5][turn % 3] as number]) {
      const going: Going = { ...first, marked: 0, anew: [] }
      await go(going, until)
      if (going.marked < until - BEHIND) wrong.push(`${going.marked} of ${until} are marked`)
      if ((await readdir(going.to)).length > 0) wrong.push(`${until} parts are at the path`)
      const marked = going.marked = Math.max(0, going.marked - lost)
      if (await go(going, Infinity) !== marked) wrong.push(`begins at ${marked} again`)
      if (JSON.stringify(await nodesOf(going.to), show) !== JSON.stringify(wanted, show)) wrong.push(`another tree after ${until}`)
      if (!(await readFile(join(going.to, 'deep/large'))).equals(await readFile(join(from, 'deep/large')))) wrong.push(`another file after ${until}`)
      if (going.anew.some(reason => reason !== undefined)) wrong.push(going.anew)
      await rm(going.to, { recursive: true })
      await mkdir(going.to)
    }
  }
  t.same(wrong, [])
  t.ok(first.parts.length > 90)
  t.same(await readdir(first.workspace), [])
})

/** Of a small file that is being given: its node and its content. */
const BEHIND = 2

t.test('whoever may not do everything goes on too, where files and folders are finished that he may not write to', async t => {
  const from = await folder(t)
  for (const name of ['a', 'b']) {
    await mkdir(join(from, name))
    await writeFile(join(from, name, 'large'), Buffer.alloc(700_000, name), { mode: 0o400 })
    await writeFile(join(from, name, 'small'), name, { mode: 0o000 })
  }
  await run('chmod', ['500', join(from, 'a'), join(from, 'b'), from])
  const parts = await partsOfTree(from)
  const told = async (root: string): Promise<unknown[]> => (await nodesOf(root)).map(({ path, permissions, size, mtime }) => [path, permissions, size, mtime])
  const wanted = await told(from)
  const place = await folder(t)
  await asNobody(place, async () => {
    for (let until = 1; until < parts.length; until++) {
      for (const lost of [0, 1, 3]) {
        const at = join(place, `${until} ${lost}`)
        await mkdir(at)
        const going: Going = { parts, to: join(at, 'to'), workspace: join(at, 'work'), marked: 0, anew: [] }
        await go(going, until)
        const marked = going.marked = Math.max(0, going.marked - lost)
        t.equal(await go(going, Infinity), marked)
        t.same(going.anew.filter(reason => reason !== undefined), [])
        t.same(await told(going.to), wanted)
      }
    }
    await run('chmod', ['-R', 'u+rwx', place])
  })
  await run('chmod', ['-R', 'u+rwx', from])
})

t.test('what was touched since is noticed, and the tree is built anew', async t => {
  const parts = [directory(''), directory('a'), ...file('a/one', 'text'), leave('a'), directory('b'), ...file('b/two', 'text'), { kind: 'node', node: { path: 'b/large', type: 'file', permissions: 0o644, size: 500_000 } }, { kind: 'data', bytes: Buffer.alloc(300_000, 1) }, { kind: 'data', bytes: Buffer.alloc(200_000, 2) }, leave('b'), leave('')] as const satisfies TreePart[]
  const touches: ReadonlyArray<readonly [what: string, touch: (at: string) => Promise<void>]> = [
    ['all of it is gone', async at => { await rm(at, { recursive: true }) }],
    ['a folder that was finished is gone', async at => { await rm(join(at, 'a'), { recursive: true }) }],
    ['a file of an open folder is gone', async at => { await rm(join(at, 'b/two')) }],
    ['the open folder is another', async at => { await rename(join(at, 'b'), join(at, 'c')) }],
    ['the open folder is a link', async at => { await rename(join(at, 'b'), join(at, '../b')); await symlink('../b', join(at, 'b')) }],
    ['the file that is written is a link', async at => { await rm(join(at, 'b/large')); await symlink('../../outside', join(at, 'b/large')) }],
    ['the file that is written is too long', async at => { await truncate(join(at, 'b/large'), 500_001) }]
  ]
  for (const [what, touch] of touches) {
    const place = await folder(t)
    await writeFile(join(place, 'outside'), 'mine', { mode: 0o640 })
    const going: Going = { parts, to: join(place, 'to'), workspace: join(place, 'work'), marked: 0, anew: [] }
    await go(going, parts.length - 3)
    t.equal(going.marked, parts.length - 3, 'all of it is marked')
    await touch(join(going.workspace, 'new'))
    t.equal(await go(going, Infinity), 0, what)
    t.same([await readdir(join(going.to, 'a')), await readdir(join(going.to, 'b'))], [['one'], ['large', 'two']])
    t.equal((await readFile(join(going.to, 'b/large'))).length, 500_000)
    t.same([await readFile(join(place, 'outside'), 'utf8'), (await stat(join(place, 'outside'))).mode & 0o777], ['mine', 0o640])
  }
})

t.test('a folder that is changed in place is gone on with, and whatever others have in it stays until it is finished', async t => {
  const from = await variedTree(t)
  const wanted = await nodesOf(from)
  const place = await folder(t)
  const parts = await partsOfTree(from)
  const wrong: unknown[] = []
  for (let until = 1, turn = 0; until < parts.length; until += 3, turn++) {
    const at = join(place, String(until))
    await mkdir(join(at, 'to', 'deep', 'mine'), { recursive: true })
    await writeFile(join(at, 'to', 'empty'), 'a file where a folder comes')
    const going: Going = { parts, to: join(at, 'to'), workspace: join(at, 'work'), marked: 0, anew: [] }
    const remove = turn % 4 < 2
    const options = await inPlace(going, join(at, 'journal'))
    await go(going, until, { ...options(), remove })
    if (going.marked < until - BEHIND) wrong.push(`${going.marked} of ${until} are marked`)
    const marked = going.marked = Math.max(0, going.marked - ([0, 1, 5][turn % 3] as number))
    if (await go(going, Infinity, { ...options(), remove }) !== marked || going.anew.some(reason => reason !== undefined)) wrong.push([`begins at ${marked} again`, going.anew])
    const nodes = (await nodesOf(going.to)).filter(({ path }) => path !== 'deep/mine')
    if (JSON.stringify(nodes, show) !== JSON.stringify(wanted, show)) wrong.push(`another tree after ${until}`)
    if ((await readdir(join(going.to, 'deep'))).includes('mine') === remove) wrong.push(`removed: ${remove}`)
    if (!(await readFile(join(going.to, 'deep/large'))).equals(await readFile(join(from, 'deep/large')))) wrong.push(`another file after ${until}`)
  }
  t.same(wrong, [])
})

/** Marks are noted in a file: what was changed after it was is not believed. */
async function inPlace (going: Going, journal: string): Promise<() => WriteTreeOptions> {
  const times = new Map<number, bigint>()
  return () => ({
    existing: 'in-place',
    workspace: undefined,
    keptAt: times.get(going.marked),
    onMark: trace => {
      going.marked = Number(Buffer.from(trace).toString())
      appendFileSync(journal, `${going.marked}\n`)
      times.set(going.marked, statSync(journal, { bigint: true }).mtimeNs)
    }
  })
}

t.test('in place, what anybody has changed since is noticed, and everything is written again', async t => {
  const parts = [directory(''), directory('a'), ...file('a/one', 'text'), leave('a'), directory('b'), ...file('b/two', 'text'), { kind: 'node', node: { path: 'b/link', type: 'symlink', permissions: 0o777, target: 'two' } }, { kind: 'node', node: { path: 'b/large', type: 'file', permissions: 0o644, size: 500_000 } }, { kind: 'data', bytes: Buffer.alloc(300_000, 1) }, { kind: 'data', bytes: Buffer.alloc(200_000, 2) }, leave('b'), leave('')] as const satisfies TreePart[]
  const touches: ReadonlyArray<readonly [what: string, touch: (at: string) => Promise<unknown>]> = [
    ['a file that was finished', async at => { await writeFile(join(at, 'a/one'), 'TEXT') }],
    ['its permissions', async at => { await chmod(join(at, 'a/one'), 0o600) }],
    ['a file in a folder that is open', async at => { await writeFile(join(at, 'b/two'), 'TEXT') }],
    ['a folder that was finished', async at => { await writeFile(join(at, 'a/three'), '') }],
    ['a link', async at => { await rm(join(at, 'b/link')); await symlink('one', join(at, 'b/link')) }],
    ['a file is a link', async at => { await rm(join(at, 'a/one')); await symlink('two', join(at, 'a/one')) }],
    ['a folder is gone', async at => { await rm(join(at, 'a'), { recursive: true }) }]
  ]
  for (const [what, touch] of touches) {
    const place = await folder(t)
    const going: Going = { parts, to: join(place, 'to'), workspace: '', marked: 0, anew: [] }
    const options = await inPlace(going, join(place, 'journal'))
    await go(going, parts.length - 3, options())
    t.equal(going.marked, parts.length - 3)
    // The clock of file systems goes in steps.
    do await writeFile(join(place, 'clock'), '')
    while ((await stat(join(place, 'clock'), { bigint: true })).mtimeNs <= (await stat(join(place, 'journal'), { bigint: true })).mtimeNs)
    await touch(going.to)
    t.equal(await go(going, Infinity, options()), 0, what)
    t.same([await readFile(join(going.to, 'a/one'), 'utf8'), await readFile(join(going.to, 'b/two'), 'utf8'), await readdir(join(going.to, 'a')), await readdir(join(going.to, 'b'))], ['text', 'text', ['one'], ['large', 'link', 'two']])
    t.equal((await stat(join(going.to, 'a/one'))).mode & 0o777, 0o644)
  }
})

t.test('what was begun and is not marked goes, and a file that was longer ends where it shall', async t => {
  const parts = [directory(''), ...file('one', 'text'), { kind: 'node', node: { path: 'two', type: 'file', permissions: 0o644, size: 500_000 } }, { kind: 'data', bytes: Buffer.alloc(300_000, 1) }, { kind: 'data', bytes: Buffer.alloc(200_000) }, leave('')] as const satisfies TreePart[]
  const place = await folder(t)
  const going: Going = { parts, to: join(place, 'to'), workspace: join(place, 'work'), marked: 0, anew: [] }
  await go(going, 5)
  t.equal(going.marked, 5)
  await writeFile(join(going.workspace, 'new', 'two'), Buffer.alloc(450_000, 7))
  await mkdir(join(going.workspace, 'new', 'three', 'four'), { recursive: true })
  t.equal(await go(going, Infinity), 5)
  t.same(await readdir(going.to), ['one', 'two'])
  t.ok((await readFile(join(going.to, 'two'))).equals(Buffer.concat([Buffer.alloc(300_000, 7), Buffer.alloc(200_000)])), 'what is marked is believed, what is not is written')
})

t.test('what comes again into a folder that was finished gets nothing of what the folder hands on', async t => {
  const defaultAcl = { users: [{ id: 5, permissions: 7 }], groups: [], owner: 7, group: 5, other: 0, mask: 7 }
  const handing: TreePart = { kind: 'node', node: { path: 'a', type: 'directory', permissions: 0o755, defaultAcl } }
  const parts = [directory(''), handing, ...file('a/one', 'text'), ...file('a/two', 'text'), directory('a/three'), leave('a/three'), { ...handing, kind: 'leave' }, leave('')] satisfies TreePart[]
  const place = await folder(t)
  const going: Going = { parts, to: join(place, 'to'), workspace: join(place, 'work'), marked: 0, anew: [] }
  await go(going, parts.length - 1)
  const hands = await run('getfattr', ['-n', 'system.posix_acl_default', join(going.workspace, 'new', 'a')]).then(() => true, () => false)
  if (!hands) return t.comment('no lists of access here')
  going.marked = 4
  t.equal(await go(going, Infinity), 4)
  const nodes = new Map((await nodesOf(going.to)).map(node => [node.path, node]))
  t.match(nodes.get('a'), { defaultAcl })
  t.same(['a/one', 'a/two', 'a/three'].map(path => [nodes.get(path)?.acl, nodes.get(path)?.defaultAcl, nodes.get(path)?.permissions]), [[undefined, undefined, 0o644], [undefined, undefined, 0o644], [undefined, undefined, 0o755]])
})

t.test('killed again and again, it goes on each time, and ends', async t => {
  const from = await variedTree(t)
  const wanted = await nodesOf(from)
  const place = await folder(t)
  const [to, journal] = [join(place, 'tree'), join(place, 'journal')]
  const rounds = Number(process.env['ROPEWALK_ROUNDS'] ?? 4)
  let before = 0
  for (let round = 0; ; round++) {
    const after = round < rounds ? String(Math.floor((round + 1) * wanted.length / (rounds + 1))) : 'none'
    const child = spawn(process.execPath, ['--conditions=@ropewalk/source', fileURLToPath(new URL('resume-child.ts', import.meta.url)), from, to, join(place, 'work'), journal, after], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [first] = await once(child.stdout, 'data') as [Buffer]
    const begun = Number(/^(\d+)\n/.exec(first.toString())?.[1])
    t.ok(begun >= before, `${begun} >= ${before}`)
    before = begun
    child.kill(round < rounds ? 'SIGKILL' : 0)
    await once(child, 'close')
    if (round >= rounds) break
  }
  t.ok(before > 0)
  t.same(await nodesOf(to), wanted)
})

function show (_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}
