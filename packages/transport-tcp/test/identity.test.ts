import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { createIdentity, fingerprintOf, loadIdentity } from '../src/index.ts'

const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBcDCCARWgAwIBAgIUGX1gaHbWbKhw8fgSqEe1pXtNF4cwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBeDAgFw0yNjExMjEwNDMwNDZaGA8yMTI2MTAyODA0MzA0Nlow
DDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDwEqPXmEZnb
2mrLnb8A5HS37tin3Tdi8lxqtSs0EcN1k89o6BrmVe3VmxpOqcR80ccWSDvRZKV1
jnC9W654YS2jUzBRMB0GA1UdDgQWBBQNfwzFnUDHXYSU4Dm/xSxBFLyKbDAfBgNV
HSMEGDAWgBQNfwzFnUDHXYSU4Dm/xSxBFLyKbDAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0kAMEYCIQC4z5BZPbUGR611q7hJ8WoI16T1yEoPqWFHmqmMpu8N
OwIhAJzRsFeB5FSi89di8KgZ08/glr7CLaKruxo5pXuTL0oM
-----END CERTIFICATE-----`

t.test('an identity is a P-256 key and a certificate that TLS stacks take', async t => {
  const { certificate, privateKey, fingerprint } = await createIdentity({ names: ['node.example', '::1'] })
  const parsed = new X509Certificate(certificate)
  t.equal(parsed.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  t.ok(parsed.verify(parsed.publicKey))
  t.equal(parsed.ca, false)
  t.match(parsed.subjectAltName, /DNS:node\.example, IP Address:0:0:0:0:0:0:0:1/)
  t.same(parsed.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  t.match(parsed.serialNumber, /^[4-7][\dA-F]{39}$/, 'positive, and without a leading zero byte')
  t.ok(parsed.validFromDate.getTime() < Date.now())
  t.equal(parsed.validToDate.getUTCFullYear(), 9999)
  t.match(privateKey, /^-----BEGIN PRIVATE KEY-----/)
  t.equal(fingerprintOf(certificate), fingerprint)
  t.equal(fingerprintOf(parsed.raw), fingerprint)
  t.equal(fingerprintOf(parsed), fingerprint)
})

t.test('every identity is another', async t => {
  const [one, other] = await Promise.all([createIdentity(), createIdentity()])
  t.not(one?.fingerprint, other?.fingerprint)
  t.not(new X509Certificate(one.certificate).serialNumber, new X509Certificate(other.certificate).serialNumber)
})

t.test('a serial number is positive and fills its twenty bytes', async t => {
  const identities = await Promise.all(Array.from({ length: 16 }, () => createIdentity()))
  for (const { certificate } of identities) t.match(new X509Certificate(certificate).serialNumber, /^[4-7][\dA-F]{39}$/)
})

t.test('a fingerprint is the SHA-256 of the public key as DER', async t => {
  // openssl ecparam -name prime256v1 -genkey -noout | openssl req -x509 -new -key /dev/stdin -subj /CN=x -days 36500
  // openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | sha256sum
  t.equal(fingerprintOf(CERTIFICATE), 'a74dae068154380c12464ca430a9efe6d4d92229cb6ea87b001e5c683d4490b7')
})

t.test('an identity is made once and kept for its owner alone', async t => {
  const directory = join(t.testdir(), 'new', 'place')
  const made = await loadIdentity(directory)
  t.same(await readdir(directory), ['identity.pem'])
  t.equal((await stat(join(directory, 'identity.pem'))).mode & 0o777, 0o600)
  t.same(await loadIdentity(directory), made)
})

t.test('many that start at once in one process get the same', async t => {
  const directory = t.testdir()
  const all = await Promise.all(Array.from({ length: 8 }, () => loadIdentity(directory)))
  t.equal(new Set(all.map(identity => identity.privateKey)).size, 1)
  t.same(await readdir(directory), ['identity.pem'])
})

t.test('who comes second keeps what the first has made', async t => {
  const directory = t.testdir()
  const path = join(directory, 'identity.pem')
  const first = await createIdentity()
  const second = await t.mockImport<typeof import('../src/identity.ts')>('../src/identity.ts', {
    'node:fs/promises': {
      ...fs,
      link: async (from: string, to: string) => {
        await writeFile(path, first.privateKey + first.certificate, { mode: 0o600 })
        await fs.link(from, to)
      }
    }
  })
  t.same(await second.loadIdentity(directory), first)
  t.same(await readdir(directory), ['identity.pem'])
})

t.test('an identity that cannot be put in its place is a coded error with the cause, and leaves nothing', async t => {
  const directory = t.testdir()
  const { loadIdentity } = await t.mockImport<typeof import('../src/identity.ts')>('../src/identity.ts', {
    'node:fs/promises': { ...fs, link: async () => { throw Object.assign(new Error('no links here'), { code: 'EPERM' }) } }
  })
  await t.rejects(loadIdentity(directory), { code: 'ERR_IDENTITY', cause: { code: 'EPERM' } })
  t.same(await readdir(directory), [])
})

t.test('two processes that start at once get the same', async t => {
  const directory = t.testdir()
  const child = fileURLToPath(new URL('identity-child.ts', import.meta.url))
  const run = (): Promise<{ stdout: string }> => promisify(execFile)(process.execPath, ['--conditions=@ropewalk/source', child, directory])
  const [one, other] = await Promise.all([run(), run()])
  t.match(one.stdout, /^[\da-f]{64}\n$/)
  t.equal(one.stdout, other.stdout)
  t.equal(one.stdout.trim(), (await loadIdentity(directory)).fingerprint)
})

t.test('an identity that cannot be used is a coded error, and is left as it is', async t => {
  const [one, other] = await Promise.all([createIdentity(), createIdentity()])
  const table: Array<[string, string, RegExp]> = [
    ['empty', '', /no CERTIFICATE/],
    ['without its key', one.certificate, /no PRIVATE KEY/],
    ['garbage', one.privateKey + one.certificate.replace(/M.{20}/, ''), /cannot be used/],
    ['a key of another', other.privateKey + one.certificate, /not that of the certificate/]
  ]
  const directory = t.testdir()
  const path = join(directory, 'identity.pem')
  for (const [name, text, message] of table) {
    await writeFile(path, text, { mode: 0o600 })
    await t.rejects(loadIdentity(directory), { name: 'TransportError', code: 'ERR_IDENTITY', message }, name)
    t.equal(await readFile(path, 'utf8'), text)
  }

  await writeFile(path, one.privateKey + one.certificate)
  t.equal((await loadIdentity(directory)).fingerprint, one.fingerprint)
  await chmod(path, 0o644)
  await t.rejects(loadIdentity(directory), { code: 'ERR_IDENTITY', message: /mode 644/ })
})

t.test('a directory that cannot be used is a coded error', async t => {
  const file = t.testdir({ file: '' })
  await t.rejects(loadIdentity(join(file, 'file')), { name: 'TransportError', code: 'ERR_IDENTITY' })
})
