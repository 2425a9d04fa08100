import { chmod, mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { machine, pairOf, treeOf, type Machine } from './machines.ts'
import { factsOf } from './processes.ts'
import { MAIN } from './programs.ts'

const README = await readFile(new URL('../../../README.md', import.meta.url), 'utf8')

/** A folder with what can be in one. */
async function makePhotos (path: string): Promise<void> {
  await mkdir(join(path, 'summer/empty'), { recursive: true })
  await writeFile(join(path, 'a.jpg'), 'A'.repeat(100_000))
  await writeFile(join(path, 'summer/ü b.jpg'), 'B'.repeat(3))
  await writeFile(join(path, 'nothing'), '')
  await writeFile(join(path, 'run.sh'), '#!/bin/sh\n')
  await chmod(join(path, 'run.sh'), 0o755)
  await chmod(join(path, 'a.jpg'), 0o640)
  await symlink('/etc/passwd', join(path, 'link'))
  for (const name of ['a.jpg', 'summer/ü b.jpg', 'nothing', 'run.sh', 'summer/empty', 'summer', '.']) await utimes(join(path, name), 1_500_000_000, 1_500_000_000)
}

function withoutLinks (tree: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => name !== 'link'))
}

t.test('the four commands of the README take two machines from nothing to a received folder', async t => {
  const commands = Array.from(README.matchAll(/^(laptop|desk)\$ +(.*?)(?: +#.*)?$/gm), ([, name = '', text = '']) => ({ name, text }))
  t.equal(commands.length, 4)
  const machines: Record<string, Machine> = { desk: await machine(t, 'desk'), laptop: await machine(t, 'laptop') }
  const photos = join((machines['desk'] as Machine).files, 'photos')
  await makePhotos(photos)
  const bin = (machines['desk'] as Machine).state
  await writeFile(join(bin, 'ropewalk'), `#!/bin/sh\nexec '${process.execPath}' --conditions=@ropewalk/source '${MAIN}' "$@"\n`)
  await chmod(join(bin, 'ropewalk'), 0o755)

  const said: Record<string, string> = {}
  const ends: Array<Promise<number>> = []
  for (const [index, { name, text }] of commands.entries()) {
    const { state, files } = machines[name] as Machine
    const [code = '', address = ''] = (said['laptop'] ?? '').split('\n').at(-2)?.split('\t') ?? []
    // Where it listens must not depend on who else runs on this machine.
    const typed = text.replace('CODE', code).replace('ADDRESS', address) + (index === 0 ? ' --peers [::]:0' : '')
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`, ROPEWALK_STATE: state, ROPEWALK_NAME: name }
    const shell = spawn('sh', ['-c', `exec ${typed}`], { cwd: files, env, stdio: ['ignore', 'pipe', 'pipe'] })
    t.teardown(() => { shell.kill('SIGKILL') })
    let stderr = ''
    shell.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
    const ended = (once(shell, 'close') as Promise<[number]>).then(([code]) => code)
    shell.stdout.setEncoding('utf8').on('data', (text: string) => { said[name] = (said[name] ?? '') + text })
    // The node stays, and so does who waits: both go on when they have said what the next command needs.
    if (index === 0 || index === 2) while (!(index === 0 ? /^\d\d-\S+\t/m : /\tawaiting\t/).test(said[name] ?? '')) await once(shell.stdout, 'data')
    else t.equal(await ended, 0, stderr)
    if (index === 2) ends.push(ended)
  }
  t.same(await Promise.all(ends), [0], 'who sent knows that it has arrived')
  t.same(await treeOf((machines['laptop'] as Machine).inbox), { photos: (await treeOf(join(photos, '..')))['photos'], ...Object.fromEntries(Object.entries(withoutLinks(await treeOf(photos))).map(([name, what]) => [`photos/${name}`, what])) })
})

t.test('a folder arrives with bytes, permissions, times and empty folders; links stay behind; a second one is not mixed with the first', async t => {
  const { desk, laptop } = await pairOf(t)
  await makePhotos(join(desk.files, 'photos'))
  for (const name of ['photos', 'photos 2']) {
    const sending = desk.begin('send', 'photos', 'laptop', '--wait', '--no-discover', '--json')
    await sending.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
    const [offer] = (await laptop.offers()).filter(({ status }) => status === 'awaiting')
    t.match(offer, { incoming: true, alias: 'desk', names: ['photos'], files: 4, bytes: 100_013 })
    const accepted = await laptop.run('accept', String(offer?.['id']).slice(0, 8), '--json')
    t.equal(accepted.code, 0, accepted.stderr)
    t.match(factsOf(accepted.stdout, 'settled'), [{ status: 'completed', done: 4, directory: laptop.inbox, renamed: name === 'photos' ? {} : { photos: name } }])
    t.same(factsOf(accepted.stdout, 'finished').map(({ name }) => name).sort(), ['photos/a.jpg', 'photos/nothing', 'photos/run.sh', 'photos/summer/ü b.jpg'].sort())
    const { code, stdout, stderr } = await sending.ended
    t.equal(code, 0, stderr)
    t.match(factsOf(stdout, 'settled'), [{ status: 'completed', done: 4 }])
    t.equal(factsOf(stdout, 'finished').length, 4)
    t.same(await treeOf(join(laptop.inbox, name)), withoutLinks(await treeOf(join(desk.files, 'photos'))))
  }
})

t.test('standard input under a name, several paths, and a directory for one offer', async t => {
  const { desk, laptop } = await pairOf(t)
  await writeFile(join(desk.files, 'a.txt'), 'a')
  const sending = desk.begin('send', '--wait', '--no-discover', '--name', 'said.txt', 'a.txt', '-', 'laptop', '--json')
  sending.input('spoken')
  await sending.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  t.equal((await laptop.run('accept', 'desk', '-o', 'there')).code, 0)
  t.equal((await sending.ended).code, 0)
  t.same(await readdir(join(desk.state, 'outbox')), [], 'what was spooled is gone when it has arrived')
  t.equal(await readFile(join(laptop.files, 'there/said.txt'), 'utf8'), 'spoken')
  t.equal(await readFile(join(laptop.files, 'there/a.txt'), 'utf8'), 'a')
})

t.test('a decline ends the wait of the sender; nothing is written', async t => {
  const { desk, laptop } = await pairOf(t)
  await writeFile(join(desk.files, 'a.txt'), 'a')
  const sending = desk.begin('send', 'a.txt', 'laptop', '--wait', '--no-discover')
  await sending.until(({ stdout }) => stdout.includes('awaiting'))
  t.equal((await laptop.run('decline', 'desk')).code, 0)
  const { code, stderr } = await sending.ended
  t.equal(code, 1)
  t.match(stderr, /laptop declined the offer \(ERR_REFUSED\)/)
  t.match(await laptop.offers(), [{ status: 'rejected' }])
  t.same(Object.keys(await treeOf(laptop.files)).filter(name => name.includes('a.txt')), [])
})

t.test('auto-accept: only from peers that are trusted, and only where it is switched on', async t => {
  for (const on of [true, false]) {
    const { desk, laptop } = await pairOf(t, ...on ? ['--auto-accept'] : [])
    await writeFile(join(desk.files, 'a.txt'), 'a')
    const first = desk.begin('send', 'a.txt', 'laptop', '--wait', '--no-discover', '--json')
    await first.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
    t.match(await laptop.offers(), [{ status: 'awaiting' }], 'desk is not trusted')
    t.equal((await laptop.run('trust', 'desk')).code, 0)
    const second = desk.begin('send', 'a.txt', 'laptop', '--wait', '--no-discover', '--json')
    if (on) t.equal((await second.ended).code, 0)
    else await second.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
    t.same((await laptop.offers()).map(({ status }) => status), ['awaiting', on ? 'completed' : 'awaiting'])
  }
})

t.test('who has sent everything leaves without trouble', async t => {
  const { desk, laptop } = await pairOf(t, '--auto-accept')
  await writeFile(join(desk.files, 'a.bin'), new Uint8Array(1_048_576))
  t.equal((await laptop.run('trust', 'desk')).code, 0)
  for (let round = 0; round < 3; round++) t.equal((await desk.run('send', 'a.bin', 'laptop', '--wait', '--no-discover')).code, 0)
  t.same(factsOf((await laptop.stop()).stdout, 'trouble'), [])
})
