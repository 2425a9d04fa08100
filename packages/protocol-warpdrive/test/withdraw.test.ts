import { duplexPair } from '@ropewalk/testing'
import t from 'tap'
import { download, downloaded, MemoryState, openNode, Session, type StoredOffer, WarpdriveError } from '../src/index.ts'
import { ALICE, BOB, MemoryInbox, pair, sha256 } from './nodes.ts'

/** What Alice sends stops behind its first piece until `go` resolves. */
function slowly (scene: Awaited<ReturnType<typeof pair>>, go: Promise<void>): void {
  const { read } = scene.files
  scene.files.read = async function * (...args) {
    for await (const bytes of read.apply(scene.files, args)) {
      yield bytes
      await go
    }
  }
}

t.test('what is withdrawn is so on both sides, and neither accepted, sent, offered again nor declined', async t => {
  const scene = await pair({ 'a.txt': 'one' })
  const { id } = await scene.alice.createOffer(BOB, '')
  t.equal(await scene.alice.withdraw(id), true)
  t.match(scene.alice.offers(2), [{ status: 'withdrawn', untold: undefined }])
  t.match(scene.bob.offers(1), [{ status: 'withdrawn', files: [{ uri: 'a.txt' }] }])
  await t.rejects(scene.bob.accept(id, undefined), { code: 'ERR_WITHDRAWN' })
  await t.rejects(scene.alice.offerAgain(id), { code: 'ERR_WITHDRAWN', remote: false })
  await scene.bob.decline(id)
  t.equal(scene.bob.offers(1)[0]?.status, 'withdrawn')
  t.equal(scene.alice.offers(2)[0]?.status, 'withdrawn')
  t.same(scene.inbox.files.size, 0)
  await t.rejects(scene.alice.withdraw('nothing'), { code: 'ERR_UNKNOWN_OFFER' })
})

t.test('a download that runs ends with it on both sides, whichever of them notices first', async t => {
  for (const [extended, stuck] of [[true, false], [true, true], [false, false], [false, true]] as const) {
    const withdrawn: StoredOffer[] = []
    const scene = await pair({ 'a.bin': new Uint8Array(5000), 'b.bin': new Uint8Array(5000) }, { alice: { extended }, bob: { onWithdrawn: offer => { withdrawn.push(offer) } } })
    const go = Promise.withResolvers<void>()
    const { id } = await scene.alice.createOffer(BOB, '')
    slowly(scene, go.promise)
    const accepted = scene.bob.accept(id, undefined)
    if (!extended) await scene.clock.advance(2000)
    const transfer = await accepted
    const ended = t.rejects(transfer?.finished ?? Promise.resolve(), { code: 'ERR_WITHDRAWN' }, `extended: ${extended}, stuck: ${stuck}`)
    const told = scene.alice.withdraw(id)
    if (!stuck) go.resolve()
    t.equal(await told, true)
    await ended
    go.resolve()
    t.match([scene.alice.offers(2), scene.bob.offers(1)], [[{ status: 'withdrawn', failures: [] }], [{ status: 'withdrawn', failures: [] }]])
    t.match(withdrawn, [{ id, peer: ALICE }])
    t.equal(withdrawn.length, 1)
    t.equal(scene.inbox.files.size, 0)
  }
})

t.test('a peer that goes on reading gets no more than was on its way', async t => {
  const scene = await pair({ 'a.bin': new Uint8Array(5000) })
  const { id } = await scene.alice.createOffer(BOB, '')
  const go = Promise.withResolvers<void>()
  slowly(scene, go.promise)
  const [left, right] = duplexPair()
  const served = scene.alice.serve(right, BOB, 'warpdrive')
  const session = new Session(left)
  await download(session, id, 0, 0)
  t.equal((await downloaded(session, 5000)).length, 1000)
  await scene.alice.withdraw(id)
  go.resolve()
  await t.rejects(downloaded(session, 4000), { code: 'ERR_INCOMPLETE' })
  await session.close()
  t.match(await served, { code: 'ERR_WITHDRAWN' })
  t.match(scene.alice.offers(2), [{ status: 'withdrawn', failures: [] }])
})

t.test('a peer that goes on reading what is forgotten gets no more of it either', async t => {
  const scene = await pair({ 'a.bin': new Uint8Array(5000) })
  const { id } = await scene.alice.createOffer(BOB, '')
  const go = Promise.withResolvers<void>()
  slowly(scene, go.promise)
  const [left, right] = duplexPair()
  const served = scene.alice.serve(right, BOB, 'warpdrive')
  const session = new Session(left)
  await download(session, id, 0, 0)
  t.equal((await downloaded(session, 5000)).length, 1000)
  await scene.alice.forget(false, id)
  go.resolve()
  await t.rejects(downloaded(session, 4000), { code: 'ERR_INCOMPLETE' })
  await session.close()
  t.match(await served, { code: 'ERR_UNKNOWN_OFFER' })
})

t.test('who was away is told by whoever asks for it, after a restart too; or when it is there again', async t => {
  for (const how of ['asks', 'is there']) {
    const state = new MemoryState()
    const away = { now: false }
    const scene = await pair({ 'a.txt': 'one' }, { alice: { state } })
    const { id } = await scene.alice.createOffer(BOB, '')
    await scene.alice.close()
    const again = await openNode({
      identity: ALICE, state, files: scene.files, inbox: new MemoryInbox(), sha256, clock: scene.clock,
      query: async (_peer, port) => {
        if (away.now) throw new WarpdriveError('ERR_INTERRUPTED', 'nobody is there')
        const [left, right] = duplexPair()
        void scene.bob.serve(right, ALICE, port)
        return left
      }
    })
    scene.nodes.set(ALICE, again)
    away.now = true
    t.equal(await again.withdraw(id), false)
    t.match(again.offers(2), [{ status: 'withdrawn', untold: true }])
    t.match((await state.load()).offers, [{ status: 'withdrawn', untold: true }])
    t.equal(scene.bob.offers(1)[0]?.status, 'awaiting')
    away.now = false
    if (how === 'asks') await t.rejects(scene.bob.accept(id, undefined), { code: 'ERR_WITHDRAWN' })
    else await again.tellWithdrawn(BOB)
    t.equal(scene.bob.offers(1)[0]?.status, 'withdrawn', how)
    // The answer of who was told may still be on its way.
    await again.tellWithdrawn(BOB)
    t.match(again.offers(2), [{ status: 'withdrawn', untold: undefined }])
    t.match((await state.load()).offers, [{ status: 'withdrawn', untold: undefined }])
    t.equal(scene.files.reads.length, 1, 'it was read to be offered, and never sent')
    await again.close()
  }
})

t.test('what has arrived or was declined stays what it is', async t => {
  const scene = await pair({ 'a.txt': 'one' })
  const first = await scene.alice.createOffer(BOB, '')
  await (await scene.bob.accept(first.id, undefined))?.finished
  const second = await scene.alice.createOffer(BOB, '')
  await scene.bob.decline(second.id)
  for (const { id } of [first, second]) {
    await t.rejects(scene.alice.withdraw(id), { code: 'ERR_SETTLED', remote: false })
    await scene.bob.sendOffer(ALICE, id, [])
  }
  t.same(scene.bob.offers(1).map(({ status }) => status), ['completed', 'rejected'])
  t.same(scene.alice.offers(2).map(({ status }) => status), ['completed', 'rejected'])
})

t.test('of what was whole at the other end by then the sender hears, and of nothing else', async t => {
  const scene = await pair({ 'a.txt': 'one' })
  const { id } = await scene.alice.createOffer(BOB, '')
  await scene.alice.withdraw(id)
  for (const outcome of [1, 2]) await scene.alice.settleOffer(BOB, id, outcome)
  t.equal(scene.alice.offers(2)[0]?.status, 'withdrawn')
  await scene.alice.settleOffer(BOB, id, 0)
  t.equal(scene.alice.offers(2)[0]?.status, 'completed')
})

t.test('an empty list takes back only the offer of who sends it, and is never one itself', async t => {
  const scene = await pair({ 'a.txt': 'one' })
  const { id } = await scene.alice.createOffer(BOB, '')
  await scene.bob.sendOffer('c3'.repeat(32), id, [])
  await scene.bob.sendOffer(ALICE, 'unknown', [])
  t.match(scene.bob.offers(1), [{ id, status: 'awaiting' }])
  t.equal(scene.bob.offers(1).length, 1)
  scene.files.files.clear()
  await t.rejects(scene.alice.createOffer(BOB, ''), { code: 'ERR_BAD_VALUE', remote: false })
})

t.test('who offers again what he had withdrawn has made a new offer', async t => {
  const scene = await pair({ 'a.txt': 'one' })
  const { id } = await scene.alice.createOffer(BOB, '')
  const files = scene.bob.offers(1)[0]?.files ?? []
  await scene.alice.withdraw(id)
  await scene.bob.sendOffer(ALICE, id, files)
  t.match(scene.bob.offers(1), [{ status: 'awaiting', done: [] }])
})
