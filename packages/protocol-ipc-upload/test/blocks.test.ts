/** Blocks and pieces without JSON, between two of our own. */
import { duplexPair, link } from '@ropewalk/testing'
import t from 'tap'
import { decodeFinal, decodeReadme, encodeFrame, encodeReadme, FinalType, ReadmeType, type RawBlock, type Taken } from '../src/codec.ts'
import { downloadFinal, serve, upload } from '../src/index.ts'
import { nodeHashes } from '../src/node/index.ts'
import { connect, FID, fileOf, scene, Speaker } from './scene.ts'

const sha256 = (bytes: Uint8Array): string => Buffer.from(nodeHashes.sha256(bytes)).toString('hex')

function frame (message: RawBlock | Taken): Uint8Array {
  const { payload, tail = new Uint8Array(0), userType } = encodeReadme(message)
  return encodeFrame('stream6', userType, Buffer.concat([payload, tail]))
}

t.test('what is encoded is decoded; what is short, long or too many is refused', async t => {
  const block: RawBlock = { type: 'Block', sequence: 0xfffffffe, file: 3, index: 70_000, data: Uint8Array.of(1, 0, 255) }
  t.same(decodeReadme(ReadmeType.Block, frame(block).subarray(6)), block)
  const taken: Taken = { type: 'Taken', blocks: [{ sequence: 7, digest: 'ab'.repeat(32) }, { sequence: 8, digest: '0'.repeat(64) }] }
  t.same(decodeReadme(ReadmeType.Taken, frame(taken).subarray(6)), taken)
  for (const length of [0, 11]) t.throws(() => decodeReadme(ReadmeType.Block, new Uint8Array(length)), { code: 'ERR_MALFORMED' })
  t.throws(() => decodeReadme(ReadmeType.Block, new Uint8Array(12 + 16_385)), { code: 'ERR_BAD_DATA', messageId: '0' })
  for (const length of [0, 67, 69, 65 * 68]) t.throws(() => decodeReadme(ReadmeType.Taken, new Uint8Array(length)), { code: 'ERR_MALFORMED' })
})

t.test('agreed on: content goes as it is, and one message acknowledges many blocks', async t => {
  const { node, store, token } = scene({ blockBytes: 1000 })
  const file = fileOf('a', 20_500)
  const { left, right } = link()
  const served = serve(right, { node })
  const seen: number[] = []
  t.match(await upload(left, [file], { token: await token(), hashes: nodeHashes, fid: FID, onBlock: ({ index }) => { seen.push(index) } }), { blocks: 21, complete: true })
  await served
  t.same(store.uploads.get(FID)?.content[0], file.content)
  t.same(seen, Array.from({ length: 21 }, (_, index) => index))
})

t.test('by hand: errors have the sequence for their id, and the last Ok says complete', async t => {
  const { node, store, token } = scene({ blockBytes: 1000 })
  const file = fileOf('a', 2500)
  const { speaker } = connect(node)
  const block = (sequence: number, index: number, from = index * 1000): Uint8Array => frame({ type: 'Block', sequence, file: 0, index, data: file.content.subarray(from, Math.min(from + 1000, 2500)) })
  const auth = { type: 'Authentication', messageId: 'a', token: await token(), files: [{ name: 'a', size: 2500n, digest: file.digest }], fid: FID, tags: [], blockSize: 1000, window: 8 } as const
  speaker.say(auth)
  t.notOk((await speaker.hear())?.rawBlocks)
  speaker.raw(block(1, 0))
  t.match(await speaker.hear(), { response: 'Error', reason: 'unknown message type' }, 'not agreed on')

  speaker.say({ ...auth, messageId: 'b', rawBlocks: true })
  t.match(await speaker.hear(), { response: 'Ok', rawBlocks: true })
  speaker.raw(block(10, 3))
  t.match(await speaker.hear(), { messageId: '10', response: 'Error', reason: 'unknown chunk' })
  speaker.raw(block(11, 1, 2000))
  t.match(await speaker.hear(), { messageId: '11', response: 'Error', reason: 'bad chunk length' })
  speaker.raw(Buffer.concat([block(12, 1), block(13, 0)]))
  t.same(await speaker.hearAny(), { type: 'Taken', blocks: [{ sequence: 12, digest: sha256(file.content.subarray(1000, 2000)) }, { sequence: 13, digest: sha256(file.content.subarray(0, 1000)) }] })
  speaker.raw(Buffer.concat([block(14, 1, 0), block(15, 1)]))
  t.match(await speaker.hear(), { messageId: '14', response: 'Error', reason: 'chunk conflict' })
  t.match(await speaker.hearAny(), { type: 'Taken', blocks: [{ sequence: 15 }] })
  speaker.raw(block(16, 2))
  t.match(await speaker.hear(), { messageId: '16', response: 'Ok', complete: true, digest: sha256(file.content.subarray(2000)) })
  t.same(store.uploads.get(FID)?.content[0], file.content)
})

t.test('X9: an acknowledgement of other bytes, of what was never sent, and one that comes again', async t => {
  for (const [answer, code] of [[[0, '0'.repeat(64)], 'ERR_DIGEST'], [[9, ''], 'ERR_STRAY_RESPONSE'], [[0, ''], 'ERR_STRAY_RESPONSE']] as const) {
    const { left, right } = link()
    const file = fileOf('a', 3000)
    const sent = upload(left, [file], { token: 'x', hashes: nodeHashes, fid: FID, blockBytes: 1000 })
    sent.catch(() => {})
    const server = new Speaker(right)
    const { messageId } = await server.hearAny()
    server.say({ type: 'Response', messageId, response: 'Ok', blockSize: 1000, window: 2, rawBlocks: true })
    const [sequence, digest] = answer
    const block = { sequence, digest: digest === '' ? sha256(file.content.subarray(0, 1000)) : digest }
    server.raw(frame({ type: 'Taken', blocks: code === 'ERR_DIGEST' ? [block] : [block, block, block, block] }))
    await t.rejects(sent, { code, remote: true })
  }
})

t.test('downloads: a window of pieces at a time where both can, 1000 bytes where not; the same content', async t => {
  const { node, token } = scene()
  const file = fileOf('f.bin', 2_300_001)
  const [sender, receiver] = duplexPair()
  const served = serve(receiver, { node })
  await upload(sender, [file], { token: await token(), hashes: nodeHashes, fid: FID })
  await served
  for (const ranges of [true, false]) {
    const [left, right] = duplexPair()
    serve(right, { node, profile: 'final' }).catch(() => {})
    const got = new Uint8Array(file.size)
    let pieces = 0
    await downloadFinal(left, { digest: file.digest }, (bytes, position) => {
      got.set(bytes, position)
      pieces++
    }, { token: await token(), hashes: nodeHashes, ranges })
    t.equal(Buffer.compare(got, file.content), 0)
    // Pieces do not cross from one range to the next.
    t.equal(pieces, ranges ? 64 + 64 + 13 : 2301)
  }
})

t.test('ranges that are not there, too long, or not agreed on', async t => {
  const { node, token } = scene()
  const { speaker } = connect(node, 'final')
  const ask = (userType: number, json: object): void => { speaker.raw(encodeFrame('stream6', userType, new TextEncoder().encode(JSON.stringify({ mid: 'm', ...json })))) }
  ask(FinalType.Login, { token: await token() })
  t.strictSame(await speaker.hearFinal(), { type: 'LoginOk', mid: 'm' })
  const filedigest = 'f'.repeat(64)
  ask(FinalType.GetRange, { filedigest, position: 0, length: 1 })
  t.match(await speaker.hearFinal(), { type: 'Failure', code: 200 })
  ask(FinalType.Login, { token: await token(), ranges: true })
  t.strictSame(await speaker.hearFinal(), { type: 'LoginOk', mid: 'm', ranges: true })
  for (const [position, length, code] of [[0, 1, 205], [0, 1_048_577, 200], [0, 0, 200]]) {
    ask(FinalType.GetRange, { filedigest, position, length })
    t.match(await speaker.hearFinal(), { type: 'Failure', mid: 'm', code })
  }
  t.same(decodeFinal(FinalType.Piece, Uint8Array.of(1, 2)), { type: 'Piece', mid: '', data: Uint8Array.of(1, 2) })
})

t.test('a server whose pieces are more than the file, or other bytes', async t => {
  for (const [piece, code] of [[new Uint8Array(11), 'ERR_BAD_LENGTH'], [new Uint8Array(0), 'ERR_BAD_LENGTH'], [new Uint8Array(10), 'ERR_DIGEST']] as const) {
    const { left, right } = link()
    const fetched = downloadFinal(left, { digest: 'a'.repeat(64) }, () => {}, { token: 'x', hashes: nodeHashes, messageId: () => 'm' })
    fetched.catch(() => {})
    const server = new Speaker(right)
    const say = (userType: number, json: object): void => { server.raw(encodeFrame('stream6', userType, new TextEncoder().encode(JSON.stringify({ mid: 'm', ...json })))) }
    await server.frame()
    say(FinalType.LoginOk, { ranges: true })
    await server.frame()
    say(FinalType.Download, { file_info: { name: 'a', size: 10, nb_chunks: 1, digest: 'a'.repeat(64), tags: [] } })
    await server.frame()
    server.raw(encodeFrame('stream6', FinalType.Piece, piece))
    server.end()
    await t.rejects(fetched, { code })
  }
})
