import { turn } from '@ropewalk/testing'
import t from 'tap'
import { createIdentity, dial, type DialTlsOptions } from '../src/index.ts'
import { bytesOf, connected, identity, listening, take } from './sockets.ts'

t.test('a peer with another key is refused, with both fingerprints, before it gets a byte', async t => {
  const refused = Promise.withResolvers<undefined>()
  const listener = await listening(t, 'tls', { onRefused: () => refused.resolve(undefined) })
  const wanted = 'ab'.repeat(32)
  const taken = Promise.race([take(listener), refused.promise])
  const { address } = listener
  if (address.transport !== 'tls') throw new Error('not this one')

  const { fingerprint } = await identity()
  await t.rejects(dial({ ...address, fingerprint: wanted }), { code: 'ERR_UNTRUSTED', message: new RegExp(`${fingerprint}.*${wanted}`), remote: true })
  // The server may see it leave before or after its own side of the handshake is done.
  const connection = await taken
  t.equal(connection == null ? 0 : (await bytesOf(connection.source)).length, 0)
  connection?.abort(new Error('over'))
})

t.test('without a fingerprint somebody must vouch for the peer', async t => {
  const { address } = await listening(t, 'tls')
  if (address.transport !== 'tls') throw new Error('not this one')
  const { fingerprint, certificate } = await identity()
  const open = { ...address, fingerprint: undefined }
  const trust = async (tls: DialTlsOptions, to = open): Promise<string | undefined> => {
    const connection = await dial(to, { tls })
    connection.abort(new Error('over'))
    return connection.remote.fingerprint
  }

  await t.rejects(trust({}), { code: 'ERR_UNTRUSTED', message: new RegExp(`${fingerprint}.*nothing says`) })
  await t.rejects(trust({ verify: () => false }), { code: 'ERR_UNTRUSTED', message: /not accepted/ })
  await t.rejects(trust({ verify: async () => { throw new Error('no terminal') } }), { message: 'no terminal' })
  t.equal(await trust({ verify: async shown => shown === fingerprint }), fingerprint)

  t.equal(await trust({ ca: certificate }), fingerprint)
  t.equal(await trust({ ca: certificate }, { ...open, host: 'localhost' }), fingerprint)
  await t.rejects(trust({ ca: (await createIdentity()).certificate }), { code: 'ERR_UNTRUSTED', message: /no authority/ })
})

t.test('an authority vouches for a name, not for every name', async t => {
  const other = await createIdentity({ names: ['other.example'] })
  const listener = await listening(t, 'tls', { tls: { identity: other } })
  const { address } = listener
  if (address.transport !== 'tls') throw new Error('not this one')
  await t.rejects(dial({ ...address, fingerprint: undefined }, { tls: { ca: other.certificate } }), { code: 'ERR_UNTRUSTED', message: /ALTNAME/ })
})

t.test('both sides can know each other', async t => {
  const own = await createIdentity()
  const { dialled, accepted } = await connected(t, 'tls', { tls: { identity: own } }, { tls: { identity: await identity(), requestClientCertificate: true } })
  t.equal(accepted.remote.fingerprint, own.fingerprint)
  t.equal(dialled.remote.fingerprint, (await identity()).fingerprint)
  await dialled.sink([Uint8Array.of(1)])
  t.equal((await bytesOf(accepted.source)).length, 1)
})

t.test('a client that shows nothing is let in and has no fingerprint; one that is not asked shows nothing', async t => {
  const asked = await connected(t, 'tls', {}, { tls: { identity: await identity(), requestClientCertificate: true } })
  t.equal(asked.accepted.remote.fingerprint, undefined)
  const unasked = await connected(t, 'tls', { tls: { identity: await createIdentity() } })
  t.equal(unasked.accepted.remote.fingerprint, undefined)
})

t.test('both sides must speak the same protocol where they name any', async t => {
  const listener = await listening(t, 'tls', { tls: { identity: await identity(), alpn: ['mdsftp'] } })
  const [dialled, accepted] = await Promise.all([dial(listener.address, { tls: { alpn: ['other', 'mdsftp'] } }), take(listener)])
  dialled.abort(new Error('over'))
  accepted.abort(new Error('over'))
  await t.rejects(dial(listener.address, { tls: { alpn: ['other'] } }), { code: 'ERR_TLS' })
})

for (const reader of ['dialled', 'accepted'] as const) {
  t.test(`${reader}, attached: records are lent or given as the receiver wants, and none comes while it has paused`, async t => {
    const pair = await connected(t, 'tls')
    const writer = pair[reader === 'dialled' ? 'accepted' : 'dialled']
    const sent = Buffer.from(Array.from({ length: 4_000_000 }, (_, i) => (i * 7) >> 3))
    const given: Uint8Array[] = []
    const lent: boolean[] = []
    const ended = Promise.withResolvers<Error | undefined>()
    let keeps = false
    let paused = false
    let came = 0
    const flow = pair[reader].attach?.({
      get keeps () { return keeps },
      bytes (bytes, isLent = true) {
        t.notOk(paused)
        lent.push(isLent)
        given.push(isLent ? bytes.slice() : bytes)
        keeps = given.length % 7 < 3
        if (given.length % 5 !== 0) return
        paused = true
        flow?.pause()
        came++
        setImmediate(() => {
          paused = false
          flow?.resume()
        })
      },
      end: ended.resolve
    })
    await Promise.all([writer.sink([sent]), ended.promise.then(error => t.equal(error, undefined))])
    t.equal(Buffer.compare(Buffer.concat(given), sent), 0)
    t.ok(lent.includes(true) && lent.includes(false), 'this Node reads TLS into buffers of ours')
    t.ok(came > 10)
  })
}

t.test('what a TLS socket has read before anybody asks comes first', async t => {
  const { dialled, accepted } = await connected(t, 'tls')
  const sent = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * 7) >> 3))
  const asked = Promise.withResolvers<void>()
  const writing = accepted.sink((async function * () {
    yield sent.subarray(0, 100_000)
    await asked.promise
    yield sent.subarray(100_000)
  })())
  for (let turns = 0; turns < 50; turns++) await turn()
  asked.resolve()
  t.equal(Buffer.compare(await bytesOf(dialled.source), sent), 0)
  await writing
})
