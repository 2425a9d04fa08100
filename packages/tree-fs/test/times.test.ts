/** Times that a floating-point number has no room for, by whatever program is there. */
import { lstatSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TreePart } from '@ropewalk/interface'
import t, { type Test } from 'tap'
import type { TreeError } from '../src/errors.ts'
import { writeTree } from '../src/write-tree.ts'
import { folder } from './folder.ts'
import { asNobody, run } from './trees.ts'

const AT = 1_712_345_678_123_456_789n
const TIMES = [AT, AT + 1n, -1n, -1_000_000_000n, -1_500_000_001n, AT - 333n]

/** A folder with a file for each time, one of a name that is no UTF-8, and a link. */
function parts (): TreePart[] {
  const root: TreePart = { kind: 'node', node: { path: '', type: 'directory', permissions: 0o755, mtime: AT + 7n } }
  const files = TIMES.map((mtime, i): TreePart => ({ kind: 'node', node: { path: i === 0 ? 'a \udcfe\n' : `f'${i}`, type: 'file', permissions: 0o400, size: 0, mtime } }))
  return [root, ...files, { kind: 'node', node: { path: 'link', type: 'symlink', permissions: 0o777, target: 'f\'1', mtime: AT + 9n } }, { kind: 'leave', node: root.node }]
}

function timesIn (root: string): bigint[] {
  const files = TIMES.map((_, i) => i === 0 ? Buffer.concat([Buffer.from(`${root}/a `), Buffer.of(0xfe, 0x0a)]) : `${root}/f'${i}`)
  return [root, ...files, `${root}/link`].map(path => lstatSync(path, { bigint: true }).mtimeNs)
}

const WANTED = [AT + 7n, ...TIMES, AT + 9n]

/** Only these programs are there. Others lie in `PATH` as what is written of them here. */
async function only (t: Test, programs: readonly string[], others: Readonly<Record<string, string>> = {}): Promise<void> {
  const there = await folder(t)
  for (const program of programs) {
    const { stdout } = await run('sh', ['-c', `command -v ${program}`])
    await symlink(stdout.trim(), join(there, program))
  }
  for (const [name, text] of Object.entries(others)) await writeFile(join(there, name), text, { mode: 0o755 })
  const before = process.env['PATH']
  t.teardown(() => { process.env['PATH'] = before })
  process.env['PATH'] = there
}

t.test('one process for a whole tree sets them, where there is perl', async t => {
  await only(t, ['perl'])
  const to = join(await folder(t), 'tree')
  await writeTree(parts(), to, { durable: false })
  t.same(timesIn(to), WANTED)
})

for (const [what, programs, others] of [
  ['no perl', ['sh', 'touch'], {}],
  ['a perl that ends at once', ['sh', 'touch'], { perl: '#!/bin/sh\nexit 3\n' }],
  ['a perl that reads, and dies after three of them', ['sh', 'touch'], { perl: '#!/bin/sh\nread -r line\nprintf 110\n' }],
  ['a perl that may not', ['sh', 'touch', 'head', 'tr'], { perl: '#!/bin/sh\nhead -c 1 >&2\nhead -c 65536 /dev/zero | tr "\\0" 0\n' }]
] as const) {
  t.test(`what it did not set touch does: ${what}`, async t => {
    await only(t, programs, others)
    const to = join(await folder(t), 'tree')
    await writeTree(parts(), to, { durable: false })
    const wrong = what.includes('three') ? 2 : 0
    t.same(timesIn(to).slice(1 + wrong), WANTED.slice(1 + wrong))
  })
}

t.test('whoever may not be looked into by others has touch', async t => {
  const place = await folder(t)
  await asNobody(place, async () => {
    await writeTree(parts(), join(place, 'tree'), { durable: false })
    t.same(timesIn(join(place, 'tree')), WANTED)
  })
})

t.test('where there is neither, that is told', async t => {
  await only(t, ['sh'])
  const troubles: TreeError[] = []
  const to = join(await folder(t), 'tree')
  await writeTree(parts(), to, { durable: false, onTrouble: error => troubles.push(error) })
  t.match(troubles, [{ code: 'ERR_UNSUPPORTED', path: '', message: /touch/ }])
})

t.test('a link that takes the place of a name meanwhile is not followed', async t => {
  const place = await folder(t)
  const outside = join(place, 'outside')
  await writeFile(outside, 'mine')
  const before = lstatSync(outside, { bigint: true }).mtimeNs
  await mkdir(join(place, 'work'))
  const [root, file] = parts()
  async function * given (): AsyncGenerator<TreePart> {
    yield root as TreePart
    yield { kind: 'node', node: { path: 'one', type: 'file', permissions: 0o644, size: 0, mtime: AT } }
    yield file as TreePart
    // What comes last is set when the folder ends.
    const made = join(place, 'work', 'new', 'one')
    await run('ln', ['-sfn', outside, made])
    yield { kind: 'leave', node: (root as TreePart & { kind: 'node' }).node }
  }
  await writeTree(given(), join(place, 'tree'), { durable: false, existing: 'replace', workspace: join(place, 'work') })
  t.equal(lstatSync(outside, { bigint: true }).mtimeNs, before)
  t.equal(lstatSync(join(place, 'tree', 'one'), { bigint: true }).mtimeNs, AT, 'it has the time itself')
})
