import { link } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import { encodeBase64, encodeFinal, encodeFrame, type FinalMessage } from '../src/codec.ts'
import { chunkId, serve, upload } from '../src/index.ts'
import { nodeHashes } from '../src/node/index.ts'
import { TransferState } from '../src/transfer-state.ts'
import { connect, FID, fileOf, scene } from './scene.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

t.test('three messages that nobody can read end the connection, each answered; others are served on', async t => {
  const { node, token } = scene()
  for (const payload of ['{', `{"a":${'['.repeat(60_000)}`, `{"message-id":"m","token":"t","files":[{"name":"a","size":${'9'.repeat(60_000)}}]}`, `{${'"message-id":"m",'.repeat(3000)}"x":1}`]) {
    const { speaker, served } = connect(node)
    for (let at = 0; at < 4; at++) speaker.raw(encodeFrame('stream6', 1, text(payload)))
    for (let at = 0; at < 3; at++) t.match(await speaker.hear(), { response: 'Error', reason: 'malformed message' })
    t.equal(await speaker.hear(), undefined)
    speaker.end()
    await served
  }
  const { left, right } = link()
  const served = serve(right, { node })
  t.match(await upload(left, [fileOf('a', 5000)], { token: await token(), hashes: nodeHashes }), { complete: true })
  await served
})

t.test('who may say no more is listened to for a mebibyte, and no longer', async t => {
  const { node } = scene()
  const { left, right } = link()
  const served = serve(right, { node })
  let asked = 0
  const talking = left.sink((async function * () {
    for (let at = 0; at < 3; at++) yield encodeFrame('stream6', 1, text('{'))
    for (; asked < 1000; asked++) yield new Uint8Array(65_536)
  })())
  await Promise.allSettled([served, talking])
  t.ok(asked >= 8 && asked < 64, `${asked} times 64 KiB`)
})

t.test('frames that lie end the connection before a byte of them is kept', async t => {
  for (const [bytes, code] of [[[2, 0xff, 0xff, 0xff, 0xff, 1], 'ERR_TOO_LARGE'], [[3, 0, 0, 0, 0, 3], 'ERR_UNKNOWN_TYPE'], [[2, 0, 0], 'ERR_TRUNCATED']] as const) {
    const { speaker, served } = connect(scene().node)
    speaker.raw(Uint8Array.from(bytes))
    speaker.end()
    await t.rejects(served, { code, scope: 'connection' })
  }
})

t.test('refusals at AUTHENTICATION', async t => {
  const file = (name: string, size = 1n): { name: string, size: bigint } => ({ name, size })
  const REFUSED: Array<[files: ReturnType<typeof file>[], more: object, reason: string]> = [
    [[file('../x')], {}, 'bad file name'], [[file('')], {}, 'bad file name'], [[file('..')], {}, 'bad file name'], [[file('a\u0000')], {}, 'bad file name'],
    [[file('a\\b')], {}, 'bad file name'], [[file('x'.repeat(256))], {}, 'bad file name'],
    [[file('a', 10_000_001n)], {}, 'file too big'],
    [Array.from({ length: 65 }, () => file('a')), {}, 'too many files'],
    [Array.from({ length: 2 }, () => file('a', 10_000_000n)), { blockSize: 64 }, 'file too big'],
    [[file('a')], { tags: ['x'.repeat(65)] }, 'malformed message'], [[file('a')], { tags: [''] }, 'malformed message'],
    [[file('a')], { tags: Array.from({ length: 33 }, () => 'x') }, 'malformed message'],
    [[file('a')], { fid: '../../etc' }, 'malformed message']
  ]
  const { node, token } = scene()
  for (const [files, more, reason] of REFUSED) {
    const { speaker } = connect(node)
    speaker.say({ type: 'Authentication', messageId: 'm', token: await token(), files, fid: FID, tags: [], ...more })
    t.match(await speaker.hear(), { response: 'Error', reason }, reason)
  }
  t.equal(node.openTransfers, 0)
})

t.test('who may do what with a transfer', async t => {
  const { node, token } = scene()
  const auth = async (uid: number, size = 2000n, more: object = {}) => ({ type: 'Authentication', messageId: 'm', token: await token(uid), files: [{ name: 'a', size }], fid: FID, tags: [], ...more }) as const
  const owner = connect(node).speaker
  owner.say(await auth(1))
  t.match(await owner.hear(), { response: 'Ok' })
  const other = connect(node).speaker
  other.say(await auth(2))
  t.match(await other.hear(), { reason: 'This file is not yours' })
  other.say({ type: 'Transfer', messageId: 't', chunk: chunkId(FID, 0, 0, nodeHashes.sha1), data: new Uint8Array(1000) })
  t.match(await other.hear(), { reason: 'unknown chunk' })
  owner.say(await auth(2))
  t.match(await owner.hear(), { reason: 'already authenticated' })
  for (const [size, more] of [[1999n, {}], [2000n, { files: [] }]] as const) {
    const again = connect(node).speaker
    again.say(await auth(1, size, more))
    t.match(await again.hear(), { reason: 'fid conflict' })
  }
})

t.test('profile final: blocks of who did not register the file are refused; a wrong file is missing again', async t => {
  const { node, store, token } = scene()
  const file = fileOf('f', 1500)
  const login = async (uid: number): Promise<ReturnType<typeof connect>['speaker']> => {
    const { speaker } = connect(node, 'final')
    const { userType, payload } = encodeFinal({ type: 'Login', mid: 'l', token: await token(uid) })
    speaker.raw(encodeFrame('stream6', userType, payload))
    t.match(await speaker.hearFinal(), { type: 'LoginOk' })
    return speaker
  }
  const ask = async (speaker: ReturnType<typeof connect>['speaker'], message: FinalMessage): Promise<FinalMessage> => {
    const { userType, payload } = encodeFinal(message)
    speaker.raw(encodeFrame('stream6', userType, payload))
    return await speaker.hearFinal()
  }
  const put = (n: number, bytes: Uint8Array, digest = Buffer.from(nodeHashes.sha256(bytes)).toString('hex')): FinalMessage => ({ type: 'PutChunk', mid: `${n}`, digest: file.digest, chunk: { n, on: 1, digest }, data: encodeBase64(bytes, 60) })
  const owner = await login(1)
  const request = { type: 'Upload', mid: 'u', file: { name: 'f', size: 1500n, chunks: 2n, digest: file.digest, tags: [] } } as const
  t.match(await ask(owner, request), { type: 'UploadOk', path: `/files/${file.digest}` })
  const other = await login(2)
  t.match(await ask(other, put(0, file.content.subarray(0, 1000))), { code: 203, reason: 'This file is not yours' })
  t.match(await ask(owner, put(0, file.content.subarray(0, 1000), '0'.repeat(64))), { code: 200, reason: 'digest mismatch' })
  t.match(await ask(owner, put(0, file.content.subarray(0, 999))), { code: 200, reason: 'bad chunk length' })
  t.equal(store.written.length, 0)
  t.match(await ask(owner, put(1, new Uint8Array(500))), { type: 'PutChunkOk', n: 1 })
  t.match(await ask(owner, put(0, file.content.subarray(0, 1000))), { code: 200, reason: 'digest mismatch' })
  t.match(await ask(owner, request), { code: 204, nextChunk: 0 })
  t.match(await ask(owner, put(1, file.content.subarray(1000))), { type: 'PutChunkOk' })
  t.match(await ask(owner, put(0, file.content.subarray(0, 1000))), { type: 'PutChunkOk' })
  t.match(await ask(owner, request), { code: 206 })
  for (const file of [{ ...request.file, chunks: 3n }, { ...request.file, digest: 'AB'.repeat(32) }]) t.match(await ask(owner, { ...request, file }), { code: 200, reason: 'malformed message' })
})

t.test('a disk that fails is a storage failure, and the block is sent again', async t => {
  const { node, store, token } = scene()
  store.failures = 2
  const { left, right } = link()
  const served = serve(right, { node })
  t.match(await upload(left, [fileOf('a', 40_000)], { token: await token(), hashes: nodeHashes, fid: FID }), { complete: true, blocks: 3 })
  await served
  t.equal(store.written.length, 3)
})

t.test('content that is not what was announced is refused at its end, and can be sent again', async t => {
  const { node, store, token } = scene()
  const right = fileOf('a', 3000)
  const wrong = { ...right, read: (_: number, length: number) => new Uint8Array(length) }
  const go = async (file: typeof right): Promise<unknown> => {
    const pair = link()
    serve(pair.right, { node }).catch(() => {})
    return await upload(pair.left, [file], { token: await token(), hashes: nodeHashes, fid: FID, blockBytes: 1000 })
  }
  await t.rejects(go(wrong), { code: 'ERR_REFUSED', reason: 'digest mismatch' })
  t.match(await go(right), { blocks: 3, complete: true })
  t.ok(store.uploads.get(FID)?.finished.has(0))
})

t.test('ids of another client are given the first gap, once; a strict server refuses them', async t => {
  for (const strict of [false, true]) {
    const { node, token, store } = scene({ strict })
    const { speaker } = connect(node)
    speaker.say({ type: 'Authentication', messageId: 'a', token: await token(), files: [{ name: 'a', size: 2000n }], fid: FID, tags: [] })
    await speaker.hear()
    for (const chunk of ['one', 'one', 'two', 'three', '2', '1e0']) speaker.say({ type: 'Transfer', messageId: chunk, chunk, data: new Uint8Array(1000) })
    const said = []
    for (let at = 0; at < 6; at++) said.push((await speaker.hear())?.reason)
    t.same(said, strict ? Array.from({ length: 6 }, () => 'unknown chunk') : [undefined, undefined, undefined, 'unknown chunk', 'unknown chunk', 'unknown chunk'])
    t.equal(store.written.length, strict ? 0 : 2)
  }
})

t.test('a client that says nothing is let go', async t => {
  const { node, clock } = scene()
  const { served } = connect(node)
  await clock.advance(60_000)
  await t.rejects(served, { code: 'ERR_TIMEOUT' })
  t.equal(clock.pending, 0)
})

t.test('aborting rejects with the reason, on both sides', async t => {
  const { node, token } = scene()
  const { left, right } = link()
  const [a, b] = [new AbortController(), new AbortController()]
  const served = serve(right, { node, signal: a.signal })
  const sent = upload(left, [{ ...fileOf('a', 100_000), read: (_, length) => { b.abort(new Error('enough')); return new Uint8Array(length) } }], { token: await token(), hashes: nodeHashes, signal: b.signal })
  await t.rejects(sent, { message: 'enough' })
  a.abort(new Error('stop'))
  await t.rejects(served)
})

t.test('blocks that are held and missing are all blocks, whatever was marked and reset', async () => {
  const plan = (sizes: number[]): ConstructorParameters<typeof TransferState>[0] => ({ id: FID, owner: 1, blockBytes: 10, files: sizes.map(size => ({ name: 'a', size })), tags: [], createdAt: 0 })
  fc.assert(fc.property(fc.array(fc.nat(95), { minLength: 1, maxLength: 5 }), fc.array(fc.tuple(fc.nat(4), fc.nat(9), fc.boolean())), (sizes, steps) => {
    const blocks = sizes.flatMap((size, file) => Array.from({ length: Math.ceil(size / 10) }, (_, index) => `${file}/${index}`))
    const everything = sizes.flatMap((size, file): Array<[number, number, number]> => size === 0 ? [] : [[file, 0, Math.ceil(size / 10) - 1]])
    const state = new TransferState(plan(sizes), everything)
    const missing = new Set(blocks)
    for (const [file, index, reset] of steps) {
      const place = state.at(file, index)
      if ((place === undefined) === blocks.includes(`${file}/${index}`)) return false
      if (place === undefined) continue
      if (reset) {
        state.reset(file)
        for (const block of blocks) if (block.startsWith(`${file}/`)) missing.add(block)
      } else {
        state.mark(place)
        missing.delete(`${file}/${index}`)
      }
    }
    const named = state.missing().flatMap(([file, first, last]) => Array.from({ length: last - first + 1 }, (_, at) => `${file}/${first + at}`))
    return state.complete === (missing.size === 0) && named.join() === blocks.filter(block => missing.has(block)).join() &&
      blocks.every((block, number) => { const place = state.find(String(number)); return `${place?.file}/${place?.index}` === block })
  }))
})

t.test('sixteen transfers on a connection, and not one more', async t => {
  const { node, token } = scene()
  const { speaker, served } = connect(node)
  for (let at = 0; at < 17; at++) {
    speaker.say({ type: 'Authentication', messageId: `${at}`, token: await token(), files: [{ name: 'a', size: 1n }], tags: [] })
    const answer = await speaker.hear()
    t.match(answer, at < 16 ? { response: 'Ok', fid: /^[\da-f]{8}-/ } : { response: 'Error', reason: 'quota exceeded' })
  }
  t.equal(node.openTransfers, 16)
  speaker.end()
  await served
  t.equal(node.openTransfers, 0)
})
