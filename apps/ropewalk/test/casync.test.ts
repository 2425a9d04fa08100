import { mkdir, readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { BLOB, casync, chunkFiles, fakeSsh, makeBlob, noise, sha512, withEnv } from './casync-scene.ts'
import { Command, factsOf, folder, run } from './processes.ts'

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
  // What is young is spared, for whoever makes an index meanwhile.
  for (const path of before) await utimes(path, 1000, 1000)
  t.match((await casync(at, ['gc', '--younger-than=60000000', 'a.caibx'])).fact('collected'), { removed: 0 })
  const dry = await casync(at, ['gc', '-n', 'a.caibx'])
  t.match(dry.fact('collected'), { dry_run: true })
  t.equal(factsOf(dry.stdout, 'unused').length, dry.fact('collected')['removed'])
  t.same(await chunkFiles(join(at, 'default.castr')), before)
  t.ok(Number((await casync(at, ['gc', 'a.caibx'])).fact('collected')['removed']) > 0)
  t.same((await chunkFiles(join(at, 'default.castr'))).map(path => path.slice(-70)), (await chunkFiles(join(at, 'library.castr'))).map(path => path.slice(-70)))
  t.equal((await casync(at, ['gc', 'a.caibx', 'none.caibx'])).code, 1, 'an index that cannot be read removes nothing')
  t.same((await chunkFiles(join(at, 'default.castr'))).length, (await chunkFiles(join(at, 'library.castr'))).length)
})

t.test('a tree is made, listed, extracted and pulled; its archive is the same from wherever', async t => {
  const at = await folder(t)
  await mkdir(join(at, 'tree', 'a b'), { recursive: true })
  await writeFile(join(at, 'tree', 'a b', 'file'), noise('tree', 300_000), { mode: 0o640 })
  await symlink('a b/file', join(at, 'tree', 'link'))
  const digest = (await casync(at, ['digest', '--with=unix', 'tree'])).fact('digest')['digest']
  for (const name of ['t.caidx', 't.catar']) t.match((await casync(at, ['make', '--with=unix', name, 'tree'])).fact('made'), { digest }, name)
  const listed = await run(['casync', 'list', 't.caidx'], { state: at, cwd: at })
  t.match(listed.stdout.split('\n').slice(1), ['drwxr-xr-x a\\040b', '-rw-r----- a\\040b/file', 'lrwxrwxrwx link', ''], 'as casync lists it')
  const mtree = await run(['casync', 'mtree', 't.catar'], { state: at, cwd: at })
  t.match(mtree.stdout, new RegExp(`type=file mode=0640 size=300000 .* sha512256digest=${sha512(noise('tree', 300_000))}\\n`))

  t.match((await casync(at, ['extract', 't.caidx', 'out'])).fact('extracted'), { nodes: 4 })
  t.match((await casync(at, ['digest', '--with=unix', 'out'])).fact('digest'), { digest })
  await writeFile(join(at, 'out', 'more'), 'x')
  await casync(at, ['extract', 't.catar', 'out'])
  t.match((await casync(at, ['digest', '--with=unix', 'out'])).fact('digest'), { digest }, 'what was there is exchanged')
  await withEnv(await fakeSsh(at), async () => {
    t.equal((await casync(at, ['extract', `host:${at}/t.caidx`, 'far'])).code, 0)
    t.equal((await casync(at, ['make', '--with=unix', `host:${at}/u.catar`, 'tree'])).code, 0)
  })
  t.match((await casync(at, ['digest', '--with=unix', 'far'])).fact('digest'), { digest })
  t.ok((await readFile(join(at, 't.catar'))).equals(await readFile(join(at, 'u.catar'))))
  t.same((await readdir(at)).filter(name => name.startsWith('.#')), [])
  t.match(await casync(at, ['make', '--with=nothing', 'x.catar', 'tree']), { code: 2, stderr: /nothing/ })
})

t.test('what a seed has is in its place once the seed was read, and stays for the next run', async t => {
  const at = await folder(t)
  await writeFile(join(at, 'blob'), BLOB)
  await casync(at, ['make', '--chunk-size=1K:4K:16K', 'a.caibx', 'blob'])
  await writeFile(join(at, 'older'), BLOB.subarray(500_000))
  const args = ['extract', 'a.caibx', 'out']
  const { from } = (await casync(at, ['extract', 'a.caibx', 'whole', '--seed=older'])).fact('extracted') as unknown as { from: Record<string, number> }
  t.ok(Number(from['seed']) > 300 && Number(from['store']) > 50, `more than are looked for at a time: ${JSON.stringify(from)}`)
  t.match(await casync(at, [...args, '--seed=older', '--store=nothing.castr']), { code: 1, stderr: /ERR_CHUNK_MISSING/ }, 'what comes first is nowhere')
  await rm(join(at, 'older'))
  const next = (await casync(at, args)).fact('extracted') as unknown as { from: Record<string, number> }
  t.ok(Number(next.from['resumed']) > 300, `${next.from['resumed']} chunks from before`)
  t.equal(next.from['store'], from['store'], 'and no more from the store')
  t.ok(BLOB.equals(await readFile(join(at, 'out'))))
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

t.test('an index that is cut short ends an extraction that has begun, and makes nothing', async t => {
  const at = await folder(t)
  await makeBlob(BLOB, join(at, 'a.caibx'), join(at, 'default.castr'))
  const index = await readFile(join(at, 'a.caibx'))
  await writeFile(join(at, 'b.caibx'), index.subarray(0, -40))
  for (const inPlace of [[], ['--in-place']]) {
    t.match(await casync(at, ['extract', ...inPlace, 'b.caibx', 'out']), { code: 1, stderr: /ERR_TRUNCATED/ })
    t.notOk((await readdir(at)).includes('out'))
  }
  await writeFile(join(at, 'b.caibx'), index)
  t.equal((await casync(at, ['extract', 'b.caibx', 'out'])).code, 0)
  t.ok(BLOB.equals(await readFile(join(at, 'out'))))
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
