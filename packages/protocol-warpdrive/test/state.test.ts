import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { toHex } from '@ropewalk/framing'
import t from 'tap'
import type { StoredOffer } from '../src/index.ts'
import { openSqliteState } from '../src/node/index.ts'
import { ALICE, BOB, pair, sha256Of } from './nodes.ts'

const CHILD = fileURLToPath(new URL('state-child.ts', import.meta.url))

async function file (t: { teardown: (dispose: () => Promise<void>) => unknown }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'warpdrive-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'state')
}

function offer (id: string, more: Partial<StoredOffer> = {}): StoredOffer {
  const info = { uri: 'a.txt', path: 'a.txt', size: 3, isDir: false, perm: 0o644, mime: '', name: 'a.txt', sha256: 'ab'.repeat(32), mtimeMs: 5 }
  return { id, incoming: true, status: 'awaiting', index: -1, progress: 0, updatedAt: 1, createdAt: 1, peer: ALICE, files: [info], digest: 'd1', done: [], parts: [], failures: [], ...more }
}

t.test('offers and peers are there again, as they were put last, each kind of offer under its own id', async t => {
  const path = await file(t)
  const first = await openSqliteState(path)
  t.same(await first.load(), { offers: [], peers: [] })
  await first.putOffer(offer('one'))
  await first.putOffer(offer('one', { incoming: false }))
  await first.putOffer(offer('two'))
  const changed = offer('one', { status: 'failed', index: 4, progress: 7, updatedAt: 9, done: [0, 2], parts: [[1, 99]] })
  await first.putOffer(changed)
  const other = offer('two', { digest: 'd2', files: [] })
  await first.putOffer(other)
  await first.putPeer({ id: BOB, alias: '', mod: '' })
  await first.putPeer({ id: BOB, alias: 'Bob', mod: 'trust' })
  await first.close()
  const second = await openSqliteState(path)
  t.same(await second.load(), { offers: [changed, offer('one', { incoming: false }), other], peers: [{ id: BOB, alias: 'Bob', mod: 'trust' }] })
  await second.removeOffer(true, 'one')
  // The manifest is written anew for an offer that was removed.
  await second.putOffer(offer('one'))
  await second.removeOffer(false, 'one')
  await second.removePeer(BOB)
  await second.close()
  const third = await openSqliteState(path)
  const left = await third.load()
  t.same(left.offers.map(({ id, incoming }) => [id, incoming]), [['two', true], ['one', true]])
  t.same(left.peers, [])
  await third.close()
})

t.test('a file of the first version is taken over', async t => {
  const path = await file(t)
  const before = new DatabaseSync(path)
  before.exec(`
    CREATE TABLE offer (incoming INTEGER NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, status TEXT NOT NULL, files TEXT NOT NULL, PRIMARY KEY (incoming, id)) STRICT;
    CREATE TABLE peer (id TEXT PRIMARY KEY, alias TEXT NOT NULL, mod TEXT NOT NULL) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1`)
  const offers = [offer('one', { done: [0] }), offer('one', { incoming: false, status: 'completed' }), offer('two', { parts: [[0, 2]] })]
  for (const { incoming, id, digest, files, ...rest } of offers) {
    before.prepare('INSERT INTO offer VALUES (?, ?, ?, ?, ?)').run(Number(incoming), id, digest, JSON.stringify(rest), JSON.stringify(files))
  }
  before.prepare('INSERT INTO peer VALUES (?, ?, ?)').run(BOB, 'Bob', 'trust')
  before.close()
  const first = await openSqliteState(path)
  t.same(await first.load(), { offers, peers: [{ id: BOB, alias: 'Bob', mod: 'trust' }] })
  await first.putOffer(offer('two', { status: 'completed' }))
  await first.close()
  const second = await openSqliteState(path)
  t.match((await second.load()).offers, [{ done: [0] }, { incoming: false }, { id: 'two', status: 'completed', parts: [] }])
  await second.close()
})

t.test('how far an offer has come is written without its list of files', async t => {
  const path = await file(t)
  const state = await openSqliteState(path)
  t.teardown(() => state.close())
  const [info] = offer('x').files
  const big = offer('big', { files: Array.from({ length: 5000 }, () => info as StoredOffer['files'][number]) })
  await state.putOffer(big)
  const { size } = await stat(`${path}-wal`)
  for (let index = 0; index < 20; index++) await state.putOffer({ ...big, done: [index] })
  const grown = (await stat(`${path}-wal`)).size - size
  t.ok(grown < 200_000, `${grown} bytes more behind a list of ${JSON.stringify(big.files).length}`)
})

t.test('D2: names and ids stay what they are, whatever SQL they look like', async t => {
  const path = await file(t)
  const evil = "'; DROP TABLE offer; --\0\u2028\ud83e\udd2f\\\""
  const first = await openSqliteState(path)
  const [info] = offer('x').files
  const put = offer(evil, { files: [{ ...info as StoredOffer['files'][number], uri: evil, name: evil }] })
  await first.putOffer(put)
  await first.putPeer({ id: evil, alias: evil, mod: evil })
  await first.close()
  const second = await openSqliteState(path)
  t.same(await second.load(), { offers: [put], peers: [{ id: evil, alias: evil, mod: evil }] })
  await second.close()
})

t.test('the thread hashes, several things at a time and while offers are put; what is lent to it is whole afterwards', async t => {
  const path = await file(t)
  const state = await openSqliteState(path)
  const contents = Array.from({ length: 3 }, (_, index) => Uint8Array.from({ length: 100_000 + index }, (_, at) => at * (index + 3)))
  const shared = new Uint8Array(new SharedArrayBuffer(50_000))
  const digests = await Promise.all(contents.map(async (content, index) => {
    const hash = state.sha256()
    // Nobody waits between two of them, and what lies in this thread's own memory may change as soon as it is taken.
    const taken: unknown[] = []
    for (let at = 0; at < content.length; at += 7000) {
      taken.push(hash.update(content.subarray(at, at + 7000)))
      if (at === 14_000) taken.push(state.putOffer(offer(`${index}`)))
    }
    const digest = await hash.digest()
    await Promise.all(taken)
    return digest
  }))
  for (const [index, content] of contents.entries()) {
    t.equal(toHex(digests[index] as Uint8Array), sha256Of(content))
    t.equal(content.length, 100_000 + index)
  }
  const hash = state.sha256()
  const all = new Uint8Array(2 * shared.length)
  for (const half of [0, 1]) {
    shared.fill(half + 1)
    all.set(shared, half * shared.length)
    await hash.update(shared)
  }
  t.equal(toHex(await hash.digest()), sha256Of(all))
  t.equal(toHex(await state.sha256().digest()), sha256Of(new Uint8Array(0)), 'of nothing')
  const [unwanted, late] = [state.sha256(), state.sha256()]
  await unwanted.update(shared)
  await state.close()
  await t.rejects(async () => { await late.update(shared) }, { code: 'ERR_FILES' })
  await t.rejects(async () => { await unwanted.digest() }, { code: 'ERR_FILES' })
  const again = await openSqliteState(path)
  t.same((await again.load()).offers.map(({ id }) => id).sort(), ['0', '1', '2'])
  await again.close()
})

t.test('one process has the file; another file is refused, and so is one that is full', async t => {
  const path = await file(t)
  const state = await openSqliteState(path, { maxFileBytes: 100_000 })
  await t.rejects(openSqliteState(path), { code: 'ERR_FILES', remote: false })
  const big = offer('big', { files: Array.from({ length: 2000 }, () => offer('x').files[0] as StoredOffer['files'][number]) })
  await t.rejects(state.putOffer(big), { code: 'ERR_FILES', message: /full/ })
  await state.putOffer(offer('small'))
  await t.rejects(state.putOffer(big), { code: 'ERR_FILES' })
  await state.close()
  await state.close()
  await t.rejects(state.putOffer(big), { code: 'ERR_FILES' })
  await writeFile(`${path}.other`, 'not a database, but long enough to be read as one'.repeat(100))
  await t.rejects(openSqliteState(`${path}.other`), { code: 'ERR_FILES' })
  await t.rejects(openSqliteState(path, { maxFileBytes: 0 }), { name: 'RangeError' })
  const again = await openSqliteState(path)
  t.same((await again.load()).offers.map(({ id }) => id), ['small'])
  await again.close()
})

t.test('what was put when a process was killed is there', async t => {
  const path = await file(t)
  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', CHILD, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = once(child, 'close')
  const [said] = await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await gone
  const state = await openSqliteState(path)
  const { offers, peers } = await state.load()
  await state.close()
  t.ok(offers.length >= Number(String(said)), `${offers.length} of ${said}`)
  t.match(offers.at(0), { status: 'updated', progress: 5 })
  t.same(peers, [{ id: 'p', alias: '', mod: 'block' }])
})

t.test('a node over it knows its offers, its peers and whom it blocks again', async t => {
  const path = await file(t)
  const first = await openSqliteState(path)
  const scene = await pair({ 'a.txt': 'one' }, { bob: { state: first } })
  await scene.alice.createOffer(BOB, 'a.txt')
  await scene.bob.updatePeer(ALICE, 'mod', 'block')
  const before = scene.bob.offers(0)
  await scene.bob.close()
  await first.close()
  const second = await openSqliteState(path)
  const { bob } = await pair({}, { bob: { state: second } })
  t.same(bob.offers(0), before)
  t.throws(() => { bob.admit(ALICE) }, { code: 'ERR_BLOCKED' })
  await bob.removePeer(ALICE.toUpperCase())
  t.same(bob.peers(), [])
  bob.admit(ALICE)
  await second.close()
  const third = await openSqliteState(path)
  t.same((await third.load()).peers, [])
  await third.close()
})
