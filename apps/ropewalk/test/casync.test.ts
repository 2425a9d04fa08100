import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { compression, fakeSsh, makeBlob, noise } from './casync-scene.ts'
import { Command, factsOf, folder, run, type Ended, type Fact } from './processes.ts'

const BLOB = Buffer.concat([noise('blob', 3_000_000), Buffer.alloc(700_000), noise('blob', 200_000)])

/** Runs `casync …` in `at` and hands out its facts. */
async function casync (at: string, args: readonly string[], input?: Uint8Array): Promise<Ended & { readonly fact: (event: string) => Fact }> {
  const ended = await run(['casync', ...args, '--json'], { state: at, cwd: at, input })
  return { ...ended, fact: event => factsOf(ended.stdout, event).at(-1) ?? { event: `no ${event}: ${ended.stdout}${ended.stderr}` } }
}

async function withEnv (env: NodeJS.ProcessEnv, work: () => Promise<void>): Promise<void> {
  const before = { ...process.env }
  Object.assign(process.env, env)
  try {
    await work()
  } finally {
    for (const name of Object.keys(env)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  }
}

function sha512 (bytes: Uint8Array): string {
  return createHash('sha512-256').update(bytes).digest('hex')
}

/** The type of a CHUNK, as it stands in its frame. */
const CHUNK_TYPE = Buffer.from('8cbc840a18dd1352', 'hex')

/** Every chunk file below a store. */
async function chunkFiles (store: string): Promise<string[]> {
  return (await readdir(store, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name)).sort()
}

t.test('a blob is made, looked at, extracted, compared and swept', async t => {
  const at = await folder(t)
  const library = await makeBlob(BLOB, join(at, 'library.caibx'), join(at, 'library.castr'))
  await writeFile(join(at, 'blob'), BLOB)
  const made = await casync(at, ['make', 'a.caibx', 'blob'])
  t.match(made.fact('made'), { size: BLOB.length, digest: sha512(BLOB) }, made.stderr)
  t.ok(library.equals(await readFile(join(at, 'a.caibx'))))
  t.match((await casync(at, ['make', 'stdin.caibx', '-'], BLOB)).fact('made'), { digest: sha512(BLOB), fresh: 0 })
  t.match((await casync(at, ['digest', 'a.caibx'])).fact('digest'), { digest: sha512(BLOB), size: BLOB.length })
  t.match((await casync(at, ['stat', 'a.caibx'])).fact('index'), { size: BLOB.length, digest: 'sha512-256', chunk_size: { min: 16384, avg: 65536, max: 262144 } })

  t.match((await casync(at, ['extract', 'a.caibx', 'out'])).fact('extracted'), { size: BLOB.length })
  t.ok(BLOB.equals(await readFile(join(at, 'out'))))
  const printed = await run(['casync', 'digest', '-'], { state: at, cwd: at, input: await readFile(join(at, 'out')) })
  t.equal(printed.stdout, `${sha512(BLOB)}\n`)

  const changed = Buffer.from(BLOB)
  changed.fill(7, 1_000_000, 1_000_010)
  await writeFile(join(at, 'changed'), changed)
  t.equal((await casync(at, ['verify', 'a.caibx', 'blob'])).code, 0)
  const differing = await casync(at, ['verify', 'a.caibx', 'changed'])
  t.equal(differing.code, 1)
  const { start, end } = differing.fact('damaged') as unknown as { start: number, end: number }
  t.ok(start <= 1_000_000 && end >= 1_000_010)
  const compared = await casync(at, ['diff', 'a.caibx', 'changed'])
  t.equal(compared.code, 1)
  t.ok(Number(compared.fact('differs')['start']) <= 1_000_000)
  t.match((await casync(at, ['diff', 'a.caibx', 'out'])).fact('compared'), { same: true })

  await casync(at, ['make', 'b.caibx', 'changed'])
  const before = await chunkFiles(join(at, 'default.castr'))
  t.match((await casync(at, ['gc', '-n', 'a.caibx'])).fact('collected'), { dry_run: true })
  t.same(await chunkFiles(join(at, 'default.castr')), before)
  t.ok(Number((await casync(at, ['gc', 'a.caibx'])).fact('collected')['removed']) > 0)
  t.same((await chunkFiles(join(at, 'default.castr'))).map(path => path.slice(-70)), (await chunkFiles(join(at, 'library.castr'))).map(path => path.slice(-70)))
  t.equal((await casync(at, ['gc', 'a.caibx', 'none.caibx'])).code, 1, 'an index that cannot be read removes nothing')
  t.same((await chunkFiles(join(at, 'default.castr'))).length, (await chunkFiles(join(at, 'library.castr'))).length)
})

t.test('seeds spare the store, and an output is exchanged when all of it is there', async t => {
  const at = await folder(t)
  await makeBlob(BLOB, join(at, 'a.caibx'), join(at, 'default.castr'))
  const older = Buffer.concat([noise('other', 50_000), BLOB.subarray(0, 2_500_000)])
  await writeFile(join(at, 'older'), older)
  const { fetched, from } = (await casync(at, ['extract', '--seed=older', 'a.caibx', 'out'])).fact('extracted') as unknown as { fetched: number, from: Record<string, number> }
  t.ok(Number(from['seed']) > 20 && fetched < 1_500_000, `${fetched} bytes from the store`)
  t.ok(BLOB.equals(await readFile(join(at, 'out'))))

  await writeFile(join(at, 'out'), older, { mode: 0o640 })
  const again = (await casync(at, ['extract', 'a.caibx', 'out'])).fact('extracted') as unknown as { from: Record<string, number> }
  t.ok(Number(again.from['seed']) > 20, 'what is there is a seed')
  t.ok(BLOB.equals(await readFile(join(at, 'out'))))
  await writeFile(join(at, 'out'), BLOB.subarray(0, 1_000_000))
  const placed = (await casync(at, ['extract', '--in-place', 'a.caibx', 'out'])).fact('extracted') as unknown as { from: Record<string, number> }
  t.ok(Number(placed.from['existing']) > 5, 'and in place, it stays')
  t.ok(BLOB.equals(await readFile(join(at, 'out'))))

  const files = await chunkFiles(join(at, 'default.castr'))
  await rm(files[0] as string)
  await writeFile(join(at, 'out'), 'as it was')
  const failed = await casync(at, ['extract', 'a.caibx', 'out'])
  t.match(failed, { code: 1, stderr: /ERR_CHUNK_MISSING[^]*--extra-store/ })
  t.equal(await readFile(join(at, 'out'), 'utf8'), 'as it was')
})

t.test('who is killed goes on where he was: no chunk is fetched twice', async t => {
  const at = await folder(t)
  await makeBlob(BLOB.subarray(0, 3_000_000), join(at, 'a.caibx'), join(at, 'default.castr'))
  const total = (await chunkFiles(join(at, 'default.castr'))).length
  const asked: string[] = []
  let answers = 10
  const full = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    const name = request.url as string
    if (name.endsWith('.cacnk')) {
      asked.push(name)
      // Those behind are asked for only when these are in their places.
      if (asked.length === Math.min(total, 10 + 64) || asked.length === total) full.resolve()
      if (answers-- <= 0) return
    }
    readFile(join(at, name)).then(bytes => response.end(bytes), () => response.writeHead(404).end())
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.caibx`

  const first = new Command(['casync', 'extract', url, 'out', '--json'], { state: at, cwd: at })
  await full.promise
  const noted = join(at, '.#out.part', 'journal')
  await first.until(({ stdout }) => stdout.includes('"writing"'))
  while ((await stat(noted)).size < 64 + 10 * 8) await new Promise(resolve => { setImmediate(resolve) })
  first.kill('SIGKILL')
  await first.ended
  t.equal((await stat(join(at, 'out')).catch(() => undefined)), undefined, 'nothing under its name yet')

  const before = asked.splice(0)
  answers = Infinity
  const second = await casync(at, ['extract', url, 'out'])
  t.match(second.fact('extracted'), { from: { resumed: 10 } }, second.stderr)
  t.same(asked.filter(name => before.slice(0, 10).includes(name)), [])
  t.equal(asked.length, total - 10)
  t.ok(BLOB.subarray(0, 3_000_000).equals(await readFile(join(at, 'out'))))
  t.same((await readdir(at)).filter(name => name.startsWith('.#')), [], 'and nothing is left over')
})

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
  for (const verb of ['make', 'extract', 'pull', 'push', 'serve', 'digest', 'stat', 'verify', 'diff', 'gc']) {
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
