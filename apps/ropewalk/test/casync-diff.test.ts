/** Trees that are compared by path. */
import { execFile } from 'node:child_process'
import { chmod, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { casync } from './casync-scene.ts'
import { factsOf, folder, run } from './processes.ts'

const tool = promisify(execFile)

t.test('two trees differ by path, and in what', async t => {
  const at = await folder(t)
  await mkdir(join(at, 'a/sub'), { recursive: true })
  for (const name of ['content', 'gone', 'mode', 'time', 'type', 'sub/same', 'sub.txt', 'xattr']) await writeFile(join(at, 'a', name), 'before')
  await symlink('here', join(at, 'a/link'))
  await tool('cp', ['-a', join(at, 'a'), join(at, 'b')])
  t.match((await casync(at, ['diff', 'a', 'b'])).fact('compared'), { same: true, differing: 0 })

  await casync(at, ['make', '--with=unix', 'a.catar', 'a'])
  await casync(at, ['make', 'a.caidx', 'a'])
  await writeFile(join(at, 'b/content'), 'behind')
  await tool('touch', ['-r', join(at, 'a/content'), join(at, 'b/content')])
  await rm(join(at, 'b/gone'))
  await writeFile(join(at, 'b/sub/new'), '')
  await chmod(join(at, 'b/mode'), 0o600)
  await utimes(join(at, 'b/time'), 1, 1)
  await rm(join(at, 'b/type'))
  await mkdir(join(at, 'b/type'))
  await rm(join(at, 'b/link'))
  await symlink('there', join(at, 'b/link'))
  const xattrs = await tool('setfattr', ['-n', 'user.rope', '-v', 'laid', join(at, 'b/xattr')]).then(() => true, () => false)
  for (const name of ['', 'sub', 'link']) await tool('touch', ['-h', '-r', join(at, 'a', name), join(at, 'b', name)])
  const wanted = [
    ['changed', 'content', ['content']], ['removed', 'gone', []], ['changed', 'link', ['target']], ['changed', 'mode', ['mode']],
    ['added', 'sub/new', []], ['changed', 'time', ['time']], ['changed', 'type', ['type']], ...(xattrs ? [['changed', 'xattr', ['xattr']]] : [])
  ]
  for (const first of ['a', 'a.caidx']) {
    const { stdout, code, fact } = await casync(at, ['diff', first, 'b'])
    const found = stdout.split('\n').filter(line => /"event":"(added|removed|changed)"/.test(line)).map(line => JSON.parse(line) as { event: string, path: string, in: string[] })
    t.same(found.map(({ event, path, in: what }) => [event, path, what]), wanted, first)
    t.equal(code, 1)
    t.match(fact('compared'), { same: false, differing: wanted.length })
  }
  // In what an archive does not record, a folder does not differ from it.
  const less = await casync(at, ['diff', 'a.catar', 'b'])
  t.same(factsOf(less.stdout, 'changed').map(({ path }) => path), ['content', 'link', 'mode', 'time', 'type'])
  t.match((await casync(at, ['diff', 'a.catar', 'a'])).fact('compared'), { same: true })
  t.match((await casync(at, ['diff', 'a.catar', 'a.caidx'])).fact('compared'), { same: true }, 'seconds and nanoseconds are not compared')
  t.match((await run(['casync', 'diff', 'a.caidx', 'b'], { state: at, cwd: at })).stdout, /content\tcontent\n[^]*added\tsub\/new/)
  t.match(await casync(at, ['diff', 'a', 'b/content']), { code: 2, stderr: /a tree and a blob/ })
})
