/**
 * Files in parts on several nodes: split, manifest, fetched in parallel, gone on with, verified; and hostile manifests. As processes
 * over real sockets.
 */
import { createHash, randomBytes } from 'node:crypto'
import { open, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseManifest, type Manifest } from '../src/parts/manifest.ts'
import { RECORD_BYTES } from '../src/parts/partial-file.ts'
import { Gate } from './gate.ts'
import { Command, factsOf, folder, run, startNode, type Ended } from './processes.ts'

const TCP = ['--listen', 'mdsftp+tcp://127.0.0.1:0']
/** Fragments that may be under way to who retrieves: 17 of 256 KiB, as the wire has it, and what frames add. */
const WINDOW = 17 * 262_144 + 65_536

function sha256 (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The manifest at `path`, and a way to write another one beside it. */
async function manifestAt (path: string): Promise<{ manifest: Manifest, rewrite: (as: string, change: (text: string) => string) => Promise<string> }> {
  const text = await readFile(path, 'utf8')
  return {
    manifest: parseManifest(text),
    rewrite: async (as, change) => {
      const changed = change(text)
      if (changed === text) throw new Error(`nothing to change for ${as}`)
      await writeFile(join(path, '..', as), changed)
      return join(path, '..', as)
    }
  }
}

async function visible (path: string): Promise<string[]> {
  return (await readdir(path)).filter(name => !name.startsWith('file') && !name.endsWith('.ropewalk')).sort()
}

t.test('a file over three nodes by the room they have, and back', async t => {
  const [one, two, three, state, files] = [await folder(t), await folder(t), await folder(t), await folder(t), await folder(t)]
  const nodes = await Promise.all([[one, '10M'], [two, '20M'], [three, '30M']].map(async ([server = '', capacity = '']) => await startNode(t, server, [...TCP, '--capacity', capacity])))
  const to = nodes.map(({ addresses: [address = ''] }) => address).join(',')
  const content = randomBytes(24 * 1_048_576 + 17)
  const path = join(files, 'file')
  await writeFile(path, content)
  const cli = async (...args: string[]): Promise<Ended> => await run(args, { state, cwd: files })

  const put = await cli('put', path, '--to', to, '--json')
  t.equal(put.code, 0, put.stderr)
  const { manifest, rewrite } = await manifestAt(join(files, 'file.ropewalk'))
  t.match(factsOf(put.stdout, 'stored'), [{ size: content.length, sha256: sha256(content), manifest: join(files, 'file.ropewalk') }])
  t.equal(manifest.sha256, sha256(content))
  t.same(manifest.parts.map(({ address }) => address), to.split(','))
  const [a = 0, b = 0, c = 0] = manifest.parts.map(({ size }) => size)
  t.ok(a < b && b < c && a >= 3_000_000, `in proportion: ${a}, ${b}, ${c} bytes`)
  for (const { offset, size, sha256: digest } of manifest.parts) t.equal(digest, sha256(content.subarray(offset, offset + size)))
  t.match(await cli('put', path, '--to', to), { code: 1, stderr: /its manifest .* exists already/ })

  t.match(await cli('get', 'file.ropewalk', '-o', 'back'), { code: 0 })
  t.ok((await readFile(join(files, 'back'))).equals(content))
  t.match(await cli('get', 'file.ropewalk', '-o', 'part', '--range', `${a - 5}-${a + b + 5}`), { code: 0 })
  t.ok((await readFile(join(files, 'part'))).equals(content.subarray(a - 5, a + b + 5)), 'from the end of one part to the beginning of another')
  const piped = await cli('get', 'file.ropewalk', '-o', '-', '--json')
  t.match(factsOf(piped.stderr, 'received'), [{ sha256: sha256(content), path: null }])
  t.match(await cli('get', 'file.ropewalk', '-o', 'back'), { code: 1, stderr: /--force/ })
  t.equal((await cli('stat', 'file.ropewalk')).stdout.split('\n').length, 4)
  t.match(await cli('verify', 'file.ropewalk'), { code: 0 })

  // The manifest says otherwise than the nodes.
  const other = manifest.parts[1]?.sha256 ?? ''
  const lying = await rewrite('lying.ropewalk', text => text.replace(other, '0'.repeat(64)))
  t.match(await cli('get', lying, '-o', 'x'), { code: 1, stderr: /part 2 of 3 has another SHA-256/ })
  t.match(await cli('verify', lying), { code: 1, stderr: /ERR_DAMAGED/ })
  const whole = await rewrite('whole.ropewalk', text => text.replace(manifest.sha256, '0'.repeat(64)))
  t.match(await cli('get', whole, '-o', 'y'), { code: 1, stderr: /ERR_DIGEST/ })
  t.same(await visible(files), ['.x.ropewalk-part', '.x.ropewalk-part.json', '.y.ropewalk-part', '.y.ropewalk-part.json', 'back', 'lying', 'part', 'whole'].filter(name => name !== 'lying' && name !== 'whole'), 'nothing that is wrong has a name')

  await nodes[2]?.stop('SIGTERM')
  t.match(await cli('put', path, '--to', to.split(',').slice(0, 2).join(','), '-o', 'second.ropewalk'), { code: 1, stderr: /ERR_NO_ROOM/ })
  await startNode(t, three, ['--listen', to.split(',')[2] ?? ''])
  t.match(await cli('rm', 'file.ropewalk'), { code: 0 })
  t.match(await cli('stat', 'file.ropewalk'), { code: 4 })
  t.match(await cli('put', path, '--to', to.split(',').slice(0, 2).join(','), '-o', 'second.ropewalk'), { code: 0 }, 'what was removed, or reserved in vain, has given its room back')
})

t.test('a get killed in mid-file goes on where it was', async t => {
  const [server, state, files] = [await folder(t), await folder(t), await folder(t)]
  const { addresses: [address = ''] } = await startNode(t, server, TCP)
  const gate = await Gate.open(t, address)
  const content = randomBytes(40_000_000)
  await writeFile(join(files, 'file'), content)
  const put = await run(['put', join(files, 'file'), '--to', address, '-o', join(files, 'file.ropewalk'), '--json'], { state })
  const id = String(factsOf(put.stdout, 'stored')[0]?.['id'])
  // Through the gate.
  await writeFile(join(files, 'gated.ropewalk'), (await readFile(join(files, 'file.ropewalk'), 'utf8')).replace(address, gate.address))

  for (const args of [['get', join(files, 'gated.ropewalk'), '-o', join(files, 'manifest')], ['get', id, '--from', gate.address, '--resume', '-o', join(files, 'object'), '--expect', sha256(content)]]) {
    const before = gate.received
    const kills = 3
    for (let kill = 0; kill < kills; kill++) {
      const closed = gate.closeAfter(11_000_000)
      const get = new Command([...args, '--json'], { state })
      await closed
      get.kill('SIGKILL')
      await get.ended
      gate.cut()
      gate.lift()
    }
    // A kill in the middle of a record leaves what was written of it, until the next process comes.
    t.same((await visible(files)).filter(name => !/\.json\.[\da-f]{16}$/.test(name)), ['.ropewalk-part', '.ropewalk-part.json'].map(end => `.${args.includes(id) ? 'object' : 'manifest'}${end}`).concat(args.includes(id) ? ['manifest'] : []))
    const last = await run([...args, '--json'], { state })
    t.equal(last.code, 0, last.stderr)
    const resumed = factsOf(last.stdout, 'resumed')
    t.ok(Number(resumed[0]?.['bytes']) >= kills * (11_000_000 - RECORD_BYTES - WINDOW), `${String(resumed[0]?.['bytes'])} bytes were there`)
    const twice = gate.received - before - content.length
    t.ok(twice <= kills * (RECORD_BYTES + WINDOW), `${Math.round(twice / kills)} bytes twice a kill`)
    t.match(factsOf(last.stdout, 'received'), [{ sha256: sha256(content) }])
    t.ok((await readFile(join(files, args.includes(id) ? 'object' : 'manifest'))).equals(content))
  }
  t.same(await visible(files), ['manifest', 'object'], 'nothing else is left')
})

t.test('what is there of another file, or was changed, does not get into this one', async t => {
  const [server, state, files] = [await folder(t), await folder(t), await folder(t)]
  const { addresses: [address = ''] } = await startNode(t, server, TCP)
  const content = randomBytes(3_000_000)
  await writeFile(join(files, 'file'), content)
  await run(['put', join(files, 'file'), '--to', address, '-o', files], { state })
  const { manifest } = await manifestAt(join(files, 'file.ropewalk'))
  const part = join(files, '.back.ropewalk-part')
  const get = async (): Promise<Ended> => await run(['get', join(files, 'file.ropewalk'), '-o', join(files, 'back'), '--json'], { state })

  await writeFile(part, Buffer.alloc(5_000_000, 7))
  await writeFile(`${part}.json`, JSON.stringify({ version: 1, wanted: '0'.repeat(64), done: [3_000_000] }))
  t.match(await get(), { code: 0 }, 'of another')
  t.ok((await readFile(join(files, 'back'))).equals(content))

  // A record of our own making, and bytes that a disk has lost.
  const wanted = createHash('sha256').update(JSON.stringify([content.length, manifest.sha256, [[manifest.parts[0]?.id, 0, content.length]]])).digest('hex')
  const spoil = async (): Promise<void> => {
    await writeFile(part, Buffer.alloc(2_000_000, 7))
    await writeFile(`${part}.json`, JSON.stringify({ version: 1, wanted, done: [2_000_000] }))
  }
  await spoil()
  const spoilt = await run(['get', join(files, 'file.ropewalk'), '-o', join(files, 'back'), '--force', '--json'], { state })
  t.equal(factsOf(spoilt.stdout, 'resumed')[0]?.['bytes'], 2_000_000)
  t.match(spoilt, { code: 1, stdout: /ERR_DIGEST/ })
  t.ok((await readFile(join(files, 'back'))).equals(content), 'the file of that name is as it was')
  t.match(await run(['get', join(files, 'file.ropewalk'), '-o', join(files, 'back'), '--force'], { state }), { code: 0 }, 'and the next one begins anew')

  await writeFile(`${part}.json`, '{"version":1,"done":')
  t.match(await run(['get', join(files, 'file.ropewalk'), '-o', join(files, 'back'), '--force'], { state }), { code: 0 }, 'a record that cannot be read')
  await symlink(join(files, 'file'), part)
  t.match(await run(['get', join(files, 'file.ropewalk'), '-o', join(files, 'back'), '--force'], { state }), { code: 1 }, 'no link is followed')
  t.ok((await readFile(join(files, 'file'))).equals(content))
})

t.test('verify finds what a disk has changed, from afar and beside the store', async t => {
  const [server, state, files] = [await folder(t), await folder(t), await folder(t)]
  const { addresses: [address = ''], stop } = await startNode(t, server, TCP)
  await writeFile(join(files, 'file'), randomBytes(300_000))
  const facts = factsOf((await run(['put', join(files, 'file'), join(files, 'file'), '--to', address, '--json'], { state })).stdout, 'stored')
  const [good = '', bad = ''] = facts.map(({ id }) => String(id))
  const digest = String(facts[0]?.['sha256'])
  t.match(await run(['verify', `${good}=${digest}`, `${bad}=${digest}`, '--at', address], { state }), { code: 0 })
  t.match(await run(['verify', '--store', join(server, 'store')], { state }), { code: 1, stderr: /a node has this store open/ })
  await stop('SIGTERM')

  const entries = await readdir(join(server, 'store'), { recursive: true, withFileTypes: true })
  const found = entries.find(entry => entry.isFile() && join(entry.parentPath, entry.name).replaceAll(/[^\da-f]/g, '').includes(bad.replaceAll('-', '').slice(4)))
  if (found === undefined) throw new Error('no such fragment')
  const handle = await open(join(found.parentPath, found.name), 'r+')
  await handle.write('rot', 150_000)
  await handle.close()

  const beside = await run(['verify', '--store', join(server, 'store'), '--json'], { state })
  t.equal(beside.code, 1)
  t.same(factsOf(beside.stdout, 'verified').map(({ id, outcome }) => [id, outcome]).sort(), [[good, 'whole'], [bad, 'damaged']].sort())
  t.match(await run(['verify', '--store', join(server, 'store'), good], { state }), { code: 0, stdout: `${good}\t300000\twhole\n` })
  t.match(await run(['verify', '--store', join(server, 'store'), '00000000-0000-4000-8000-000000000000'], { state }), { code: 4, stdout: /absent/ })

  const again = await startNode(t, server, TCP)
  const afar = await run(['verify', `${good}=${digest}`, `${bad}=${digest}`, '--at', again.addresses[0] ?? ''], { state })
  t.equal(afar.code, 1)
  t.match(afar.stdout, good)
  t.match(afar.stderr, new RegExp(`^${bad}: its SHA-256 is .* \\(ERR_DAMAGED\\)$`, 'm'))
  t.match(await run(['verify', good, '--at', again.addresses[0] ?? ''], { state }), { code: 2, stderr: /ID=SHA256/ })
  t.match(await run(['verify', '--store', files], { state }), { code: 1, stderr: /there is no store of a node/ })
})

t.test('a name that no manifest may have is told before anything is sent', async t => {
  const [server, state, files] = [await folder(t), await folder(t), await folder(t)]
  const { addresses: [address = ''] } = await startNode(t, server, TCP)
  for (const name of ['.hidden', 'ends with a dot.']) {
    const path = join(files, name)
    await writeFile(path, 'content')
    t.match(await run(['put', path, '--to', address, '-o', `${files}/`], { state }), { code: 1, stdout: '', stderr: /is not the name of a file.*ERR_MANIFEST/ }, name)
    t.match(await run(['put', path, '--to', address], { state }), { code: 0 }, 'without one it has no name there')
  }
})

t.test('a hostile manifest is refused before anybody is asked, and learns nothing', async t => {
  const [server, state, files] = [await folder(t), await folder(t), await folder(t)]
  const { addresses: [address = ''] } = await startNode(t, server, TCP)
  await writeFile(join(files, 'file'), 'content')
  await run(['put', join(files, 'file'), '--to', address, '-o', files], { state })
  const { rewrite } = await manifestAt(join(files, 'file.ropewalk'))
  const cases: ReadonlyArray<readonly [string, (text: string) => string, number, RegExp]> = [
    ['climbs', text => text.replace('"file"', '"../../file"'), 1, /ERR_MANIFEST/],
    ['offset', text => text.replace('"offset": 0', '"offset": 1'), 1, /the part before ends at 0/],
    ['future', text => text.replace('"version": 1', '"version": 2'), 1, /version is not 1/],
    ['huge', text => text + ' '.repeat(1_100_000), 1, /more than 1048576 bytes/],
    ['clear', text => text.replace(address, 'mdsftp+tcp://192.0.2.1:1'), 2, /--allow-plaintext/]
  ]
  for (const [name, change, code, message] of cases) {
    const refused = await run(['get', await rewrite(`${name}.ropewalk`, change), '-o', `${files}/`], { state })
    t.equal(refused.code, code, name)
    t.match(refused.stderr, message)
  }
  // A node of the writer's own, with the right key: everybody would trust it, and tell it the token.
  const token = join(files, 'file-token')
  await writeFile(token, 'Ab3'.repeat(21) + 'x', { mode: 0o600 })
  const thief = await rewrite('thief.ropewalk', text => text.replace(address, `mdsftp+tls://192.0.2.1:1#sha256=${'a'.repeat(64)}`))
  t.match(await run(['get', thief, '-o', join(files, 'stolen'), '--token-file', token], { state }), { code: 3, stderr: /would be told the access token/ })
  t.same(await visible(files), [])
  t.match(await run(['get', join(files, 'nothing.ropewalk')], { state }), { code: 2, stderr: /UUID/ })
  t.ok((await stat(join(files, 'file'))).size === 7)
})
