import { webcrypto, X509Certificate } from 'node:crypto'
import 'reflect-metadata'
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509'
import t from 'tap'
import { createAuthority, createIdentity, dial, issueIdentity, MAX_NAMES, parseIdentity, type Identity } from '../src/index.ts'
import { listening } from './sockets.ts'

const DAY_MS = 86_400_000
const authority: Identity = await createAuthority({ name: 'rope nord-süd' })

/** What a client that trusts `ca` says of a node that shows `identity`, dialled as `host`. */
async function reach (t: Parameters<typeof listening>[0], identity: Identity, ca: string, host: string): Promise<string | undefined> {
  const { address } = await listening(t, 'tls', { tls: { identity } })
  if (address.transport !== 'tls') throw new Error('not this one')
  const connection = await dial({ ...address, host, fingerprint: undefined }, { tls: { ca } })
  connection.abort(new Error('over'))
  return connection.remote.fingerprint
}

t.test('an authority signs leaves and nothing below them', async t => {
  const root = new X509Certificate(authority.certificate)
  t.equal(root.ca, true)
  t.ok(root.verify(root.publicKey))
  t.match(root.subject, /^CN=rope nord-süd$/)
  t.ok(Math.abs(root.validToDate.getTime() - Date.now() - 3650 * DAY_MS) < DAY_MS)

  const leaf = new X509Certificate((await issueIdentity(authority, { name: 'a', names: ['node.example', 'bücher.example', '127.0.0.1', '::1'], days: 30 })).certificate)
  t.equal(leaf.ca, false)
  t.ok(leaf.checkIssued(root))
  t.ok(leaf.verify(root.publicKey), 'directly')
  t.equal(leaf.subjectAltName, 'DNS:node.example, DNS:xn--bcher-kva.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1')
  t.equal(leaf.subject, 'CN=a')
  t.ok(Math.abs(leaf.validToDate.getTime() - Date.now() - 30 * DAY_MS) < 3_600_000)
})

t.test('a leaf does not outlive its authority', async t => {
  const short = await createAuthority({ days: 3 })
  const leaf = new X509Certificate((await issueIdentity(short, { name: 'a', names: ['a'] })).certificate)
  t.equal(leaf.validTo, new X509Certificate(short.certificate).validTo)
})

t.test('a client of the cluster takes a leaf under the names in it, and nothing else', async t => {
  const leaf = await issueIdentity(authority, { name: 'a', names: ['127.0.0.1', 'localhost'] })
  t.equal(await reach(t, leaf, authority.certificate, '127.0.0.1'), leaf.fingerprint)
  t.equal(await reach(t, leaf, authority.certificate, 'localhost'), leaf.fingerprint)

  const elsewhere = await issueIdentity(authority, { name: '127.0.0.1', names: ['10.0.0.1', 'other.example'] })
  await t.rejects(reach(t, elsewhere, authority.certificate, '127.0.0.1'), { code: 'ERR_UNTRUSTED', message: /ALTNAME/ })
  const stranger = await createAuthority({ name: 'rope nord-süd' })
  await t.rejects(reach(t, leaf, stranger.certificate, '127.0.0.1'), { code: 'ERR_UNTRUSTED', message: /no authority/ }, 'an authority of the same name')
  await t.rejects(reach(t, await createIdentity({ names: ['127.0.0.1'] }), authority.certificate, '127.0.0.1'), { code: 'ERR_UNTRUSTED' })
})

t.test('a common name is no name', async t => {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const certificate = (await X509CertificateGenerator.createSelfSigned({ name: 'CN=localhost', signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' }, keys })).toString('pem')
  const privateKey = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  const named = parseIdentity(`${privateKey}\n${certificate}\n`)
  await t.rejects(reach(t, named, named.certificate, 'localhost'), { code: 'ERR_UNTRUSTED', message: /ALTNAME/ })
})

t.test('what cannot be issued is refused', async t => {
  const issue = async (names: string[], by: Pick<Identity, 'certificate' | 'privateKey'> = authority, days = 1): Promise<unknown> => await issueIdentity(by, { name: 'a', names, days })
  for (const name of ['', '*', '*.example', 'a b', 'a..b', '-a', 'a/b', 'x'.repeat(64), '256.1.1.1', `${'a.'.repeat(130)}b`, '[::1]', 'a:1']) {
    await t.rejects(issue([name]), { code: 'ERR_ADDRESS' }, JSON.stringify(name))
  }
  await t.rejects(issue([]), RangeError)
  await t.rejects(issue(new Array<string>(MAX_NAMES + 1).fill('a')), { name: 'RangeError', message: `${MAX_NAMES + 1} names: 1 to ${MAX_NAMES}` })
  for (const days of [0, 1.5, -1, NaN, 36_501]) await t.rejects(issue(['a'], authority, days), RangeError)
  await t.rejects(createAuthority({ days: 0 }), RangeError)
  for (const name of ['', 'a,b', 'a"b', 'a\nb', 'x'.repeat(65)]) await t.rejects(createAuthority({ name }), RangeError, JSON.stringify(name))
  await t.rejects(issue(['a'], await createIdentity()), { code: 'ERR_IDENTITY', message: /not of an authority/ })
  await t.rejects(issue(['a'], { ...authority, certificate: 'x' }), { code: 'ERR_IDENTITY', message: /cannot be read/ })
  await t.rejects(issue(['a'], { ...authority, privateKey: authority.privateKey.replace(/M.{30}/, 'MIGHA') }), { code: 'ERR_IDENTITY', message: /not an ECDSA key/ })
})

t.test('a key and a certificate are read in any order, and belong together', async t => {
  const { certificate, privateKey, fingerprint } = authority
  t.equal(parseIdentity(certificate + privateKey).fingerprint, fingerprint)
  t.equal(parseIdentity(privateKey.replaceAll('\n', '\r\n') + certificate.trimEnd()).fingerprint, fingerprint)
  const other = await createIdentity()
  t.throws(() => parseIdentity(other.privateKey + certificate), { code: 'ERR_IDENTITY', message: /not that of the certificate/ })
  t.throws(() => parseIdentity(certificate), { code: 'ERR_IDENTITY', message: /^no PRIVATE KEY/ })
})
