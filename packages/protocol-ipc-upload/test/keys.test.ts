/** Keys from files: each kind signs and verifies what it should, and no error has anything of a file. */
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { issueToken, openSigner, openVerifier, readIdentity } from '../src/node/index.ts'

const PAIRS = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519')
}

async function file (t: Test, content: string | Uint8Array): Promise<string> {
  const path = join(t.testdir(), randomBytes(8).toString('hex'))
  await writeFile(path, content)
  return path
}

const pem = (key: KeyObject): string => key.export({ format: 'pem', type: key.type === 'public' ? 'spki' : 'pkcs8' }) as string

t.test('a shared secret signs and verifies, with and without a line end', async t => {
  const signer = await openSigner(await file(t, 'a secret that is long enough\n'))
  t.equal(signer.algorithm, 'HS256')
  const token = await issueToken({ key: signer, login: 'ada', uid: 7, ttlMs: 60_000 })
  t.match(await (await openVerifier(await file(t, 'a secret that is long enough')))(token), { login: 'ada', uid: 7 })
  await t.rejects((await openVerifier(await file(t, 'another secret, long enough')))(token), { code: 'ERR_TOKEN' })
})

t.test('private keys sign, public ones verify: PEM, JWK and JWKS, and none for another', async t => {
  for (const [algorithm, { privateKey, publicKey }] of Object.entries(PAIRS)) {
    const jwk = publicKey.export({ format: 'jwk' })
    for (const secret of [pem(privateKey), JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'one' })]) {
      const signer = await openSigner(await file(t, secret))
      t.equal(signer.algorithm, algorithm)
      const token = await issueToken({ key: signer, login: 'ada', uid: 7, ttlMs: 60_000, audience: 'nas' })
      const [header] = token.split('.').slice(0, 1).map(part => JSON.parse(Buffer.from(part, 'base64url').toString()) as { alg: string })
      t.equal(header?.alg, algorithm)
      for (const open of [pem(publicKey), JSON.stringify(jwk), JSON.stringify({ keys: [{ ...jwk, ...(signer.keyId === undefined ? {} : { kid: signer.keyId }) }] })]) {
        t.match(await (await openVerifier(await file(t, open), { audience: 'nas' }))(token), { uid: 7 }, algorithm)
        await t.rejects((await openVerifier(await file(t, open), { audience: 'other' }))(token), { code: 'ERR_TOKEN' })
      }
      const other = Object.entries(PAIRS).find(([name]) => name !== algorithm)?.[1].publicKey as KeyObject
      await t.rejects((await openVerifier(await file(t, pem(other))))(token), { code: 'ERR_TOKEN' })
    }
  }
})

t.test('what is not good for it is refused, in words that have nothing of it', async t => {
  const { privateKey, publicKey } = PAIRS.EdDSA
  const secret = 'PLANTED-SECRET'
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const WRONG: Array<[open: (path: string) => Promise<unknown>, content: string]> = [
    [openVerifier, pem(privateKey)], [openVerifier, JSON.stringify(privateKey.export({ format: 'jwk' }))], [openVerifier, JSON.stringify({ keys: [privateKey.export({ format: 'jwk' })] })],
    [openVerifier, '{"keys":[]}'], [openVerifier, `{"keys":[{"kty":"oct","k":"${secret}"}]}`], [openVerifier, pem(p384.publicKey)],
    [openSigner, pem(publicKey)], [openSigner, JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] })], [openSigner, pem(p384.privateKey)],
    [openSigner, `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`], [openVerifier, `-----BEGIN PUBLIC KEY-----\n${secret}`],
    [openSigner, `{"kty":"oct","k":"${secret}"}`], [openVerifier, `{"${secret}`], [openSigner, 'short'], [openVerifier, 'short\n']
  ]
  for (const [open, content] of WRONG) {
    const error = await open(await file(t, content)).then(() => undefined, (reason: Error) => reason)
    t.ok(error instanceof TypeError || error instanceof RangeError, content.slice(0, 30))
    t.notMatch(`${error?.stack}${String(error?.cause)}`, /PLANTED/)
  }
  await t.rejects(openVerifier(join(t.testdir(), 'absent')), { code: 'ENOENT' })
})

t.test('who a token says it belongs to', async t => {
  t.same(readIdentity(await issueToken({ key: new Uint8Array(32), login: 'ada', uid: 7 })), { login: 'ada', uid: 7 })
  for (const text of ['', 'a.b.c', `x.${Buffer.from('{"uid":"7"}').toString('base64url')}.y`]) t.equal(readIdentity(text), undefined)
})
