/** Section 4 of the specification, decision by decision: the number of a test is that of its row. */
import { link } from '@ropewalk/testing'
import t from 'tap'
import { encodeFrame, encodeReadme, type ReadmeMessage } from '../src/codec.ts'
import { chunkId, serve, upload } from '../src/index.ts'
import { nodeHashes } from '../src/node/index.ts'
import { connect, FID, fileOf, scene, Speaker, type Scene } from './scene.ts'

type Auth = ReadmeMessage & { type: 'Authentication' }
const sha1 = nodeHashes.sha1
const id = (index: number, file = 0): string => chunkId(FID, file, index, sha1)

async function auth ({ token }: Scene, more: Partial<Auth> = {}, uid?: number): Promise<Auth> {
  return { type: 'Authentication', messageId: 'auth', token: await token(uid), files: [{ name: 'a', size: 2500n }], fid: FID, tags: [], ...more }
}

/** A connection on which a transfer was begun. */
async function begun (setting: Scene, more: Partial<Auth> = {}): Promise<Speaker> {
  const { speaker } = connect(setting.node)
  speaker.say(await auth(setting, more))
  t.match(await speaker.hear(), { response: 'Ok' })
  return speaker
}

function raw (speaker: Speaker, userType: number, json: string): void {
  speaker.raw(encodeFrame('stream6', userType, new TextEncoder().encode(json)))
}

function put (speaker: Speaker, chunk: string, data: Uint8Array, messageId: string = chunk): void {
  speaker.say({ type: 'Transfer', messageId, chunk, data })
}

t.test('rows 1, 2, 27: mid for message-id, any id of 1 to 128 bytes comes back as it was, other keys are ignored', async t => {
  const setting = scene()
  const { speaker } = connect(setting.node)
  const token = await setting.token()
  for (const messageId of ['x', 'Ä'.repeat(64), 'a3bb189e-8bf9-4888-9912-ace4e6543002']) {
    raw(speaker, 1, JSON.stringify({ mid: messageId, token, files: [{ name: 'a', size: 1, mode: 7 }], fid: FID, tags: [], colour: 'blue' }))
    t.match(await speaker.hear(), { messageId, response: 'Ok' })
  }
  raw(speaker, 1, JSON.stringify({ mid: 'x'.repeat(129), token, files: [], fid: FID, tags: [] }))
  t.match(await speaker.hear(), { messageId: '', reason: 'malformed message' })
  t.match(new TextDecoder().decode(encodeReadme(await auth(setting)).payload), /^{"message-id":"auth"/, 'ours is message-id')
})

t.test('rows 3, 23: 1000 bytes and one at a time, unless both can do more', async t => {
  const setting = scene({ blockBytes: 4096, window: 8 })
  const offer = async (more: Partial<Auth>, fid: string): Promise<unknown> => {
    const { speaker } = connect(setting.node)
    speaker.say(await auth(setting, { ...more, fid }))
    return await speaker.hear()
  }
  const at = (digit: number): string => FID.replace(/.$/, String(digit))
  t.strictSame(Object.keys(await offer({}, at(1)) as object).filter(key => /block|window/.test(key)), [], 'nothing is offered to who asks for nothing')
  t.match(await offer({ blockSize: 16_384, window: 64 }, at(2)), { blockSize: 4096, window: 8 })
  t.match(await offer({ blockSize: 64, window: 1 }, at(3)), { blockSize: 64, window: 1 })
})

t.test('row 4: content as text of either alphabet, in pieces, and as numbers', async t => {
  const setting = scene()
  const speaker = await begun(setting, { files: [{ name: 'a', size: 5000n }] })
  const block = (fill: number): Uint8Array => new Uint8Array(1000).fill(fill)
  const text = Buffer.from(block(0xfb)).toString('base64')
  const FORMS: unknown[] = [text, text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''), text.replace(/.{60}/g, '$&\n'), [text.slice(0, 400), text.slice(400)], Array.from(block(0xfb))]
  for (const [index, data] of FORMS.entries()) {
    raw(speaker, 3, JSON.stringify({ 'message-id': `m${index}`, chunk: id(index), data }))
    t.match(await speaker.hear(), { messageId: `m${index}`, response: 'Ok' })
  }
  t.same(setting.store.uploads.get(FID)?.content[0], new Uint8Array(5000).fill(0xfb))
  t.match(new TextDecoder().decode(encodeReadme({ type: 'Transfer', messageId: 'm', chunk: 'c', data: Uint8Array.of(1, 2) }, 'array').payload), /"data":\[1,2\]/)
})

t.test('rows 5, 7, 24: a block is its UUID, or its place among all blocks, in any order', async t => {
  const setting = scene()
  const speaker = await begun(setting, { files: [{ name: 'a', size: 1500n }, { name: 'b', size: 1001n }] })
  for (const [chunk, length] of [[id(1, 1), 1], ['1', 500], [id(0, 0), 1000], ['2', 1000]] as const) {
    put(speaker, chunk, new Uint8Array(length).fill(length % 251))
    t.match(await speaker.hear(), { response: 'Ok' }, chunk)
  }
  t.same(setting.store.written.map(({ file, index }) => [file, index]), [[1, 1], [0, 1], [0, 0], [1, 0]])
})

t.test('row 6: strange ids have the first gap, and the same id is the same block', async t => {
  const setting = scene()
  const speaker = await begun(setting)
  for (const chunk of ['strange', 'strange', 'other']) {
    put(speaker, chunk, new Uint8Array(1000))
    t.match(await speaker.hear(), { response: 'Ok' })
  }
  t.same(setting.store.written.map(({ index }) => index), [0, 1])
  const strict = scene({ strict: true })
  const other = await begun(strict)
  put(other, 'strange', new Uint8Array(1000))
  t.match(await other.hear(), { reason: 'unknown chunk' })
})

t.test('rows 8, 10: every block is full but the last; twice is Ok, otherwise a conflict', async t => {
  const speaker = await begun(scene())
  for (const [index, length, reason] of [[0, 999, 'bad chunk length'], [0, 1001, 'bad chunk length'], [2, 1000, 'bad chunk length'], [2, 500, undefined], [2, 500, undefined]] as const) {
    put(speaker, id(index), new Uint8Array(length))
    t.equal((await speaker.hear())?.reason, reason)
  }
  put(speaker, id(2), new Uint8Array(500).fill(1))
  t.match(await speaker.hear(), { reason: 'chunk conflict' })
})

t.test('rows 9, 22: an empty file is whole at once; the Ok of the last block says complete', async t => {
  const { speaker } = connect(scene().node)
  const setting = scene()
  const one = connect(setting.node).speaker
  one.say(await auth(setting, { files: [{ name: 'e', size: 0n }] }))
  t.match(await one.hear(), { missing: [], complete: true })
  speaker.end()
  const two = await begun(scene(), { files: [{ name: 'a', size: 1001n }] })
  put(two, id(1), new Uint8Array(1))
  t.equal((await two.hear())?.complete, undefined)
  put(two, id(0), new Uint8Array(1000))
  t.match(await two.hear(), { complete: true })
})

t.test('rows 11, 12, 13: one fid for all files, made by the server where there is none; what is missing comes in ranges', async t => {
  const setting = scene()
  const files = [{ name: 'a', size: 3000n }, { name: 'b', size: 10n }]
  const { speaker } = connect(setting.node)
  const { fid: _none, ...without } = await auth(setting, { files })
  speaker.say(without)
  const { fid } = await speaker.hear() as { fid: string }
  t.match(fid, /^[\da-f]{8}-[\da-f]{4}-4/)
  put(speaker, chunkId(fid, 0, 1, sha1), new Uint8Array(1000))
  t.match(await speaker.hear(), { response: 'Ok' })
  const again = connect(setting.node).speaker
  again.say(await auth(setting, { files, fid }))
  t.strictSame((await again.hear())?.missing, [[0, 0, 0], [0, 2, 2], [1, 0, 0]])
})

t.test('rows 14, 15: another user, other files, a second AUTHENTICATION', async t => {
  const setting = scene()
  const speaker = await begun(setting)
  speaker.say(await auth(setting, { fid: FID.replace(/.$/, '2') }))
  t.match(await speaker.hear(), { response: 'Ok' }, 'the same user may add one')
  speaker.say(await auth(setting, {}, 7))
  t.match(await speaker.hear(), { reason: 'already authenticated' })
  const other = connect(setting.node).speaker
  other.say(await auth(setting, {}, 7))
  t.match(await other.hear(), { reason: 'This file is not yours' })
  const same = connect(setting.node).speaker
  same.say(await auth(setting, { files: [{ name: 'a', size: 2501n }] }))
  t.match(await same.hear(), { reason: 'fid conflict' })
})

t.test('row 16: the id says to which transfer a block belongs; strange ones go to the last', async t => {
  const setting = scene()
  const speaker = await begun(setting)
  const last = FID.replace(/.$/, '2')
  speaker.say(await auth(setting, { fid: last }))
  await speaker.hear()
  put(speaker, id(0), new Uint8Array(1000).fill(1))
  put(speaker, 'strange', new Uint8Array(1000).fill(2))
  for (let at = 0; at < 2; at++) t.match(await speaker.hear(), { response: 'Ok' })
  t.equal(setting.store.uploads.get(FID)?.content[0]?.[0], 1)
  t.equal(setting.store.uploads.get(last)?.content[0]?.[0], 2)
})

t.test('rows 17, 18: what cannot be read is answered, three times; unknown types with their id', async t => {
  const { speaker } = connect(scene().node)
  raw(speaker, 1, 'no json')
  t.match(await speaker.hear(), { messageId: '', reason: 'malformed message' })
  raw(speaker, 9, '{"message-id":"nine"}')
  t.match(await speaker.hear(), { messageId: 'nine', reason: 'unknown message type' })
  raw(speaker, 1, '[]')
  t.match(await speaker.hear(), { messageId: '', reason: 'malformed message' })
  t.equal(await speaker.hear(), undefined)
  speaker.end()
})

t.test('rows 19, 20, 28: sizes of 64 bits against the limit; names stay data; tags are bounded and searchable', async t => {
  const setting = scene()
  const { speaker } = connect(setting.node)
  const token = await setting.token()
  for (const size of ['10000001', '9007199254740993', '18446744073709551615']) {
    raw(speaker, 1, `{"message-id":"m","token":"${token}","files":[{"name":"a","size":${size}}],"fid":"${FID}","tags":[]}`)
    t.match(await speaker.hear(), { reason: 'file too big' }, size)
  }
  speaker.say(await auth(setting, { files: [{ name: '../a', size: 1n }] }))
  t.match(await speaker.hear(), { reason: 'bad file name' })
  speaker.say(await auth(setting, { tags: Array.from({ length: 32 }, (_, at) => `${at}`.padStart(64, 'x')), files: [{ name: 'a', size: 0n, digest: Buffer.from(nodeHashes.sha256(new Uint8Array(0))).toString('hex') }] }))
  t.match(await speaker.hear(), { complete: true })
  t.match(await setting.store.find({ tags: ['31'.padStart(64, 'x')], owner: 1002 }), { file: 0, plan: { id: FID } })
})

t.test('row 21: a digest that is not the content\'s: refused at the end, and all of the file is missing again', async t => {
  const setting = scene()
  const speaker = await begun(setting, { files: [{ name: 'a', size: 1001n, digest: '0'.repeat(64) }] })
  put(speaker, id(0), new Uint8Array(1000))
  t.match(await speaker.hear(), { response: 'Ok' })
  put(speaker, id(1), new Uint8Array(1))
  t.match(await speaker.hear(), { reason: 'digest mismatch' })
  speaker.say(await auth(setting, { files: [{ name: 'a', size: 1001n, digest: '0'.repeat(64) }] }))
  t.strictSame((await speaker.hear())?.missing, [[0, 0, 1]])
})

t.test('row 25: an answer that is lost is asked for again, under a new message id and the same chunk id', async t => {
  const { clock, token } = scene()
  const { left, right } = link()
  const sent = upload(left, [fileOf('a', 10)], { token: await token(), hashes: nodeHashes, fid: FID, clock })
  const server = new Speaker(right)
  const { messageId } = await server.hearAny()
  server.say({ type: 'Response', messageId, response: 'Ok' })
  const first = await server.hearAny() as ReadmeMessage & { type: 'Transfer' }
  await clock.advance(10_000)
  const second = await server.hearAny() as ReadmeMessage & { type: 'Transfer' }
  t.equal(second.chunk, first.chunk)
  t.not(second.messageId, first.messageId)
  server.say({ type: 'Response', messageId: second.messageId, response: 'Ok', complete: true })
  server.end()
  t.match(await sent, { complete: true })
})

t.test('row 26: who says nothing for a minute is let go, and what he sent is there', async t => {
  const setting = scene()
  const { left, right } = link()
  const ended = t.rejects(serve(right, { node: setting.node }), { code: 'ERR_TIMEOUT' })
  const speaker = new Speaker(left)
  speaker.say(await auth(setting))
  await speaker.hear()
  put(speaker, id(1), new Uint8Array(1000))
  await speaker.hear()
  await setting.clock.advance(60_000)
  await ended
  const again = connect(setting.node).speaker
  again.say(await auth(setting))
  t.strictSame((await again.hear())?.missing, [[0, 0, 0], [0, 2, 2]])
})
