/** `mtree` prints what casync prints, flags of chattr too; compared with casync itself where it is installed. */
import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { casync } from './casync-scene.ts'
import { folder, run } from './processes.ts'

const tool = promisify(execFile)

t.test('flags are printed as casync prints them, those that are recorded', async t => {
  const at = await folder(t)
  await mkdir(join(at, 'tree/sub'), { recursive: true })
  await writeFile(join(at, 'tree/file'), 'text')
  await writeFile(join(at, 'tree/sub/log'), 'text')
  await symlink('file', join(at, 'tree/link'))
  const works = await tool('chattr', ['+di', join(at, 'tree/file')]).then(() => true, () => false)
  if (!works) return t.pass('no flags can be set here')
  t.teardown(async () => { await tool('chattr', ['-ai', join(at, 'tree/file'), join(at, 'tree/sub/log')]) })
  await tool('chattr', ['+a', join(at, 'tree/sub/log')])
  await tool('chattr', ['+A', join(at, 'tree/sub')])
  const mtree = async (...args: string[]): Promise<string[]> => (await run(['casync', 'mtree', ...args], { state: at, cwd: at })).stdout.trimEnd().split('\n')
  const flags = (lines: string[]): string[] => lines.map(line => `${line.split(' ')[0]} ${/flags=(\S+)/.exec(line)?.[1] ?? '-'}`)

  // As Debian's casync 2 prints them.
  const all = [
    '. nohidden,nosystem,noarchive,nosappend,nonodump,nosimmutable',
    'file nohidden,nosystem,noarchive,nosappend,nodump,simmutable',
    'link -',
    'sub nohidden,nosystem,noarchive,nosappend,nonodump,nosimmutable',
    'sub/log nohidden,nosystem,noarchive,sappend,nonodump,nosimmutable'
  ]
  t.same(flags(await mtree('--exclude-nodump=no', 'tree')), all)
  t.same(flags(await mtree('--exclude-nodump=no', '--with=flag-immutable', 'tree')), ['. nosimmutable', 'file simmutable', 'link -', 'sub nosimmutable', 'sub/log nosimmutable'].filter(line => !line.startsWith('link')))
  t.same(flags(await mtree('--with=unix', 'tree')).filter(line => !line.endsWith(' -')), [])
  for (const name of ['t.catar', 't.caidx']) {
    t.equal((await casync(at, ['make', '--exclude-nodump=no', name, 'tree'])).code, 0)
    t.same(flags(await mtree(name)), all, name)
  }
  const theirs = await tool('casync', ['mtree', '--exclude-nodump=no', 'tree'], { cwd: at }).catch(() => undefined)
  if (theirs === undefined) return t.comment('casync is not installed')
  const but = (lines: string[]): string[] => lines.filter(line => !line.startsWith('link '))
  t.same(but(await mtree('--exclude-nodump=no', 'tree')), but(theirs.stdout.trimEnd().split('\n')), 'every line but that of the link')
})
