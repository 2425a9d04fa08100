import { duplexPair, scriptedPeer, turn } from '@ropewalk/testing'
import t from 'tap'
import { encodeJsonArgument } from '../src/codec.ts'
import { acceptOffer, createOffer, endSession, listOffers, listPeers, Session, updatePeer } from '../src/index.ts'
import { IDLE_TIMEOUT_MS, MAX_PEER_SESSIONS } from '../src/constants.ts'
import { Listeners } from '../src/listeners.ts'
import { ALICE, BOB, pair } from './nodes.ts'

t.test('local commands over the wire, from the node itself: trust, offer, list, accept', async t => {
  const scene = await pair({ 'a.txt': 'one' })
  const local = (node: typeof scene.alice): Session => {
    const [left, right] = duplexPair()
    void node.serve(right, node.identity, 'warpdrive')
    return new Session(left, { clock: scene.clock })
  }
  const alice = local(scene.alice)
  const { id, accepted } = await createOffer(alice, BOB, 'a.txt')
  t.equal(accepted, false)
  const bob = local(scene.bob)
  await updatePeer(bob, ALICE, 'alias', 'Alice & <co>')
  t.same(await listPeers(bob), [{ id: ALICE, alias: 'Alice & <co>', mod: '' }])
  t.match(await listOffers(bob, 1), [{ id, incoming: true, peer: ALICE, status: 'awaiting' }])
  const accepting = acceptOffer(bob, id)
  await turn()
  await scene.clock.advance(2000)
  await accepting
  while (scene.bob.offers(1)[0]?.status !== 'completed') await turn()
  await Promise.all([endSession(alice), endSession(bob)])
  t.equal(scene.inbox.files.size, 1)
  await t.rejects(createOffer(new Session(duplexPair()[0]), BOB, 'a'.repeat(256)), { name: 'RangeError', message: '256 > 255 elements' })
})

t.test('JSON arguments avoid the lengths at which the original leaves the LF behind', async t => {
  for (const length of [511, 512, 513, 1536, 3584, 7680]) {
    const bytes = encodeJsonArgument(['a'.repeat(length - 4)])
    t.equal(bytes.length - 1, [512, 1536, 3584, 7680].includes(length) ? length + 1 : length)
    t.same(JSON.parse(new TextDecoder().decode(bytes)), ['a'.repeat(length - 4)])
  }
})

t.test('a session without a command ends, and one peer has only so many', async t => {
  const { alice, clock } = await pair({})
  const served = Array.from({ length: MAX_PEER_SESSIONS + 1 }, async () => alice.serve(duplexPair()[1], BOB, 'warpdrive'))
  t.match(await served.at(-1), { code: 'ERR_TOO_MANY', message: 'too many sessions of one peer: 33 > 32' })
  await clock.advance(IDLE_TIMEOUT_MS)
  await clock.advance(2000)
  t.match(await served[0], { code: 'ERR_TIMEOUT' })
  await Promise.all(served)
  t.equal(clock.pending, 0)
})

t.test('an unknown offer is closed at once', async t => {
  const { alice } = await pair({})
  const [left, right] = duplexPair()
  const served = alice.serve(right, BOB, 'warpdrive')
  const peer = scriptedPeer(left)
  await peer.send(Uint8Array.of(0x65, 1, 0x78, ...new Uint8Array(16)))
  await peer.end()
  t.equal((await peer.readUntilGone()).bytes.length, 0)
  t.match(await served, { code: 'ERR_UNKNOWN_OFFER' })
})

t.test('a listener that lags is disconnected', async t => {
  const listeners = new Listeners(2)
  const events = listeners.listen(() => true, {})[Symbol.asyncIterator]()
  const offer = { id: 'a', incoming: true, status: 'awaiting', index: -1, progress: 0, updatedAt: 0, createdAt: 0, peer: BOB, files: [] } as const
  for (let i = 0; i < 3; i++) listeners.publish(offer)
  await t.rejects(events.next(), { code: 'ERR_SLOW' })
})

t.test('symbolic links are refused on both sides unless they are asked for, and then have no bytes', async t => {
  const refusing = await pair({ a: 'one', l: 'xx' })
  refusing.files.links['l'] = 'a'
  await t.rejects(refusing.alice.createOffer(BOB, ''), { code: 'ERR_SYMLINK' })
  const half = await pair({ a: 'one', l: 'xx' }, { alice: { symlinks: true } })
  half.files.links['l'] = 'a'
  await t.rejects(half.alice.createOffer(BOB, ''), { code: 'ERR_REFUSED' })
  const both = await pair({ a: 'one', l: 'xx' }, { alice: { symlinks: true }, bob: { symlinks: true } })
  both.files.links['l'] = 'a'
  await both.alice.createOffer(BOB, '')
  t.match(both.bob.offers(1)[0]?.files[1], { link: 'a', size: 0 })
  // Whoever wrote what is below one would write wherever it leads.
  for (const [link, name] of [['l', 'l/a'], ['l', 'l/a/b'], ['\u00e9', 'e\u0301/a']] as const) {
    const below = await pair({ [link]: '', [name]: 'one' }, { alice: { symlinks: true }, bob: { symlinks: true } })
    below.files.links[link] = '.'
    await t.rejects(below.alice.createOffer(BOB, ''), { code: 'ERR_BAD_NAME' }, name)
  }
})
