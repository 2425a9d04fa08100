import { lchownSync } from 'node:fs'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { folder, run } from './processes.ts'

const SOMEBODY = 65_534

t.test('P6: settings and tokens are not read through a link that another user has made, and nothing of what it leads to is said', { skip: process.geteuid?.() !== 0 && 'only root can give a link away' }, async t => {
  const [state, path] = [await folder(t), await folder(t)]
  const [secret, settings, token] = [join(path, 'secret'), join(path, 'settings.toml'), join(path, 'token')]
  await writeFile(secret, 'PRIVATE')
  await writeFile(settings, '[serve]\nlisten = "127.0.0.1:0"\n')
  await writeFile(token, 'a.b.c')
  const link = async (target: string, owner: number): Promise<string> => {
    const at = join(path, `link-${owner}-${target.slice(path.length + 1)}`)
    await symlink(target, at)
    lchownSync(at, owner, owner)
    return at
  }
  for (const [target, command] of [[settings, ['config', 'show', '--config']], [token, ['upload', secret, '--to', 'unix:nothing', '--token']]] as const) {
    const foreign = await run([...command, await link(target, SOMEBODY)], { state })
    t.not(foreign.code, 0)
    t.match(foreign.stdout + foreign.stderr, /a link that another user has made: 65534, not 0/)
    const own = await run([...command, await link(target, 0)], { state })
    t.notMatch(own.stdout + own.stderr, /another user/, 'our own are followed')
  }
  const { stdout, stderr } = await run(['config', 'show', '--config', await link(secret, SOMEBODY)], { state })
  t.notMatch(stdout + stderr, /PRIVATE/)
})
