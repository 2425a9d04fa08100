import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { BLOB, casync, CHUNK_TYPE, chunkFiles, compression, fakeSsh, makeBlob, sha512, withEnv } from './casync-scene.ts'
import { Command, factsOf, folder, run } from './processes.ts'

t.test('through ssh: extract, make, pull and push, with our own helper at the other end', async t => {
  const at = await folder(t)
  await makeBlob(BLOB, join(at, 'a.caibx'), join(at, 'default.castr'))
  await writeFile(join(at, 'blob'), BLOB)
  await mkdir(join(at, 'there'))
  await mkdir(join(at, 'here'))
  await withEnv(await fakeSsh(at), async () => {
    t.match((await casync(at, ['extract', '--rate-limit-bps=1G', `me@host:${at}/a.caibx`, 'out'])).fact('extracted'), { size: BLOB.length })
    t.ok(BLOB.equals(await readFile(join(at, 'out'))))
    t.match((await readFile(join(at, 'ssh.log'), 'utf8')), `-T -- me@host ${process.execPath} '--conditions=@ropewalk/source'`)
    t.match((await readFile(join(at, 'ssh.log'), 'utf8')), ` '--rate-limit-bps=1073741824' pull - - ${at}/a.caibx ${at}/default.castr\n`)

    const made = await casync(at, ['make', `host:${at}/there/m.caibx`, 'blob'])
    t.match(made.fact('made'), { digest: sha512(BLOB) }, made.stderr)
    t.ok((await readFile(join(at, 'a.caibx'))).equals(await readFile(join(at, 'there', 'm.caibx'))))
    t.match((await casync(at, ['pull', `host:${at}/there/m.caibx`, 'here/'])).fact('pulled'), { path: 'here/m.caibx' })
    t.equal((await casync(at, ['verify', 'here/m.caibx'])).code, 0)
    t.match((await casync(at, ['push', 'here/m.caibx', `host:${at}/there/p.caibx`])).fact('pushed'), { chunks: 0 }, 'they are there already')
    t.ok((await readdir(join(at, 'there'))).includes('p.caibx'))

    t.match(await casync(at, ['extract', `host:${at}/none.caibx`, 'x']), { code: 1, stderr: /ERR_ABORTED/ })
    t.match(await casync(at, ['extract', '--', '-oProxyCommand=x:/a.caibx', 'x']), { code: 2 })
    t.match(await casync(at, ['make', '--store=other:/x', `host:${at}/q.caibx`, 'blob']), { code: 2, stderr: /same host/ })
  })
  await withEnv({ CASYNC_SSH_PATH: '/nonexistent/ssh' }, async () => { t.match(await casync(at, ['extract', 'host:/a.caibx', 'x']), { code: 3, stderr: /ERR_UNREACHABLE/ }) })
})

t.test('what is damaged is found, named, taken from another store and replaced', async t => {
  const at = await folder(t)
  await makeBlob(BLOB, join(at, 'a.caibx'), join(at, 'default.castr'))
  await makeBlob(BLOB, join(at, 'b.caibx'), join(at, 'good.castr'))
  const [flipped = '', cut = '', bomb = ''] = await chunkFiles(join(at, 'default.castr'))
  const bytes = await readFile(flipped)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 9) ^ 1, bytes.length - 9)
  for (const [path, content] of [[flipped, bytes], [cut, (await readFile(cut)).subarray(0, 20)], [bomb, await compression.compress(new Uint8Array(200_000_000))]] as const) {
    await rm(path)
    await writeFile(path, content)
  }
  const verified = await casync(at, ['verify', 'a.caibx'])
  t.match(verified.fact('verified'), { missing: 0, damaged: 3 }, verified.stderr)
  t.same(new Set(factsOf(verified.stdout, 'damaged').map(({ chunk }) => chunk)), new Set([flipped, cut, bomb].map(path => path.slice(-70, -6))))
  t.ok(Number(verified.fact('verified')['peak_memory']) < 400 * 1024 ** 2, 'a bomb costs no memory')
  t.match(await casync(at, ['extract', 'a.caibx', 'out']), { code: 1, stderr: /ERR_CHUNK_(DAMAGED|SIZE)/ })
  const healed = await casync(at, ['extract', '--extra-store=good.castr', 'a.caibx', 'out'])
  t.equal(factsOf(healed.stdout, 'trouble').length >= 2, true, healed.stderr)
  t.ok(BLOB.equals(await readFile(join(at, 'out'))))
})

t.test('hostile servers end a pull with a code, and leave no output', async t => {
  const at = await folder(t)
  const sessions = JSON.parse(await readFile(new URL('../../../fixtures/casync/sessions.json', import.meta.url), 'utf8')) as Array<{ name: string, s2c: string[] }>
  const stream = async (name: string): Promise<Buffer> => Buffer.concat(await Promise.all((sessions.find(session => session.name === name)?.s2c ?? []).map(async part => part.startsWith('@') ? await readFile(new URL(`../../../fixtures/casync/${part.slice(1)}`, import.meta.url)) : Buffer.from(part, 'hex'))))
  const hostile: Array<[string, RegExp, Buffer]> = [
    ['a banner', /ERR_FRAME_SIZE/, Buffer.from('Welcome to this machine!\n')],
    ['nothing', /ERR_INTERRUPTED/, Buffer.alloc(0)],
    ['an unknown type', /ERR_UNKNOWN_TYPE/, Buffer.from('1800000000000000eefba58c94d0713c05000000000000001000000000000000aaaaaaaaaaaaaaaa', 'hex')],
    ['a frame of an exabyte', /ERR_FRAME_SIZE/, Buffer.from('1800000000000000eefba58c94d0713c05000000000000000000000000000010f8273e2bdd912ab3', 'hex')],
    ...await Promise.all(([
      ['client-casync-bomb', /ERR_CHUNK_SIZE/],
      ['client-casync-chunk-unasked', /ERR_UNREQUESTED/],
      ['client-casync-wrong-content', /ERR_CHUNK_DAMAGED|ERR_CHUNK_SIZE/],
      ['client-casync-goodbye-midway', /ERR_INTERRUPTED|ERR_UNEXPECTED_MESSAGE/],
      ['client-casync-abort-plain', /ERR_ABORTED/]
    ] as Array<[string, RegExp]>).map(async ([name, code]): Promise<[string, RegExp, Buffer]> => [name, code, await stream(name)]))
  ]
  for (const [name, code, bytes] of hostile) {
    const before = bytes.indexOf(CHUNK_TYPE) < 0 ? bytes.length : bytes.indexOf(CHUNK_TYPE) - 8
    await writeFile(join(at, 'index'), bytes.subarray(0, before))
    await writeFile(join(at, 'chunks'), bytes.subarray(before))
    // What was recorded: the index at once, the chunks after a hello and the first request.
    await writeFile(join(at, 'ssh'), `#!/bin/sh\ncat '${join(at, 'index')}'\n[ -s '${join(at, 'chunks')}' ] && head -c 80 > '${join(at, 'asked')}' && cat '${join(at, 'chunks')}'\nexit 0\n`, { mode: 0o755 })
    await withEnv({ CASYNC_SSH_PATH: join(at, 'ssh') }, async () => {
      const ended = await casync(at, ['extract', 'host:/i.caibx', 'out'])
      t.match(ended, { code: 1, stderr: code }, name)
      t.equal(await stat(join(at, 'out')).catch(() => undefined), undefined, name)
    })
  }
})

t.test('a web server for chunks: what is below the root, verified, and nothing else', async t => {
  const at = await folder(t)
  const root = join(at, 'root')
  await mkdir(root)
  const index = await makeBlob(BLOB, join(root, 'a.caibx'), join(root, 'default.castr'))
  await writeFile(join(at, 'secret.caibx'), 'secret')
  const server = new Command(['casync', 'serve', '--json', '--listen', 'http://127.0.0.1:0', root], { state: at })
  t.teardown(() => { server.kill('SIGKILL') })
  await server.until(({ stdout }) => factsOf(stdout, 'listening').length === 1)
  const url = String(factsOf(server.stdout, 'listening')[0]?.['address'])

  t.match((await casync(at, ['extract', `${url}a.caibx`, 'out'])).fact('extracted'), { size: BLOB.length })
  t.ok(BLOB.equals(await readFile(join(at, 'out'))))
  const range = await fetch(`${url}a.caibx`, { headers: { range: 'bytes=48-99' } })
  t.equal(range.status, 206)
  t.ok(index.subarray(48, 100).equals(Buffer.from(await range.arrayBuffer())))
  const [chunk = '', damaged = ''] = await chunkFiles(join(root, 'default.castr'))
  t.equal((await fetch(url + chunk.slice(root.length + 1), { method: 'HEAD' })).headers.get('content-length'), String((await stat(chunk)).size))
  await rm(damaged)
  await writeFile(damaged, 'no chunk')
  for (const [path, status] of [[damaged.slice(root.length + 1), 500], ['default.castr/', 404], ['..%2fsecret.caibx', 400], ['a.caibx%00', 400], ['none.caibx', 404], ['%', 400]] as const) t.equal((await fetch(url + path)).status, status, path)
  t.equal((await fetch(`${url}a.caibx`, { method: 'PUT', body: 'x' })).status, 405)
  t.match(await casync(at, ['extract', `${url}none.caibx`, 'x']), { code: 4 })
  server.kill('SIGTERM')
  t.equal((await server.ended).code, 0)
  t.match(await casync(at, ['serve', '--listen', 'http://0.0.0.0:0', root]), { code: 2, stderr: /--allow-anyone/ })
})

t.test('every command has its help with examples, and says what is wrong with an argument', async t => {
  const at = await folder(t)
  for (const verb of ['make', 'extract', 'list', 'mtree', 'pull', 'push', 'serve', 'digest', 'stat', 'verify', 'diff', 'gc']) {
    const { code, stdout } = await run(['casync', verb, '--help'], { state: at })
    t.equal(code, 0)
    t.ok(stdout.split('\n').filter(line => line.startsWith('  ropewalk casync')).length >= 2, verb)
    t.match(stdout, /Exit codes:/)
  }
  await writeFile(join(at, 'blob'), 'x')
  for (const args of [['make', 'x.foo', 'blob'], ['make', 'x.caibx'], ['make', '--chunk-size=1Ki', 'x.caibx', 'blob'], ['make', '--digest=md5', 'x.caibx', 'blob'], ['extract', '--seed-output=maybe', 'x.caibx', 'y'], ['push', 'x.caibx', 'y.caibx']]) {
    t.equal((await casync(at, args)).code, 2, args.join(' '))
  }
})

t.test('options of casync that ours does not have are taken where they ask for what is done anyway, and refused with a reason elsewhere', async t => {
  const at = await folder(t)
  await writeFile(join(at, 'blob'), 'x')
  const usual = ['--reflink=no', '--hardlink=no', '--punch-holes=no', '--undo-immutable=no', '--uid-shift=0', '--uid-range=0', '--cache-auto=no', '-v', '--log-level=debug']
  t.equal((await casync(at, ['make', ...usual, 'x.caibx', 'blob'])).code, 0)
  t.equal((await casync(at, ['extract', ...usual, 'x.caibx', 'y'])).code, 0)
  for (const [option, word] of [['--reflink', 'cloned'], ['--hardlink=yes', 'copies'], ['--punch-holes=yes', 'zeros'], ['--undo-immutable', 'chattr'], ['--uid-shift=65536', 'owners'], ['--cache-auto', '--cache=DIRECTORY']] as const) {
    const { code, stderr } = await casync(at, ['extract', option, 'x.caibx', 'z'])
    t.equal(code, 2, option)
    t.match(stderr.toLowerCase(), word.toLowerCase())
  }
})
