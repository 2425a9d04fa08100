/** Symbolic links in what is offered: as links, where both say so, and never out of the folder that is received. */
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sendOffer, type FileInfo } from '@ropewalk/protocol-warpdrive'
import t from 'tap'
import { machine, pairOf, type Machine } from './machines.ts'
import { factsOf, type Command } from './processes.ts'
import { CONTENT, FILE, stranger } from './stranger.ts'

/** Links that stay inside, to a file, a folder, nothing and upwards; and six that lead out. */
async function makeTree (files: string): Promise<void> {
  await mkdir(join(files, 'd/sub'), { recursive: true })
  await writeFile(join(files, 'd/a'), 'a')
  for (const [name, target] of [['to-file', 'a'], ['to-folder', 'sub'], ['to-nothing', './nowhere'], ['sub/up', '../a'], ['sub/top', '..']] as const) await symlink(target, join(files, 'd', name))
  for (const [name, target] of [['absolute', '/etc/passwd'], ['out', '..'], ['sub/out', '../../secret'], ['later', 'sub/../../x'], ['self', join(files, 'd/a')]] as const) await symlink(target, join(files, 'd', name))
  await symlink(Buffer.from([0xff, 0xfe]), join(files, 'd/no-text'))
}

const INSIDE = { 'to-file': 'a', 'to-folder': 'sub', 'to-nothing': './nowhere', 'sub/up': '../a', 'sub/top': '..' }

/** Everything below a folder that is no folder, by what `of` says of it. A link is not followed, which `treeOf` would do. */
async function entriesIn<T> (folder: string, of: (path: string, isLink: boolean) => Promise<T | undefined>, below = ''): Promise<Record<string, T>> {
  const found: Record<string, T> = {}
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const name = join(below, entry.name)
    const what = await of(join(folder, name), entry.isSymbolicLink())
    if (what !== undefined) found[name] = what
    if (entry.isDirectory()) Object.assign(found, await entriesIn(folder, of, name))
  }
  return found
}

async function linksIn (folder: string): Promise<Record<string, string>> {
  return await entriesIn(folder, async (path, isLink) => isLink ? await readlink(path) : undefined)
}

async function timesIn (folder: string): Promise<Record<string, number>> {
  return await entriesIn(folder, async path => Math.trunc((await lstat(path)).mtimeMs))
}

async function offered (desk: Machine, ...what: string[]): Promise<{ readonly sending: Command, readonly id: string }> {
  const sending = desk.begin('send', ...what, 'laptop', '--wait', '--no-discover', '--json')
  await sending.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  return { sending, id: String(factsOf(sending.stdout, 'offer')[0]?.['id']) }
}

t.test('links come as links where both say --links, and those that lead out of their folder stay behind', async t => {
  const { desk, laptop } = await pairOf(t)
  await makeTree(desk.files)
  const plain = await offered(desk, 'd')
  t.match(factsOf(plain.sending.stdout, 'reading').at(-1), { left_out: 11 })
  t.match((await laptop.offers())[0], { files: 1, links: 0 })
  t.equal((await laptop.run('accept', plain.id)).code, 0)
  t.same(await linksIn(laptop.inbox), {})

  const { sending, id } = await offered(desk, 'd', '--links')
  t.match(factsOf(sending.stdout, 'reading').at(-1), { left_out: 6 })
  t.match((await laptop.offers())[1], { files: 1, links: 5, bytes: 1 })
  for (const word of ['accept', 'retry']) {
    t.match(await laptop.run(word, id, '--json'), { code: 1, stdout: '', stderr: new RegExp(`the offer has symbolic links: "d/sub/top" and 4 more \\(ERR_SYMLINK\\)\\n +"ropewalk accept ${id.slice(0, 8)} --links"`) }, word)
  }
  t.match((await laptop.offers())[1], { status: 'awaiting', done: 0 })
  t.same(await readdir(laptop.inbox), ['d'], 'nothing of it was begun')

  const accepted = await laptop.run('accept', id, '--links', '--json')
  t.equal(accepted.code, 0, accepted.stderr)
  t.match(factsOf(accepted.stdout, 'settled'), [{ status: 'completed', files: 1, links: 5, done: 1, renamed: { d: 'd 2' } }])
  t.match(await sending.ended, { code: 0 })
  t.same(await linksIn(join(laptop.inbox, 'd 2')), INSIDE)
  const [there, here] = [await timesIn(join(laptop.inbox, 'd 2')), await timesIn(join(desk.files, 'd'))]
  t.same(there, Object.fromEntries(Object.entries(here).filter(([name]) => name in there)), 'with their times')
  t.match(await desk.run('send', 'd/to-file', 'laptop', '--links', '--wait', '--no-discover'), { code: 1, stderr: /neither a file nor a folder.*\(ERR_NOT_A_FILE\)/ }, 'a link alone is in no folder')
})

t.test('nobody takes links by himself, whomever he trusts', async t => {
  const { desk, laptop } = await pairOf(t, '--auto-accept')
  t.equal((await laptop.run('trust', 'desk')).code, 0)
  await makeTree(desk.files)
  const { sending, id } = await offered(desk, 'd', '--links')
  t.equal((await desk.run('send', 'd', 'laptop', '--no-discover')).code, 0)
  await laptop.node.until(({ stdout }) => factsOf(stdout, 'offer').some(({ status }) => status === 'completed'))
  t.match(await laptop.offers(), [{ id, status: 'awaiting', links: 5 }, { status: 'completed', links: 0 }])
  t.equal((await laptop.run('accept', id, '--links')).code, 0)
  t.equal((await sending.ended).code, 0)
})

t.test('a folder of nothing but links, and one whose receiver is killed: what he has said of links holds', async t => {
  const settings = join((await machine(t, 'settings')).files, 'slow.toml')
  await writeFile(settings, '[limits]\ndown = "1M"\n')
  const { desk, laptop, address } = await pairOf(t, '--config', settings)
  await mkdir(join(desk.files, 'l'))
  await symlink('nowhere', join(desk.files, 'l/x'))
  const only = await offered(desk, 'l', '--links')
  t.equal((await laptop.run('accept', only.id, '--links')).code, 0)
  t.equal((await only.sending.ended).code, 0)
  t.same(await linksIn(laptop.inbox), { 'l/x': 'nowhere' })

  await makeTree(desk.files)
  await writeFile(join(desk.files, 'd/big'), new Uint8Array(16_777_216))
  const { sending, id } = await offered(desk, 'd', '--links')
  await laptop.begin('accept', id, '--links', '--json').until(({ stdout }) => factsOf(stdout, 'progress').length > 0)
  await laptop.stop('SIGKILL')
  // Whoever goes on holds what was said for whoever goes on after it.
  await laptop.serve('--peers', address, '--config', settings)
  await laptop.begin('accept', id, '--json').until(({ stdout }) => factsOf(stdout, 'progress').length > 0)
  await laptop.stop('SIGKILL')
  await laptop.serve('--peers', address)
  t.equal((await sending.ended).code, 0)
  t.same(await linksIn(join(laptop.inbox, 'd')), INSIDE)
})

t.test('links of a liar lead nowhere: each that would is refused by itself, and what is named below one with the offer', async t => {
  const laptop = await machine(t, 'laptop')
  await mkdir(join(laptop.files, 'beside'))
  const peer = await stranger(await laptop.serve('--anyone-may-offer'))
  t.teardown(() => { peer.close() })
  peer.answerWith([CONTENT])
  const file = (uri: string): FileInfo => ({ ...FILE, uri, path: uri })
  const link = (uri: string, target: string): FileInfo => ({ ...file(uri), size: 0, sha256: undefined, link: target })
  for (const below of [file('d/l/a'), link('d/l/b', 'x'), { ...file('d/l/c'), isDir: true, size: 0, sha256: undefined }, file('d/\u0065\u0301/a')]) {
    const [over, under] = below.uri.includes('l') ? ['d/l', below] : ['d/\u00e9', below]
    for (const list of [[link(over, '../../beside'), under], [under, link(over, '.')]]) {
      await t.rejects(sendOffer(await peer.query(), 'below', list), { code: /^ERR_(REFUSED|INTERRUPTED)$/ }, `${over} ${under.uri}`)
    }
  }
  t.same(await laptop.offers(), [])

  const bad = { 'd/absolute': '/etc/passwd', 'd/up': '..', 'd/beside': '../../beside', 'd/s/out': '../../x', 'd/later': 's/../../..', 'd/drive': 'C:/x', 'd/zero': 'a\0b', 'd/empty': '', 'alone': 'd', 'd/.git': 's', 'd/.config': 's' }
  const list = [...Object.entries(bad).map(([name, target]) => link(name, target)), link('d/good', 's'), file('d/s/a')]
  await sendOffer(await peer.query(), 'bad', list)
  t.match(await laptop.run('accept', 'bad', '--json'), { code: 1, stdout: '', stderr: /"d\/absolute" and 11 more \(ERR_SYMLINK\)/ })
  const accepted = await laptop.run('accept', 'bad', '--links', '--json')
  t.equal(accepted.code, 1)
  const failures = factsOf(accepted.stdout, 'failure')
  t.same(Object.fromEntries(failures.map(({ name, code }) => [name, code])), Object.fromEntries(Object.keys(bad).map(name => [name, /\.(git|config)$/.test(name) ? 'ERR_DANGEROUS' : 'ERR_SYMLINK'])))
  t.match(failures.find(({ name }) => name === 'd/up')?.['message'], /"d\/up" is a symbolic link to "\.\.", which leads out of its folder/)
  t.same(await linksIn(laptop.inbox), { 'd/good': 's' })
  t.equal(await readFile(join(laptop.inbox, 'd/good/a'), 'utf8'), '0123456789')
  t.same(await readdir(join(laptop.files, 'beside')), [])
})
