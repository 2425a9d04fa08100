/** X9: acknowledgements and tokens under attack. */
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { link } from '@ropewalk/testing'
import { SignJWT } from 'jose'
import t from 'tap'
import { chunkId, upload, type UploadOptions } from '../src/index.ts'
import { issueToken, nodeHashes, verifyWithKey, verifyWithPublicKeys } from '../src/node/index.ts'
import { vector } from './recorded.ts'
import { connect, FID, fileOf, KEY, NOW, scene, Speaker } from './scene.ts'

const TOKEN = 'SECRET.SECRET.SECRET'
const now = (): number => NOW

function begin (size: number, options: Partial<UploadOptions> = {}): { sent: Promise<unknown>, server: Speaker } {
  const { left, right } = link()
  const sent = upload(left, [fileOf('a', size)], { token: TOKEN, hashes: nodeHashes, fid: FID, blockBytes: 1000, ...options })
  sent.catch(() => {})
  return { sent, server: new Speaker(right) }
}

async function accept (server: Speaker, window: number): Promise<void> {
  const { messageId } = await server.hearAny()
  server.say({ type: 'Response', messageId, response: 'Ok', blockSize: 1000, window })
}

async function heard (server: Speaker, count: number): Promise<Array<{ messageId: string, chunk: string }>> {
  const messages = []
  for (let at = 0; at < count; at++) {
    const message = await server.hearAny()
    if (message.type === 'Transfer') messages.push(message)
  }
  return messages
}

t.test('X9: an ack that is replayed acknowledges nothing else, and the third ends it', async t => {
  const { sent, server } = begin(5000)
  await accept(server, 2)
  const [first] = await heard(server, 2)
  for (let at = 0; at < 4; at++) server.say({ type: 'Response', messageId: first?.messageId as string, response: 'Ok' })
  await t.rejects(sent, { code: 'ERR_STRAY_RESPONSE', remote: true })
})

t.test('X9: acks out of order each acknowledge their own block', async t => {
  const seen: number[] = []
  const { sent, server } = begin(3000, { onBlock: ({ index }) => { seen.push(index) } })
  await accept(server, 3)
  for (const { messageId } of (await heard(server, 3)).reverse()) server.say({ type: 'Response', messageId, response: 'Ok' })
  server.end()
  t.match(await sent, { blocks: 3 })
  t.same(seen, [2, 1, 0])
})

t.test('X9: an ack for a chunk that was never sent', async t => {
  const { sent, server } = begin(3000)
  await accept(server, 1)
  await heard(server, 1)
  for (const messageId of ['x', 'y', '']) server.say({ type: 'Response', messageId, response: 'Ok' })
  await t.rejects(sent, { code: 'ERR_STRAY_RESPONSE', message: /3 responses/ })
})

t.test('X9: an ack with the digest of other bytes', async t => {
  const { sent, server } = begin(3000)
  await accept(server, 1)
  const [first] = await heard(server, 1)
  server.say({ type: 'Response', messageId: first?.messageId as string, response: 'Ok', digest: '0'.repeat(64) })
  await t.rejects(sent, { code: 'ERR_DIGEST', scope: 'transfer' })
})

t.test('X9: offers out of bounds, and gaps that do not exist or overlap', async t => {
  for (const offer of [{ blockSize: 63 }, { blockSize: 16_385 }, { missing: [[0, 0, 3]] as const }, { missing: [[1, 0, 0]] as const }, { missing: [[0, 1, 1], [0, 0, 1]] as const }]) {
    const { sent, server } = begin(3000)
    const { messageId } = await server.hearAny()
    server.say({ type: 'Response', messageId, response: 'Ok', ...offer })
    await t.rejects(sent, { code: 'ERR_BAD_OFFER', scope: 'connection' })
  }
})

t.test('X9: a lost answer is asked for again, under a new id; silence for ever is an error', async t => {
  const { clock } = scene()
  const { sent, server } = begin(1000, { clock, answerMs: 100 })
  await accept(server, 1)
  const ids = new Set<string>()
  const chunks = new Set<string>()
  for (let at = 0; at < 4; at++) {
    const [message] = await heard(server, 1)
    ids.add(message?.messageId as string)
    chunks.add(message?.chunk as string)
    await clock.advance(100)
  }
  await t.rejects(sent, { code: 'ERR_TIMEOUT' })
  t.equal(ids.size, 4)
  t.equal(chunks.size, 1)
  t.equal(clock.pending, 0)
})

t.test('X9: a duplicate chunk is Ok when identical, a conflict when not, stored or on its way', async t => {
  const { node, store, token } = scene()
  const { speaker } = connect(node)
  speaker.say({ type: 'Authentication', messageId: 'a', token: await token(), files: [{ name: 'a', size: 10n }], fid: FID, tags: [] })
  t.match(await speaker.hear(), { response: 'Ok' })
  const chunk = chunkId(FID, 0, 0, nodeHashes.sha1)
  const say = (messageId: string, byte: number): void => { speaker.say({ type: 'Transfer', messageId, chunk, data: new Uint8Array(10).fill(byte) }) }
  for (const [messageId, byte] of [['1', 7], ['2', 7], ['3', 8], ['4', 7]] as const) say(messageId, byte)
  t.match(await speaker.hear(), { messageId: '1', response: 'Ok' })
  t.match(await speaker.hear(), { messageId: '2', response: 'Ok' })
  t.match(await speaker.hear(), { messageId: '3', response: 'Error', reason: 'chunk conflict' })
  t.match(await speaker.hear(), { messageId: '4', response: 'Ok', complete: true })
  say('5', 9)
  t.match(await speaker.hear(), { messageId: '5', reason: 'chunk conflict' })
  t.equal(store.written.length, 1)
  t.same(store.uploads.get(FID)?.content[0], new Uint8Array(10).fill(7))
})

t.test('X9: a token that expires in the middle stops the upload; a fresh one goes on with it', async t => {
  const { node, token, clock } = scene()
  const { speaker } = connect(node)
  const auth = async (messageId: string): Promise<void> => {
    speaker.say({ type: 'Authentication', messageId, token: await token(1002, 30_000), files: [{ name: 'a', size: 2000n }], fid: FID, tags: [] })
  }
  const put = (messageId: string, index: number): void => { speaker.say({ type: 'Transfer', messageId, chunk: chunkId(FID, 0, index, nodeHashes.sha1), data: new Uint8Array(1000) }) }
  await auth('a')
  t.match(await speaker.hear(), { response: 'Ok' })
  put('1', 0)
  t.match(await speaker.hear(), { response: 'Ok' })
  // The server hears something every half minute: what ends is the token, 60 s of leeway included.
  for (const [ms, reason] of [[45_000, 'unknown message type'], [44_999, 'unknown message type'], [1, undefined]] as const) {
    await clock.advance(ms)
    if (reason === undefined) continue
    speaker.say({ type: 'Response', messageId: 'r', response: 'Ok' })
    t.match(await speaker.hear(), { response: 'Error' })
  }
  put('2', 1)
  t.match(await speaker.hear(), { messageId: '2', reason: 'token expired' })
  await auth('b')
  t.match(await speaker.hear(), { messageId: 'b', response: 'Ok', missing: [[0, 1, 1]] })
  put('3', 1)
  t.match(await speaker.hear(), { response: 'Ok', complete: true })
})

function forged (header: object, claims: object, key: Uint8Array | string): string {
  const text = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const hash = { HS384: 'sha384', HS512: 'sha512' }[(header as { alg: string }).alg] ?? 'sha256'
  return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`
}

t.test('X9: alg none, whatever its signature and spelling', async t => {
  const verify = verifyWithKey({ key: KEY, minKeyBytes: 1, now })
  for (const alg of ['none', 'None', 'NONE', '', 'HS384', 'HS512', 'RS256']) {
    const token = forged({ typ: 'JWT', alg }, { login: 'test', uid: 1002 }, KEY)
    await t.rejects(verify(token), { code: 'ERR_TOKEN', scope: 'connection' }, alg)
    await t.rejects(verify(token.replace(/[^.]*$/, '')), { code: 'ERR_TOKEN' })
  }
  t.match(await verify(forged({ typ: 'JWT', alg: 'HS256' }, { login: 'test', uid: 1002 }, KEY)), { uid: 1002, login: 'test' })
  for (const name of ['token-wrong-key', 'token-alg-none', 'token-no-uid', 'token-uid-string']) await t.rejects(verify(vector(name).fields.token as string), { code: 'ERR_TOKEN' }, name)
  await t.rejects(verify(vector('token-expired').fields.token as string), { code: 'ERR_TOKEN_EXPIRED' })
  t.throws(() => verifyWithKey({ key: KEY }), /13 < 16 bytes/)
})

t.test('X9: a public key is not taken for a shared one, and each algorithm verifies its own', async t => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ed = generateKeyPairSync('ed25519')
  const pairs = [['RS256', rsa], ['ES256', ec], ['EdDSA', ed]] as const
  const jwks = { keys: pairs.map(([alg, { publicKey }]) => ({ ...publicKey.export({ format: 'jwk' }), alg, kid: alg })) }
  const verify = verifyWithPublicKeys({ jwks, now })
  for (const [alg, { privateKey, publicKey }] of pairs) {
    const signed = await new SignJWT({ login: 'test', uid: 5 }).setProtectedHeader({ alg, kid: alg }).sign(privateKey)
    t.match(await verify(signed), { uid: 5 }, alg)
    await t.rejects(verifyWithPublicKeys({ jwks, now, algorithms: pairs.map(([other]) => other).filter(other => other !== alg) })(signed), { code: 'ERR_TOKEN' })
    for (const secret of [publicKey.export({ format: 'pem', type: 'spki' }) as string, publicKey.export({ format: 'der', type: 'spki' }), JSON.stringify(publicKey.export({ format: 'jwk' }))]) {
      for (const kid of [alg, undefined]) await t.rejects(verify(forged({ alg: 'HS256', kid }, { login: 'test', uid: 5 }, secret)), { code: 'ERR_TOKEN' })
    }
  }
  t.throws(() => verifyWithPublicKeys({ jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }), TypeError)
  t.throws(() => verifyWithPublicKeys({ jwks, algorithms: ['none' as 'RS256'] }), TypeError)
  t.throws(() => verifyWithPublicKeys({ jwks, algorithms: ['HS256' as 'RS256'] }), TypeError)
  t.throws(() => verifyWithPublicKeys({ jwks: { keys: [] } }), TypeError)
})

t.test('X9: expired, not yet, wrong aud, impossible users', async t => {
  const claims = { login: 'test', uid: 1 }
  const verify = verifyWithKey({ key: KEY, minKeyBytes: 1, now, audience: 'files' })
  const seconds = NOW / 1000
  const sign = (more: object): string => forged({ alg: 'HS256' }, { ...claims, aud: 'files', ...more }, KEY)
  t.match(await verify(sign({})), { uid: 1 })
  t.match(await verify(sign({ exp: seconds - 59 })), { expiresAt: NOW + 1000 })
  t.match(await verify(sign({ exp: 4_102_444_800 })), { uid: 1 })
  t.match(await verify(sign({ nbf: seconds + 60 })), { uid: 1 })
  await t.rejects(verify(sign({ exp: seconds - 60 })), { code: 'ERR_TOKEN_EXPIRED' })
  for (const more of [{ nbf: seconds + 61 }, { aud: 'mail' }, { aud: undefined }, { uid: -1 }, { uid: 2 ** 31 }, { uid: 1.5 }, { uid: null }, { login: '' }, { login: 5 }, { exp: 'soon' }]) {
    await t.rejects(verify(sign(more)), { code: 'ERR_TOKEN' }, JSON.stringify(more))
  }
  await t.rejects(verify(`${'a'.repeat(4097)}`), { code: 'ERR_TOKEN' })
  t.match(await verify(await issueToken({ key: KEY, login: 'x', uid: 7, ttlMs: 1000, audience: 'files', now })), { uid: 7, login: 'x' })
  t.equal(await issueToken({ key: KEY, login: 'test', uid: 1002 }), vector('final-login').fields.json?.['token'], 'as the original makes them')
})

t.test('X9: three tokens that are refused end the connection; the words say nothing of them', async t => {
  const { node } = scene()
  const { speaker, served } = connect(node)
  for (let at = 0; at < 3; at++) {
    speaker.say({ type: 'Authentication', messageId: `${at}`, token: TOKEN, files: [], fid: FID, tags: [] })
    t.same(await speaker.hear(), { type: 'Response', messageId: `${at}`, response: 'Error', reason: 'invalid token' })
  }
  t.equal(await speaker.hear(), undefined)
  speaker.end()
  await served
  const error = await verifyWithKey({ key: KEY, minKeyBytes: 1 })(TOKEN).then(() => undefined, (reason: Error) => reason)
  t.notMatch(`${error?.stack}${JSON.stringify(error)}${String(error?.cause)}`, /SECRET/)
})

t.test('X9: a server that repeats our token in its words does not get it into our errors', async t => {
  const { sent, server } = begin(1000)
  const { messageId } = await server.hearAny()
  server.say({ type: 'Response', messageId, response: 'Error', reason: `bad token ${TOKEN}` })
  const error = await sent.then(() => undefined, (reason: Error) => reason)
  t.match(error, { code: 'ERR_REFUSED' })
  t.notMatch(`${error?.stack}${JSON.stringify(error)}`, /SECRET/)
})
