import fc from 'fast-check'
import t from 'tap'
import { type Address, dial, formatAddress, listen, parseAddress } from '../src/index.ts'

const FINGERPRINT = '0123456789abcdef'.repeat(4)

t.test('text and address are the same thing', async t => {
  const table: Array<[string, Address]> = [
    ['tcp://localhost:7740', { transport: 'tcp', host: 'localhost', port: 7740 }],
    ['tcp://127.0.0.1:0', { transport: 'tcp', host: '127.0.0.1', port: 0 }],
    ['tcp://[::1]:65535', { transport: 'tcp', host: '::1', port: 65535 }],
    ['tls://[fe80::1%eth0]:1', { transport: 'tls', host: 'fe80::1%eth0', port: 1 }],
    ['tls://node.example:7740', { transport: 'tls', host: 'node.example', port: 7740 }],
    [`tls://127.0.0.1:7740#sha256=${FINGERPRINT}`, { transport: 'tls', host: '127.0.0.1', port: 7740, fingerprint: FINGERPRINT }],
    ['unix:/run/node.sock', { transport: 'unix', path: '/run/node.sock' }],
    ['unix:here#a b%20', { transport: 'unix', path: 'here#a b%20' }]
  ]

  for (const [text, address] of table) {
    t.same(parseAddress(text), address, text)
    t.equal(formatAddress(address), text)
  }
})

t.test('more than one spelling is read', async t => {
  t.same(parseAddress('unix:///run/node.sock'), { transport: 'unix', path: '/run/node.sock' })
  t.same(parseAddress(`tls://h:1#sha256=${FINGERPRINT.toUpperCase()}`), { transport: 'tls', host: 'h', port: 1, fingerprint: FINGERPRINT })
})

t.test('a bad address is refused with what was wrong and where', async t => {
  const table: Array<[string, RegExp]> = [
    ['', /begins with neither .* \(at character 1\)/],
    ['http://h:1', /begins with neither/],
    ['tcp:h:1', /begins with neither/],
    ['tcp://', /no port \(at character 7\)/],
    ['tcp://host', /no port \(at character 11\)/],
    ['tcp://host:', /no port \(at character 12\)/],
    ['tcp://:80', /no host \(at character 7\)/],
    ['tcp://h:70000', /port 70000 > 65535 \(at character 9\)/],
    ['tcp://h:-1', /"-1" is not a port/],
    ['tcp://h:1/path', /"1\/path" is not a port/],
    ['tcp://::1:80', /stands in brackets/],
    ['tcp://[::1', /\[ without \]/],
    ['tcp://[::1]', /no port/],
    ['tcp://[::1]80', /no port/],
    ['tcp://[nonsense]:80', /nonsense is not an IPv6 address \(at character 8\)/],
    ['tcp://a b:80', /" " in a host name \(at character 8\)/],
    ['tcp://user@h:80', /"@" in a host name/],
    [`tcp://h:1#sha256=${FINGERPRINT}`, /tcp has no fingerprint/],
    ['tls://h:1#md5=00', /after # comes sha256= \(at character 10\)/],
    ['tls://h:1#sha256=abc', /fingerprint of 3 digits, not 64/],
    [`tls://h:1#sha256=${FINGERPRINT.slice(1)}x`, /"x" in a fingerprint \(at character 81\)/],
    ['unix:', /no path/],
    ['unix://host/path', /has no host/],
    ['unix:/a\0b', /a zero byte .* \(at character 8\)/],
    [`unix:/${'a'.repeat(107)}`, /path of 108 > 107 bytes/]
  ]

  for (const [text, message] of table) {
    t.throws(() => parseAddress(text), { name: 'TransportError', code: 'ERR_ADDRESS', message }, text)
  }
})

t.test('whatever can be read is written as it was read', async t => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6())
  const port = fc.nat(65535)
  const fingerprint = fc.stringMatching(/^[\da-f]{64}$/)
  const address: fc.Arbitrary<Address> = fc.oneof(
    fc.record({ transport: fc.constant('tcp' as const), host, port }),
    fc.record({ transport: fc.constant('tls' as const), host, port, fingerprint }, { requiredKeys: ['transport', 'host', 'port'] }),
    fc.record({ transport: fc.constant('unix' as const), path: fc.stringMatching(/^\/[a-z#:. ][a-z/#:. ]{0,80}$/) })
  )
  fc.assert(fc.property(address, address => { t.same(parseAddress(formatAddress(address)), address) }), { numRuns: 200 })
})

t.test('no text crashes the parser', async t => {
  const text = fc.oneof(fc.string(), fc.string().map(rest => `tls://${rest}`), fc.string().map(rest => `unix:${rest}`))
  fc.assert(fc.property(text, text => {
    try {
      parseAddress(text)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_ADDRESS') throw error
    }
  }), { numRuns: 500 })
  t.pass()
})

t.test('dial and listen refuse what no text could have said', async t => {
  const long: Address = { transport: 'unix', path: `/${'a'.repeat(200)}` }
  await t.rejects(dial(long), { code: 'ERR_ADDRESS', message: /201 > 107/ })
  await t.rejects(listen(long), { code: 'ERR_ADDRESS', message: /201 > 107/ })
  await t.rejects(dial({ transport: 'tls', host: 'localhost', port: 1, fingerprint: 'AB' }), { code: 'ERR_ADDRESS' })
  await t.rejects(listen({ transport: 'tls', host: 'localhost', port: 0 }), TypeError)
})
