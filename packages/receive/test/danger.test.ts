import t from 'tap'
import { readdir } from 'node:fs/promises'
import { dangerOf } from '../src/index.ts'
import { makeFolder, text, tree } from './folder.ts'

t.test('P11: names that something runs or trusts unasked are known, wherever below the root and in any case', async t => {
  for (const [name, pattern] of [
    ['.ssh/authorized_keys', '.ssh'],
    ['.SSH/rc', '.ssh'],
    ['home/me/.ssh/config', '.ssh'],
    ['authorized_keys2', 'authorized_keys*'],
    ['.bashrc', '.bashrc'],
    ['a/b/c/.zshenv', '.zshenv'],
    ['.Profile', '.profile'],
    ['.config/autostart/x.desktop', '.config/autostart'],
    ['.config/systemd/user/x.service', '.config/systemd'],
    ['Library/LaunchAgents/x.plist', 'library/launchagents'],
    ['AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup/x.bat', 'start menu/programs/startup'],
    ['project/.git/hooks/post-checkout', '.git/hooks'],
    ['\uff0ebashrc', '.bashrc']
  ] as const) t.equal(dangerOf('/srv/inbox', name), pattern, name)
  for (const name of ['notes.txt', 'ssh/authorized', 'bashrc', 'a.ssh', 'config/autostart', '.git/objects/00', '.gitignore', 'autostart/x.desktop']) t.equal(dangerOf('/srv/inbox', name), undefined, name)
})

t.test('P11: the folders that the root lies in count, its own name alone does not', async t => {
  t.equal(dangerOf('/home/me/.config', 'autostart/x.desktop'), '.config/autostart')
  t.equal(dangerOf('/home/me/.git', 'hooks/pre-commit'), '.git/hooks')
  t.equal(dangerOf('/home/me/.ssh', 'notes.txt'), undefined)
  t.equal(dangerOf('C:\\Users\\me\\.config', 'autostart/x'), '.config/autostart')
})

t.test('P11: a link that could stand for a part of such a name is one, whatever lies behind it', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open({ links: 'any' })
  for (const name of ['.git', 'a/.config', '.Local/Share', 'start menu/programs', 'x/.hg']) await t.rejects(async () => receiver.link(name, 'x'), { code: 'ERR_DANGEROUS' }, name)
  for (const name of ['.gitx', 'git', 'hooks', 'share', 'a/.config2', 'programs']) await receiver.link(name, 'x')
  const told = await open({ links: 'any', dangerous: 'allow' })
  await told.link('.git', 'x')
  t.match(await readdir(root), ['.git', '.gitx'])
})

t.test('P11: a receiver refuses them, files, folders and links alike, until somebody has consented', async t => {
  const { root, open } = await makeFolder(t)
  const careful = await open({ links: 'any' })
  const transfer = await careful.transfer('t')
  for (const attempt of [
    async () => careful.file('.ssh/authorized_keys'),
    async () => careful.directory('.ssh'),
    async () => careful.link('.bashrc', 'x'),
    async () => transfer.file('a/.profile'),
    async () => transfer.directory('.config/autostart'),
    async () => transfer.link('.zshrc', 'x')
  ]) await t.rejects(async () => { await attempt() }, { code: 'ERR_DANGEROUS', remote: true })
  await transfer.discard()
  t.same(await tree(root), [])
  const told = await open({ dangerous: 'allow' })
  const writer = await told.file('.ssh/authorized_keys')
  await writer.write(text('key'))
  await writer.finish()
  t.same(await readdir(`${root}/.ssh`), ['authorized_keys'])
})
