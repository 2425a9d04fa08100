import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { facts, factsOf, folder, run, startNode, type Fact } from './processes.ts'

const ABSENT = '00000000-0000-4000-8000-000000000000'

function sha256 (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

t.test('twenty files over TLS, there and back', async t => {
  const [state, files] = [await folder(t), await folder(t)]
  const { addresses: [address = ''], stop } = await startNode(t, state)
  t.match(address, /^mdsftp\+tls:\/\/127\.0\.0\.1:\d+#sha256=[\da-f]{64}$/)

  const contents = new Map<string, Buffer>()
  for (const size of [0, 1, 2, 1000, 65_535, 65_536, 262_143, 262_144, 262_145, 1_048_576, 3_000_000, ...new Array<number>(9).fill(5000)]) {
    const path = join(files, `file ${contents.size} \u001b[31m.bin`)
    contents.set(path, randomBytes(size))
    await writeFile(path, contents.get(path) as Buffer)
  }

  const put = await run(['put', ...contents.keys(), '--to', address, '--json'], { state })
  t.equal(put.code, 0, put.stderr)
  const stored = factsOf(put.stdout, 'stored')
  t.equal(stored.length, 20)
  for (const { name, size, sha256: digest } of stored) {
    const content = contents.get(String(name)) as Buffer
    t.same({ size, digest }, { size: content.length, digest: sha256(content) })
  }

  const out = join(files, 'out')
  const ids = stored.map(({ id }) => String(id))
  const get = await run(['get', ...ids, '--from', address, '-o', `${out}/`, '--json'], { state })
  t.equal(get.code, 0, get.stderr)
  t.same((await readdir(out)).sort(), ids.toSorted(), 'nothing but the files is left')
  for (const { id, name } of stored) t.ok((await readFile(join(out, String(id)))).equals(contents.get(String(name)) as Buffer))

  const plain = await run(['put', ...contents.keys(), '--to', address], { state })
  t.equal(plain.code, 0)
  t.equal(plain.stdout.split('\n').filter(line => /^[\da-f-]{36}\t\d+\t[\da-f]{64}\t.+ \\x1b\[31m\.bin$/.test(line)).length, 20)
  t.notMatch(plain.stdout + plain.stderr, /\u001b/, 'no escape sequence of a name or of ours in a pipe')
  t.match(plain.stderr, /\n20 files, [\d.]+ MiB in /)

  t.equal((await stop('SIGTERM')).code, 0)
})

t.test('what goes wrong has its exit code, and takes nothing else with it', async t => {
  const [state, files] = [await folder(t), await folder(t)]
  const { addresses: [address = ''] } = await startNode(t, state)
  const path = join(files, 'a.txt')
  await writeFile(path, 'content')
  const stored = factsOf((await run(['put', path, '--to', address, '--json'], { state })).stdout, 'stored')[0] as Fact
  const id = String(stored['id'])

  const some = await run(['put', path, join(files, 'absent'), files, '--to', address], { state })
  t.equal(some.code, 1)
  t.match(some.stderr, /^failed .*absent: no such file or directory \(ERR_FILE\)$/m)
  t.match(some.stderr, /^failed .*: is a directory \(ERR_NOT_A_FILE\)$/m)
  t.match(some.stderr, /^1 file, 7 B in .*; 2 failed$/m)
  t.match(some.stdout, /^[^\n]+a\.txt\n$/)

  t.equal((await run(['stat', id, '--at', address], { state })).stdout, `${id}\t7\n`)
  t.equal((await run(['stat', id.replaceAll('-', ''), '--at', address, '--json'], { state })).stdout, `{"event":"found","id":"${id}","size":7}\n`)

  for (const args of [['stat', '--at'], ['get', '--from'], ['rm', '--at']] as const) {
    const absent = await run([args[0], id, ABSENT, args[1], address, ...args[0] === 'get' ? ['-o', files] : []], { state })
    t.equal(absent.code, 4, args[0])
    t.match(absent.stderr, ABSENT)
    t.match(absent.stdout, id, 'the other one was there')
  }
  t.equal((await run(['stat', id, '--at', address], { state })).code, 4, 'removed')
  t.equal(await readFile(join(files, id), 'utf8'), 'content')
})

t.test('wrong usage is 2, and says what would be right', async t => {
  const state = await folder(t)
  const cases: ReadonlyArray<readonly [string[], RegExp]> = [
    [['put'], /name a file; or say --resume/],
    [['put', 'x', '--concurency', '3'], /Did you mean --concurrency\?/],
    [['gte', 'x'], /unknown command/],
    [['put', 'x', '--concurrency', '0'], /A number from 1 to 256/],
    [['put', 'x', '--to', 'mdsftp+tls://h:1x'], /\n {2}mdsftp\+tls:\/\/h:1x\n {18}\^\n/],
    [['put', 'x', '--to', 'mdsftp+tcp://example.org'], /--allow-plaintext/],
    [['put', '-', '-'], /only once/],
    [['put', 'x', '--to', 'mdsftp+tcp://localhost:1,mdsftp+tcp://localhost:1'], /named twice/],
    [['put', 'x', 'y', '-o', 'z'], /2 manifests need a directory/],
    [['put', 'x', '--retry-for', 'soon'], /number of seconds/],
    [['get', ABSENT, '--resume', '-o', '-'], /cannot be gone on with/],
    [['verify'], /name an id with its SHA-256/],
    [['get', 'holiday.mov'], /UUID/],
    [['get', ABSENT, ABSENT, '-o', '-'], /one object, not 2/],
    [['get', ABSENT, ABSENT, '-o', 'file'], /end with \//],
    [['get', ABSENT, '--range', '5-2'], /The range ends at 2 <= 5/],
    [['serve', '--listen', 'mdsftp+tls://0.0.0.0:0'], /--allow-anyone/],
    [['serve', '--listen', 'mdsftp+tcp://0.0.0.0:0'], /--allow-plaintext/],
    [['put', 'x', '--profile', 'sed'], /upstream, seed, seed-code/],
    [['serve', '--cert', 'x'], /go together/],
    [['serve', '--chunks-push'], /--chunks-push goes with --chunks DIRECTORY/],
    [['serve', '--ipc-audience', 'x'], /--ipc-audience goes with --ipc,/],
    [['serve', '--swarm-key', 'x'], /--swarm-key goes with --listen torronto/],
    [['ca', 'issue', 'nas'], /--san/],
    [['ca', 'issue', '../nas', '--san', 'nas'], /a node has a name/],
    [['ca', 'init', '--days', '0'], /from 1 to 36500/],
    [['ca', 'init', '--name', 'a"b'], /a name has/],
    [['inspect', 'ftp'], /unknown protocol/],
    [['inspect', 'mdsftp', '--profile', 'x'], /upstream, seed/]
  ]
  await Promise.all(cases.map(async ([args, message]) => {
    const { code, stderr, stdout } = await run(args, { state })
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
    t.equal(stdout, '')
  }))
})

t.test('help is 0 and fits 80 columns', async t => {
  const state = await folder(t)
  for (const args of [[], ['serve'], ['put'], ['get'], ['stat'], ['rm'], ['identity'], ['inspect'], ['verify'], ['ca'], ['ca', 'init'], ['ca', 'issue']]) {
    const { code, stdout } = await run([...args, '--help'], { state })
    t.equal(code, 0)
    t.match(stdout, /Examples:\n {2}.+\n {2}.+\n[^]*Exit codes:/)
    t.same(stdout.split('\n').filter(line => line.length > 80), [], args.join(' '))
  }
})

t.test('part of a file, standard output, and the expected digest', async t => {
  const [state, files] = [await folder(t), await folder(t)]
  const { addresses: [address = ''] } = await startNode(t, state)
  const content = randomBytes(700_000)
  const put = await run(['put', '-', '--to', address, '--json'], { state, input: content })
  t.match(factsOf(put.stdout, 'stored'), [{ name: '-', size: 700_000, sha256: sha256(content) }])
  const id = String(factsOf(put.stdout, 'stored')[0]?.['id'])
  t.same(await readdir(join(state, 'spool')), [], 'nothing spooled is left')

  const get = async (...args: string[]): Promise<Awaited<ReturnType<typeof run>>> => await run(['get', id, '--from', address, ...args], { state, cwd: files })
  const part = await get('-o', 'part', '--range', '300000-300010', '--json')
  t.equal(part.code, 0, part.stderr)
  t.ok((await readFile(join(files, 'part'))).equals(content.subarray(300_000, 300_010)))
  t.match(factsOf(part.stdout, 'received'), [{ size: 10, sha256: sha256(content.subarray(300_000, 300_010)) }])
  t.equal((await get('-o', 'tail', '--range', '699999-')).code, 0)
  t.ok((await readFile(join(files, 'tail'))).equals(content.subarray(699_999)))
  t.equal((await get('-o', 'x', '--range', '700001-')).code, 1)

  const whole = await get('-o', '-', '--json')
  t.equal(sha256(Buffer.from(whole.stdout, 'utf8')), sha256(Buffer.from(content.toString('utf8'))))
  t.match(factsOf(whole.stderr, 'received'), [{ path: null }], 'results make way for data')

  const wrong = await get('-o', 'wrong', '--expect', '0'.repeat(64))
  t.equal(wrong.code, 1)
  t.match(wrong.stderr, /ERR_DIGEST/)
  t.equal((await get('-o', 'right', '--expect', sha256(content))).code, 0)
  t.equal((await get('-o', 'right')).code, 1, 'nothing is overwritten')
  t.match((await get('-o', 'right')).stderr, /--force/)
  t.equal((await get('-o', 'right', '--force', '--range', '0-5')).code, 0)
  t.same((await readdir(files)).sort(), ['part', 'right', 'tail'], 'what failed has left nothing')
  t.equal((await readFile(join(files, 'right'))).length, 5)

  const limited = await run(['put', '-', '--to', address, '--spool-limit', '600K'], { state, input: content })
  t.equal(limited.code, 1)
  t.match(limited.stderr, /ERR_SPOOL_LIMIT/)
})

t.test('a node is trusted by its key and nothing else', async t => {
  const [mine, theirs, files] = [await folder(t), await folder(t), await folder(t)]
  const node = await startNode(t, theirs)
  const [address = ''] = node.addresses
  const bare = address.replace(/#.*/, '')
  const fingerprint = address.replace(/.*=/, '')
  const wrong = `${bare}#sha256=${'0'.repeat(64)}`

  t.equal((await run(['stat', ABSENT, '--at', address], { state: mine })).code, 4, 'pinned')
  const refused = await run(['stat', ABSENT, '--at', wrong, '--trust'], { state: mine })
  t.equal(refused.code, 3, 'another key than the one in the address')
  t.match(refused.stderr, new RegExp(`sha256=${fingerprint}`))

  const unknown = await run(['stat', ABSENT, '--at', bare], { state: mine })
  t.equal(unknown.code, 3, 'nobody said which key')
  t.match(unknown.stderr, address, 'it says which address to use')
  t.equal((await run(['stat', ABSENT, '--at', bare], { state: theirs })).code, 4, 'a node of the same user')

  t.equal((await run(['stat', ABSENT, '--at', bare, '--trust'], { state: mine })).code, 4)
  t.equal((await run(['stat', ABSENT, '--at', bare], { state: mine })).code, 4, 'kept')
  t.equal((await node.stop('SIGTERM')).code, 0)

  const other = await startNode(t, await folder(t), ['--listen', bare])
  const impostor = await run(['stat', ABSENT, '--at', bare, '--trust'], { state: mine })
  t.equal(impostor.code, 3, 'another key than the one kept, whatever is said')
  t.match(impostor.stderr, /has another key/)
  await other.stop('SIGTERM')

  const nobody = await run(['put', join(files, 'x'), '--to', bare], { state: mine })
  t.equal(nobody.code, 3)
  t.match(nobody.stderr, /Nobody listens/)
})

t.test('a node serves only whom it allows', async t => {
  const [server, friend, stranger] = [await folder(t), await folder(t), await folder(t)]
  const identity = facts((await run(['identity', '--json'], { state: friend })).stdout)[0] as Fact
  const { addresses: [address = ''] } = await startNode(t, server, ['--listen', 'mdsftp+tls://127.0.0.1:0', '--allow', `sha256=${String(identity['sha256'])}`])
  t.equal((await run(['stat', ABSENT, '--at', address], { state: friend })).code, 4)
  t.equal((await run(['stat', ABSENT, '--at', address], { state: stranger })).code, 1)
})

t.test('several listeners, and one store for all', async t => {
  const [state, files] = [await folder(t), await folder(t)]
  await mkdir(join(files, 'run'))
  const socket = join(files, 'run', 's')
  const { addresses, stop } = await startNode(t, state, ['--listen', 'mdsftp+tcp://127.0.0.1:0', '--listen', `mdsftp+unix:${socket}`, '--store', join(files, 'store')])
  const [tcp = '', unix = ''] = addresses
  t.equal(unix, `mdsftp+unix:${socket}`)
  const put = await run(['put', '-', '--to', tcp, '--json'], { state, input: 'hello' })
  const id = String(factsOf(put.stdout, 'stored')[0]?.['id'])
  t.equal((await run(['get', id, '--from', unix, '-o', '-'], { state })).stdout, 'hello')

  const second = await run(['serve', '--listen', 'mdsftp+tls://127.0.0.1:0', '--store', join(files, 'store')], { state })
  t.equal(second.code, 1)
  t.match(second.stderr, /another node has this store open/)
  t.equal((await stop('SIGINT')).code, 0)
})
