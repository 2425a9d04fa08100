/**
 * Archives of trees, ours against the original's: the same bytes and digests for the same features, extracted by either.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readTree, writeTree } from '@ropewalk/tree-fs'
import t from 'tap'
import { decodeArchive, encodeArchive } from '../src/archive.ts'
import { featuresOf } from '../test/archives.ts'

const run = promisify(execFile)

if (!await run('casync', ['--version']).then(() => true, () => false)) {
  console.error('SKIPPED: casync is not installed (apt-get install casync): nothing here was proved')
  t.pass('casync is not installed: skipped')
  process.exit(0)
}

const work = await mkdtemp(join(tmpdir(), 'casync-trees-'))
t.teardown(() => rm(work, { recursive: true, force: true }))
const tree = join(work, 'tree')
for (const name of ['', 'deep', 'deep/er', 'many', 'empty']) await mkdir(join(tree, name))
for (let i = 0; i < 500; i++) await writeFile(join(tree, 'many', `file ${i}`), 'x'.repeat(i))
await writeFile(join(tree, 'deep/er/large'), Buffer.alloc(3_000_000, 'rope'))
await writeFile(Buffer.concat([Buffer.from(join(tree, 'deep/')), Buffer.of(0xff, 0x27)]), 'a name that is no UTF-8')
await writeFile(join(tree, 'many/.caexclude'), '*9\n!file 99\n')
await symlink('../nowhere', join(tree, 'deep/link'))
await run('mkfifo', [join(tree, 'pipe')])
// Not before 1970: casync makes such archives, and cannot extract its own.
await run('touch', ['-h', '-d', '1999-12-31T23:59:59.123456789Z', join(tree, 'deep/link'), join(tree, 'deep/er/large')])
for (const [program, args] of [['setfattr', ['-n', 'user.rope', '-v', '0x00ff']], ['setfacl', ['-m', 'u:1:r,g:2:w']]] as const) {
  await run(program, [...args, join(tree, 'many/file 1')]).catch(() => t.comment(`no ${program} here`))
}

async function ours (root: string, options: readonly string[]): Promise<Buffer> {
  const pieces = []
  const items = readTree(root, { excludeFile: '.caexclude', excludeNodump: true })
  for await (const bytes of encodeArchive({ features: featuresOf(options) })(items)) pieces.push(bytes)
  return Buffer.concat(pieces)
}

for (const options of [[], ['--with=unix'], ['--with=fat'], ['--with=fuse'], ['--with=privileged'], ['--without=acl', '--without=xattrs']]) {
  t.test(`${options.join(' ') || 'everything'}: the same archive, extracted by either, has the same digest`, async t => {
    const theirs = join(work, 'theirs.catar')
    const digest = (await run('casync', ['make', ...options, theirs, tree])).stdout.trim()
    const archive = await ours(tree, options)
    t.ok((await readFile(theirs)).equals(archive), `${archive.length} bytes`)
    t.equal(createHash('sha512-256').update(archive).digest('hex'), digest)

    await writeTree(decodeArchive()([await readFile(theirs)]), join(work, 'one'))
    t.equal((await run('casync', ['digest', ...options, join(work, 'one')])).stdout.trim(), digest, 'we extract theirs')
    await writeFile(join(work, 'ours.catar'), archive)
    await run('casync', ['extract', ...options, join(work, 'ours.catar'), join(work, 'two')])
    t.ok((await ours(join(work, 'two'), options)).equals(archive), 'casync extracts ours')
    for (const name of ['one', 'two']) await rm(join(work, name), { recursive: true })
  })
}
