import { duplexPair, link } from '@ropewalk/testing'
import t from 'tap'
import { chunkId, downloadFinal, serve, upload, uploadFinal } from '../src/index.ts'
import { nodeHashes } from '../src/node/index.ts'
import { bytesOf, vector } from './recorded.ts'
import { connect, FID, fileOf, MemoryUploadStore, scene, Speaker } from './scene.ts'

t.test('chunk ids are those of the specification', async t => {
  for (const { file, index, chunk } of vector('readme-auth').fields['expectedChunks'] as Array<{ file: number, index: number, chunk: string }>) {
    t.equal(chunkId(FID, file, index, nodeHashes.sha1), chunk)
  }
})

t.test('files of awkward sizes, over every framing, in blocks that both agreed on', async t => {
  for (const framing of ['stream6', 'stream4'] as const) {
    for (const [blockBytes, window] of [[16_384, 64], [1000, 1], [64, 3]] as const) {
      const { node, store, token, clock } = scene()
      const files = [0, 1, 63, 64, 65, 999, 1000, 1001, 16_384, 40_000].map((size, at) => fileOf(`f${at}`, size, at + 1))
      const [left, right] = duplexPair({ chunkBytes: 1371 })
      const served = serve(right, { node, framing })
      const result = await upload(left, files, { token: await token(), hashes: nodeHashes, framing, fid: FID, blockBytes, window, tags: ['a'], clock })
      await served
      t.match(result, { fid: FID, complete: true, blockBytes, window, blocks: files.reduce((sum, { size }) => sum + Math.ceil(size / blockBytes), 0) })
      const kept = store.uploads.get(FID)
      t.same(kept?.content.map(content => Buffer.from(content).toString('hex')), files.map(({ content }) => Buffer.from(content).toString('hex')))
      t.equal(kept?.finished.size, files.length)
      t.same(kept?.plan.tags, ['a'])
      t.equal(node.openTransfers, 0)
      t.equal(clock.pending, 0)
    }
  }
})

t.test('a server that offers nothing gets blocks of 1000 bytes, one at a time', async t => {
  const { token } = scene()
  const { left, right } = link()
  const file = fileOf('a', 2500)
  const sent = upload(left, [file], { token: await token(), hashes: nodeHashes, fid: FID })
  const server = new Speaker(right)
  const auth = await server.hearAny()
  server.say({ type: 'Response', messageId: auth.messageId, response: 'Ok' })
  for (let index = 0; index < 3; index++) {
    const message = await server.hearAny()
    if (message.type !== 'Transfer') throw new Error(message.type)
    t.same(Buffer.from(message.data), Buffer.from(file.content.subarray(index * 1000, index * 1000 + 1000)))
    server.say({ type: 'Response', messageId: message.messageId, response: 'Ok' })
  }
  server.end()
  t.match(await sent, { blocks: 3, blockBytes: 1000, window: 1, complete: false })
})

t.test('a connection that breaks: a new one sends only what is missing', async t => {
  const { node, store, token } = scene({ window: 4, blockBytes: 1000 })
  const file = fileOf('a', 50_000)
  const first = link()
  const served = serve(first.right, { node })
  served.catch(() => {})
  let acknowledged = 0
  const broken = upload(first.left, [file], { token: await token(), hashes: nodeHashes, fid: FID, onBlock: () => { if (++acknowledged === 20) first.cut('reset') } })
  await t.rejects(broken, { code: 'ERR_INTERRUPTED' })
  await served.catch(() => {})
  const before = store.written.length
  t.ok(before >= 20 && before < 50, `${before} blocks`)

  const [left, right] = duplexPair()
  const again = serve(right, { node })
  t.match(await upload(left, [file], { token: await token(), hashes: nodeHashes, fid: FID }), { blocks: 50 - before, complete: true })
  await again
  t.equal(store.written.length, 50)
  t.same(store.uploads.get(FID)?.content[0], file.content)
})

t.test('windows make batches: fewer writes than blocks, and acks in order with the digest of each block', async t => {
  const { node, store, token } = scene()
  const { speaker } = connect(node)
  const file = fileOf('a', 8 * 1000)
  speaker.say({ type: 'Authentication', messageId: 'auth', token: await token(), files: [{ name: 'a', size: 8000n }], fid: FID, tags: [], window: 8 })
  t.match(await speaker.hear(), { messageId: 'auth', response: 'Ok', missing: [[0, 0, 7]], window: 8 })
  const order = [7, 3, 0, 1, 2, 6, 5, 4]
  for (const index of order) speaker.say({ type: 'Transfer', messageId: `m${index}`, chunk: chunkId(FID, 0, index, nodeHashes.sha1), data: file.content.subarray(index * 1000, (index + 1) * 1000) })
  for (const [at, index] of order.entries()) {
    const digest = Buffer.from(nodeHashes.sha256(file.content.subarray(index * 1000, (index + 1) * 1000))).toString('hex')
    t.match(await speaker.hear(), { messageId: `m${index}`, response: 'Ok', digest, ...(at === 7 ? { complete: true } : {}) })
  }
  t.ok(store.batches <= 8)
  t.same(store.uploads.get(FID)?.content[0], file.content)
})

t.test('profile final: upload, again, resume, download, and the digest of what was stored in the ack', async t => {
  const { node, token, store } = scene()
  const file = fileOf('f.bin', 2500)
  const empty = fileOf('e', 0)
  const options = async (): Promise<{ token: string, hashes: typeof nodeHashes, tags: string[] }> => ({ token: await token(), hashes: nodeHashes, tags: ['x'] })
  const run = async <T>(talk: (left: ReturnType<typeof duplexPair>[0]) => Promise<T>): Promise<T> => {
    const [left, right] = duplexPair()
    const served = serve(right, { node, profile: 'final' })
    const result = await talk(left)
    await served
    return result
  }
  t.same(await run(async left => await uploadFinal(left, [file, empty], await options())), [{ blocks: 3, present: false }, { blocks: 0, present: false }])
  t.same(await run(async left => await uploadFinal(left, [file, empty], await options())), [{ blocks: 0, present: true }, { blocks: 0, present: true }])
  for (const wanted of [{ digest: file.digest }, { name: 'f.bin' }, { tags: ['x'], name: 'f.bin' }]) {
    const got = new Uint8Array(2500)
    const info = await run(async left => await downloadFinal(left, wanted, (bytes, position) => { got.set(bytes, position) }, await options()))
    t.match(info, { name: 'f.bin', size: 2500n, chunks: 3n, digest: file.digest })
    t.same(got, file.content)
  }
  const [left, right] = duplexPair()
  serve(right, { node, profile: 'final' }).catch(() => {})
  await t.rejects(downloadFinal(left, { digest: 'f'.repeat(64) }, () => {}, await options()), { code: 'ERR_NOT_FOUND' })
  t.equal(store.written.length, 3)
})

t.test('a store whose block is shorter than it was written fails the upload, and holds up nobody', async t => {
  const shortened = new MemoryUploadStore()
  const { node, token, store } = scene({ store: shortened })
  const read = shortened.read.bind(shortened)
  let kept = 0
  shortened.read = async (plan, file, index) => (await read(plan, file, index)).subarray(0, kept)
  for (kept of [0, 999]) {
    store.uploads.clear()
    const file = fileOf('short', 2500, kept)
    const [left, right] = duplexPair()
    const served = serve(right, { node, profile: 'final' }).catch(() => {})
    await t.rejects(uploadFinal(left, [file], { token: await token(), hashes: nodeHashes }), { code: 'ERR_REFUSED', reason: 'storage failure' })
    await served
  }
})

t.test('refusals of the vectors, in the words of the specification', async t => {
  const REFUSED: Array<[name: string, reason: string, authenticated: boolean]> = [
    ['readme-refuse-not-authenticated', 'user not logged', false],
    ['readme-refuse-bad-length', 'bad chunk length', true],
    ['readme-refuse-bad-data', 'bad data encoding', true],
    ['readme-refuse-bad-name', 'bad file name', false],
    ['readme-refuse-unknown-type', 'unknown message type', true],
    ['readme-auth-u64-and-mid-alias', 'file too big', false]
  ]
  for (const [name, reason, authenticated] of REFUSED) {
    const { speaker } = connect(scene().node)
    if (authenticated) {
      speaker.raw(bytesOf(vector('readme-auth').hex))
      t.match(await speaker.hear(), { response: 'Ok', missing: [[0, 0, 2], [1, 0, 0]] })
    }
    speaker.raw(bytesOf(vector(name).hex))
    t.match(await speaker.hear(), { response: 'Error', reason, messageId: /^a3bb189e/ }, name)
  }
  const { speaker } = connect(scene().node)
  for (const name of ['readme-auth', 'readme-transfer-1000', 'readme-transfer-counter', 'readme-transfer-base64', 'readme-transfer-array-of-base64']) speaker.raw(bytesOf(vector(name).hex))
  for (let at = 0; at < 5; at++) t.match(await speaker.hear(), { response: 'Ok' })
  speaker.raw(bytesOf(vector('readme-auth').hex))
  const resumed = await speaker.hear()
  t.same(resumed?.missing, [[0, 1, 2]])
})
