import { duplexPair, scriptedPeer, settle, turn } from '@ropewalk/testing'
import t from 'tap'
import { listPeers, MemoryState, ping, SEED, Session, type StateStore, type StoredOffer } from '../src/index.ts'
import { MAX_JSON_BYTES, Outcome, REPLY_TIMEOUT_MS } from '../src/constants.ts'
import { bytesOf, hexOf } from './fixtures.ts'
import { ALICE, BOB, MemoryInbox, pair, sha256Of } from './nodes.ts'

const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7 % 251)
const TREE = { 'd/': '', 'd/a': 'AAAA', 'd/big': pattern(5000), 'd/void/': '', 'd/empty': '' }

/** Accepts, and lets the time pass that the sender is given after the answer. */
async function accept ({ bob, clock }: Awaited<ReturnType<typeof pair>>, id: string, digest?: string): Promise<void> {
  const accepted = bob.accept(id, digest)
  accepted.catch(() => {})
  await clock.advance(2000)
  await (await accepted)?.finished
}

for (const extended of [true, false]) {
  t.test(`a folder arrives, ${extended ? 'file by file with SHA-256, times and over several channels' : 'as from the original, in one stream'}`, async t => {
    const scene = await pair(TREE, { alice: { extended } })
    const { id, accepted } = await scene.alice.createOffer(BOB, 'd')
    t.equal(accepted, false)
    t.equal(scene.bob.offers(1)[0]?.status, 'awaiting')
    await accept(scene, id)
    t.same([...scene.inbox.folders], [['d', 0o755], ['d/void', 0o755]], 'empty folders too')
    t.same([...scene.inbox.files.keys()].sort(), ['d/a', 'd/big', 'd/empty'])
    t.same(scene.inbox.files.get('d/big')?.bytes, TREE['d/big'])
    t.equal(scene.inbox.files.get('d/a')?.mode, 0o755, 'no setuid')
    t.equal(scene.inbox.files.get('d/a')?.mtimeMs, extended ? 1_600_000_000_000 : undefined)
    const [offer] = scene.bob.offers(1)
    t.match(offer, { status: 'completed', index: 5, progress: 0, peer: ALICE })
    t.equal(scene.queries.filter(({ from }) => from === BOB).length, extended ? 4 : 1, 'ours: three entries at a time, and a word at the end')
    t.equal(scene.clock.pending, 0)
  })
}

t.test('two nodes of the seed: the same over its three ports, each for what belongs there', async t => {
  for (const extended of [true, false]) {
    const scene = await pair(TREE, { alice: { profile: SEED, extended }, bob: { profile: SEED } })
    const { id } = await scene.alice.createOffer(BOB, 'd')
    await accept(scene, id)
    t.same([...scene.inbox.files.keys()].sort(), ['d/a', 'd/big', 'd/empty'])
    t.same(scene.inbox.files.get('d/big')?.bytes, TREE['d/big'])
    t.match(scene.alice.offers(2), [{ status: 'completed' }])
    t.same([...new Set(scene.queries.map(({ port }) => port))], ['warpdrive-remote'])
    const asking = (port: string): { readonly session: Session, readonly served: Promise<Error | undefined> } => {
      const [left, right] = duplexPair()
      return { served: scene.bob.serve(right, ALICE, port), session: new Session(left, { profile: SEED, port }) }
    }
    const info = asking('warpdrive-info')
    await ping(info.session, [7])
    t.equal(await info.served, undefined)
    const local = asking('warpdrive-local')
    await t.rejects(listPeers(local.session), { code: /^ERR_(REFUSED|INTERRUPTED)$/ }, 'who is not the node itself is answered nothing')
    local.session.abort(new Error('over'))
    t.match(await local.served, { code: 'ERR_UNAUTHORIZED' })
  }
})

t.test('X13: nothing is downloaded unasked, and consent binds to the manifest, not to the name or the id', async t => {
  const scene = await pair({ 'a.txt': 'one' }, { alice: { randomId: () => 'same-id' } })
  await scene.alice.createOffer(BOB, 'a.txt')
  const [seen] = scene.bob.offers(1) as [StoredOffer]
  await scene.clock.advance(60_000)
  t.equal(scene.queries.filter(({ from }) => from === BOB).length, 0)
  const info = { uri: 'a.txt', path: '', size: 3, isDir: false, perm: 0o644, mime: '', name: 'a.txt' }
  await scene.bob.sendOffer(ALICE, 'same-id', [{ ...info, sha256: sha256Of(new TextEncoder().encode('two')) }])
  await t.rejects(scene.bob.accept('same-id', seen.digest), { code: 'ERR_CONSENT' })
  t.equal(scene.bob.offers(1)[0]?.status, 'awaiting')
  await t.rejects(scene.bob.sendOffer('c3'.repeat(32), 'same-id', [info]), { code: 'ERR_FOREIGN_OFFER' })
})

t.test('a trusted peer is answered first; the download comes 2 s later by the clock', async t => {
  const scene = await pair({ 'a.txt': 'one' }, { alice: { extended: false } })
  await scene.bob.updatePeer(ALICE, 'mod', 'trust')
  const { accepted } = await scene.alice.createOffer(BOB, 'a.txt')
  t.equal(accepted, true)
  await turn()
  await scene.clock.advance(1999)
  t.equal(scene.queries.length, 1)
  await scene.clock.advance(1)
  t.equal(scene.queries[1]?.from, BOB)
  await turn()
  t.equal(hexOf(scene.inbox.files.get('a.txt')?.bytes as Uint8Array), '6f6e65')
})

t.test('a blocked peer gets a close, and nothing is stored on either side; a ping still works', async t => {
  const scene = await pair({ 'a.txt': 'one' })
  await scene.bob.updatePeer(ALICE, 'mod', 'block')
  await t.rejects(scene.alice.createOffer(BOB, 'a.txt'), { code: 'ERR_REFUSED' })
  t.same([scene.alice.offers(0), scene.bob.offers(0)], [[], []])
  const [left, right] = duplexPair()
  void scene.bob.serve(right, ALICE, 'warpdrive')
  await ping(new Session(left, { clock: scene.clock }), [5, 255])
})

t.test('files go only to the peer that they were offered to', async t => {
  const scene = await pair({ 'a.txt': 'one' })
  const { id } = await scene.alice.createOffer(BOB, 'a.txt')
  t.throws(() => scene.alice.download('c3'.repeat(32), id, 0n, 0n, false), { code: 'ERR_UNKNOWN_OFFER' })
  t.throws(() => scene.alice.download(ALICE, id, 0n, 0n, false), { code: 'ERR_UNKNOWN_OFFER' })
  t.ok(scene.alice.download(BOB, id, 0n, 0n, false))
})

t.test('a broken download goes on at its byte, after a restart too, and whole files are not asked for again', async t => {
  const state = new MemoryState()
  const inbox = new MemoryInbox()
  for (const extended of [true, false]) {
    const scene = await pair({ 'a.txt': 'one', 'b.bin': pattern(5000) }, { alice: { extended, randomId: () => `id-${extended}` }, bob: { state, parallel: 1 }, inbox })
    const { id } = await scene.alice.createOffer(BOB, '')
    const whole = scene.files.files.get('b.bin') as Uint8Array
    scene.files.files.set('b.bin', whole.subarray(0, 3000))
    await t.rejects(accept(scene, id), { code: 'ERR_INCOMPLETE' })
    t.match(scene.bob.offers(1).find(offer => offer.id === id), { status: 'failed', index: 1, progress: 3000 })
    await turn()
    scene.files.files.set('b.bin', whole)
    scene.files.reads.length = 0
    const again = await pair({}, { bob: { state, inbox, parallel: 1, query: async (_peer, port) => {
      const [left, right] = duplexPair()
      void scene.alice.serve(right, BOB, port)
      return left
    } } })
    inbox.files.delete('b.bin')
    await accept(again, id)
    t.same(scene.files.reads, [['b.bin', 3000]])
    t.same(inbox.files.get('b.bin')?.bytes, whole)
  }
})

t.test('hostile offers: each has its code, and nothing is kept', async t => {
  const { bob } = await pair({})
  const info = { uri: 'a', path: '', size: 1, isDir: false, perm: 420, mime: '', name: 'a' }
  const table: Array<[string, object[], string]> = [
    ['..', [{ uri: '../x' }], 'ERR_BAD_NAME'], ['.. inside', [{ uri: 'a/../../x' }], 'ERR_BAD_NAME'], ['absolute', [{ uri: '/etc/passwd' }], 'ERR_BAD_NAME'],
    ['drive', [{ uri: 'C:x' }], 'ERR_BAD_NAME'], ['backslash', [{ uri: 'a\\..\\b' }], 'ERR_BAD_NAME'], ['NUL', [{ uri: 'a\0' }], 'ERR_BAD_NAME'],
    ['empty', [{ uri: '' }], 'ERR_BAD_NAME'], ['root not first', [{}, { uri: '.', isDir: true }], 'ERR_BAD_NAME'], ['too long', [{ uri: 'a'.repeat(4097) }], 'ERR_BAD_NAME'],
    ['twice', [{ uri: '\u00e9' }, { uri: 'e\u0301' }], 'ERR_BAD_NAME'], ['link', [{ link: '/etc' }], 'ERR_SYMLINK'],
    ['sum of sizes', [{ size: 2 ** 53 - 1 }, { uri: 'b' }], 'ERR_BAD_VALUE']
  ]
  for (const [name, files, code] of table) await t.rejects(bob.sendOffer(ALICE, 'x', files.map(file => ({ ...info, ...file }))), { code }, name)
  for (const id of ['', '../x', '/x', 'a'.repeat(65)]) await t.rejects(bob.sendOffer(ALICE, id, [info]), { code: 'ERR_BAD_ID' }, id)
  t.same(bob.offers(0), [])
  await bob.sendOffer(ALICE, '9c10b4cb-b770-4602-4b51-0e755b1cea2a', [info])
  t.equal(bob.offers(0).length, 1, 'an id of the original, which is no proper UUID')
  for (let i = 1; i < 256; i++) await bob.sendOffer(ALICE, `${i}`, [info])
  await t.rejects(bob.sendOffer(ALICE, '256', [info]), { code: 'ERR_TOO_MANY', message: 'too many offers of one peer: 257 > 256' })
})

t.test('of as many offers of a peer as are kept the oldest that is over goes for the next, on disk too; one that waits never does', async t => {
  const removed: string[] = []
  const state = (name: string): { state: StateStore } => {
    const memory = new MemoryState()
    return { state: {
      load: () => memory.load(), putPeer: peer => memory.putPeer(peer), removePeer: id => memory.removePeer(id), putOffer: offer => memory.putOffer(offer),
      removeOffer: async (incoming, id) => { removed.push(`${name} ${id}`); await memory.removeOffer(incoming, id) }
    } }
  }
  let count = 0
  const scene = await pair({ a: 'x' }, { alice: { maxPeerOffers: 3, randomId: () => `${count++}`, ...state('alice') }, bob: { maxPeerOffers: 3, ...state('bob') } })
  for (let at = 0; at < 3; at++) await scene.alice.createOffer(BOB, 'a')
  await t.rejects(scene.alice.createOffer(BOB, 'a'), { code: 'ERR_TOO_MANY', message: 'too many offers of one peer: 4 > 3' })
  await scene.bob.decline('2')
  await scene.clock.advance(1)
  await (await scene.bob.accept('1', undefined))?.finished
  t.same(scene.alice.offers(2).map(({ status }) => status), ['awaiting', 'completed', 'rejected'])
  const idsOf = (node: typeof scene.bob): string[] => node.offers(0).map(({ id }) => id)
  for (const [gone, left] of [['2', ['0', '1', '4']], ['1', ['0', '4', '5']]] as const) {
    await scene.alice.createOffer(BOB, 'a')
    t.same([idsOf(scene.alice), idsOf(scene.bob)], [left, left])
    t.same(removed.splice(0).sort(), [`alice ${gone}`, `bob ${gone}`])
  }
  await t.rejects(scene.alice.createOffer(BOB, 'a'), { code: 'ERR_TOO_MANY' })
})

t.test('a name that cannot be offered is told, without what it would do to a terminal', async t => {
  for (const [files, message] of [
    [{ ok: '', 'd/\x1b[2J\u202e\x9b\u{e0041}red': '' }, 'entry 1 has a backslash or control character in its name: "d/\\u001b[2J\\u{202e}\\u{9b}\\u{e0041}red"'],
    [{ 'e\u0301': '', '\u00e9': '' }, 'entry 1 has the name of another: "\u00e9"'],
    [{ ['x'.repeat(5000)]: '' }, `entry 0 has a name too long: 5000 > 4096 bytes: "${'x'.repeat(100)}"`]
  ] as const) {
    const { alice } = await pair(files)
    await t.rejects(alice.createOffer(BOB, ''), { code: 'ERR_BAD_NAME', message })
  }
})

t.test('an offer of more entries than any node takes is not made', async t => {
  const { alice, bob, queries } = await pair({ a: '', b: '', c: '' }, { alice: { maxEntries: 2 } })
  await t.rejects(alice.createOffer(BOB, ''), { code: 'ERR_TOO_MANY', message: 'too many entries: 3 > 2' })
  t.same([alice.offers(0), bob.offers(0), queries], [[], [], []])
})

t.test('what was on its way when a process ended is not after it has begun again: it failed, and can be accepted', async t => {
  const scene = await pair({ a: 'x' }, { alice: { randomId: () => 'id' } })
  await scene.alice.createOffer(BOB, 'a')
  const state = new MemoryState()
  for (const status of ['accepted', 'updated', 'awaiting', 'completed'] as const) await state.putOffer({ ...scene.bob.offers(1)[0] as StoredOffer, id: status, status })
  const { bob } = await pair({}, { bob: { state, query: async () => { throw new Error('nobody is there') } } })
  t.same(bob.offers(1).map(({ id, status }) => [id, status]), [['accepted', 'failed'], ['updated', 'failed'], ['awaiting', 'awaiting'], ['completed', 'completed']])
  await t.rejects(bob.accept('accepted', undefined), { message: 'nobody is there' }, 'nothing runs that would keep it from beginning')
})

t.test('10^6 entries, 100 MiB of JSON: refused within their limits', async t => {
  const { bob, clock } = await pair({})
  for (const [body, code] of [[`[${'{},'.repeat(999_999)}{}]`, 'ERR_TOO_MANY'], [`["${'a'.repeat(1_000_000)}`, 'ERR_TOO_LARGE']] as const) {
    const [left, right] = duplexPair()
    const served = bob.serve(right, ALICE, 'warpdrive')
    let sent = 0
    const chunk = new TextEncoder().encode(body)
    const sunk = left.sink((function * (): Generator<Uint8Array, void> {
      yield bytesOf('64027878')
      if (code === 'ERR_TOO_MANY') {
        yield chunk
        return
      }
      yield chunk
      for (; sent < 100; sent++) yield new Uint8Array(1_048_576).fill(0x61)
    })()).catch(() => {})
    t.match(await served, { code })
    await sunk
    t.ok(sent * 1_048_576 <= MAX_JSON_BYTES + 2 * 1_048_576, `${sent} MiB were taken`)
  }
  t.equal(clock.pending, 0)
  t.same(bob.offers(0), [])
})

t.test('a peer that never answers, one that lies about the content, one that refuses', async t => {
  const silent = await pair({ a: 'x' }, { alice: { query: async () => duplexPair()[0] } })
  const offered = silent.alice.createOffer(BOB, 'a')
  offered.catch(() => {})
  await turn()
  await silent.clock.advance(REPLY_TIMEOUT_MS)
  await silent.clock.advance(REPLY_TIMEOUT_MS)
  await t.rejects(offered, { code: 'ERR_TIMEOUT' })
  t.equal(silent.clock.pending, 0)

  const liar = await pair({ a: 'x' })
  const { id } = await liar.alice.createOffer(BOB, 'a')
  liar.files.files.set('a', new TextEncoder().encode('y'))
  await t.rejects(accept(liar, id), { code: 'ERR_DIGEST' })
  t.equal(liar.inbox.files.size, 0)
  t.match(liar.bob.offers(1)[0], { status: 'failed' })

  const [left, right] = duplexPair()
  void liar.bob.serve(right, ALICE, 'warpdrive')
  const peer = scriptedPeer(left)
  await peer.send(bytesOf('0101'))
  t.equal((await peer.readUntilGone()).bytes.length, 0, 'local commands are for the node itself')
})

t.test('the sender knows when everything is whole at the other end, and not before', async t => {
  const scene = await pair(TREE)
  const { id } = await scene.alice.createOffer(BOB, 'd')
  const seen: string[] = []
  const stop = new AbortController()
  const listening = (async () => { for await (const { status } of scene.alice.listen('status', 2, { signal: stop.signal })) seen.push(status) })()
  await accept(scene, id)
  const [offer] = scene.alice.offers(2)
  t.equal(offer?.status, 'completed')
  t.same([...offer?.done ?? []].sort(), [1, 2, 4])
  stop.abort()
  await listening
  t.equal(seen.filter(status => status === 'completed').length > 0, true)
  t.notOk(seen.includes('failed'))
})

t.test('ours are downloaded at once when they are trusted; with autoAccept off nobody is', async t => {
  for (const autoAccept of [true, false]) {
    const scene = await pair({ 'a.txt': 'one' }, { bob: { autoAccept } })
    await scene.bob.updatePeer(ALICE, 'mod', 'trust')
    const { accepted } = await scene.alice.createOffer(BOB, 'a.txt')
    t.equal(accepted, autoAccept)
    await settle(() => !autoAccept || scene.inbox.files.size === 1)
    t.equal(scene.inbox.files.size, autoAccept ? 1 : 0)
    if (!autoAccept) t.equal(scene.queries.length, 1)
  }
})

t.test('an entry that fails does so alone: the others arrive, both sides say which failed and why, and accepting again fetches only that', async t => {
  const scene = await pair({ a: 'AAAA', b: 'BBBB', c: 'CCCC' }, { bob: { parallel: 1 } })
  const { id } = await scene.alice.createOffer(BOB, '.')
  scene.files.files.set('b', new TextEncoder().encode('BB'))
  await t.rejects(accept(scene, id), { code: 'ERR_INCOMPLETE' })
  t.same([...scene.inbox.files.keys()], ['a', 'c'])
  t.match(scene.bob.offers(1)[0], { status: 'failed', done: [0, 2], failures: [[1, 'ERR_INCOMPLETE', String]] })
  await settle(() => scene.alice.offers(2)[0]?.status === 'failed')
  t.match(scene.alice.offers(2)[0], { status: 'failed', failures: [[1, 'ERR_INCOMPLETE', /changed/]] })
  scene.files.files.set('b', new TextEncoder().encode('BBBB'))
  scene.files.reads = []
  await accept(scene, id)
  t.same(scene.files.reads.map(([name]) => name), ['b'])
  t.match(scene.bob.offers(1)[0], { status: 'completed', failures: [] })
  t.match(scene.alice.offers(2)[0], { status: 'completed', failures: [] })
})

t.test('what the inbox refuses fails alone, with the reason of the inbox', async t => {
  class Picky extends MemoryInbox {
    override async file (...args: Parameters<MemoryInbox['file']>): ReturnType<MemoryInbox['file']> {
      if (args[0] === 'con') throw Object.assign(new Error('a device'), { code: 'ERR_NAME' })
      return await super.file(...args)
    }
  }
  const scene = await pair({ con: 'AAAA', b: 'BBBB' }, { inbox: new Picky() })
  const { id } = await scene.alice.createOffer(BOB, '.')
  await t.rejects(accept(scene, id), { code: 'ERR_FILES' })
  t.match(scene.bob.offers(1)[0], { failures: [[0, 'ERR_NAME', 'a device']] })
  t.same([...scene.inbox.files.keys()], ['b'])
})

t.test('a channel that opens when the others have taken everything has nothing to do, and breaks nothing', async t => {
  const inbox = new MemoryInbox()
  const waiting = Promise.withResolvers<void>()
  let opened = 0
  const scene = await pair({ a: 'one', b: 'two', c: 'three' }, { inbox, bob: { parallel: 2, query: async () => {
    if (opened++ === 1) await waiting.promise
    const [left, right] = duplexPair()
    void scene.alice.serve(right, BOB, 'warpdrive')
    return left
  } } })
  const { id } = await scene.alice.createOffer(BOB, '')
  const transfer = await scene.bob.accept(id, undefined)
  while (inbox.files.size < 3) await turn()
  waiting.resolve()
  await transfer?.finished
  t.match(scene.bob.offers(1), [{ status: 'completed', done: [0, 1, 2] }])
  t.match(scene.alice.offers(2), [{ status: 'completed' }])
})

t.test('an offer that is declined is kept as such, and its sender is told; nobody else can say so', async t => {
  const scene = await pair({ 'a.txt': 'one' })
  const { id } = await scene.alice.createOffer(BOB, 'a.txt')
  await t.rejects(scene.alice.settleOffer('c3'.repeat(32), id, 1), { code: 'ERR_UNKNOWN_OFFER' })
  t.equal(scene.alice.offers(2)[0]?.status, 'awaiting')
  await scene.bob.decline(id)
  t.equal(scene.bob.offers(1)[0]?.status, 'rejected')
  t.equal(scene.alice.offers(2)[0]?.status, 'rejected')
  await scene.alice.offerAgain(id)
  t.equal(scene.bob.offers(1)[0]?.status, 'rejected', 'it is the same offer')
  await scene.bob.forget(true, id)
  t.same(scene.bob.offers(1), [])
  await scene.alice.offerAgain(id)
  t.equal(scene.bob.offers(1)[0]?.status, 'awaiting', 'which was forgotten')
})

t.test('declining a download that runs ends it', async t => {
  const scene = await pair({ 'a.txt': 'one' })
  const { id } = await scene.alice.createOffer(BOB, 'a.txt')
  const stuck = Promise.withResolvers<never>()
  scene.files.read = async function * () { await stuck.promise }
  const transfer = await scene.bob.accept(id, undefined)
  const ended = t.rejects(transfer?.finished ?? Promise.resolve(), { code: 'ERR_INTERRUPTED' })
  await scene.bob.decline(id)
  await ended
  t.equal(scene.bob.offers(1)[0]?.status, 'rejected')
})

t.test('the inbox is asked what is there, whatever the state knows: a process that was killed goes on at the byte', async t => {
  class Remembering extends MemoryInbox {
    kept (name: string): { bytes: number, whole: boolean } {
      if (name === 'a') return { bytes: 0, whole: true }
      const pieces = name === 'b' ? [new TextEncoder().encode('BB')] : []
      this.parts.set(`${ALICE} ${id} ${name}`, pieces)
      return { bytes: pieces.length * 2, whole: false }
    }
  }
  let id = ''
  const scene = await pair({ a: 'AAAA', b: 'BBBB', c: 'CCCC' }, { inbox: new Remembering() })
  id = (await scene.alice.createOffer(BOB, '.')).id
  scene.files.reads = []
  await accept(scene, id)
  t.same(scene.files.reads.sort(), [['b', 2], ['c', 0]])
  t.match(scene.bob.offers(1)[0], { status: 'completed' })
})

t.test('who says that an offer is whole has all of it, whatever of it was confirmed', async t => {
  const { alice } = await pair({ a: 'a', 'folder/': '', b: 'b', c: 'c' })
  const { id } = await alice.createOffer(BOB, '')
  alice.confirmed(BOB, id, 2)
  t.match(alice.offers(2), [{ done: [2] }])
  await alice.settleOffer(BOB, id, Outcome.completed)
  t.match(alice.offers(2), [{ status: 'completed' }])
  t.same([...alice.offers(2)[0]?.done ?? []].sort(), [0, 2, 3])
})
