import t from 'tap'
import fc from 'fast-check'
import { formatAddress, isLocal, parseAddress } from '../src/address.ts'
import type { RopewalkError } from '../src/errors.ts'

const FINGERPRINT = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

t.test('reads every kind of address, and writes it back', async t => {
  const addresses = [
    ['mdsftp+tls://127.0.0.1:7740', { transport: 'tls', host: '127.0.0.1', port: 7740 }],
    [`mdsftp+tls://nas.example:1#sha256=${FINGERPRINT}`, { transport: 'tls', host: 'nas.example', port: 1, fingerprint: FINGERPRINT }],
    ['mdsftp+tls://[::1]:0', { transport: 'tls', host: '::1', port: 0 }],
    ['mdsftp+tcp://localhost:65535', { transport: 'tcp', host: 'localhost', port: 65535 }],
    ['mdsftp+unix:/run/node.sock', { transport: 'unix', path: '/run/node.sock' }],
    ['mdsftp+unix:node.sock', { transport: 'unix', path: 'node.sock' }],
    [`mdsftp+tls://h:1?profile=seed#sha256=${FINGERPRINT}`, { transport: 'tls', host: 'h', port: 1, fingerprint: FINGERPRINT, profile: 'seed' }],
    ['mdsftp+tcp://[::1]:1?profile=seed-code&peer=upstream', { transport: 'tcp', host: '::1', port: 1, profile: 'seed-code', peer: 'upstream' }],
    ['mdsftp+unix:/run/a?b#c?peer=upstream', { transport: 'unix', path: '/run/a?b#c', peer: 'upstream' }],
    ['mdsftp+unix:/run/a?b', { transport: 'unix', path: '/run/a?b' }]
  ] as const
  for (const [text, address] of addresses) {
    t.same(parseAddress(text), address, text)
    t.equal(formatAddress(parseAddress(text)), text)
  }
})

t.test('takes the usual port where none is named, and a fingerprint in capitals', async t => {
  t.same(parseAddress('mdsftp+tls://host'), { transport: 'tls', host: 'host', port: 7740 })
  t.same(parseAddress('mdsftp+tcp://[fe80::1]'), { transport: 'tcp', host: 'fe80::1', port: 7740 })
  t.match(parseAddress(`mdsftp+tls://host#sha256=${FINGERPRINT.toUpperCase()}`), { fingerprint: FINGERPRINT })
})

t.test('says what is wrong, and where', async t => {
  const wrong: ReadonlyArray<readonly [string, number, RegExp]> = [
    ['', 0, /begins with/],
    ['127.0.0.1:7740', 0, /begins with/],
    ['MDSFTP+TLS://h:1', 0, /begins with/],
    ['mdsftp+tls://', 13, /no host/],
    ['mdsftp+tls://:7740', 13, /no host/],
    ['mdsftp+tls://h:', 15, /no port/],
    ['mdsftp+tls://h:77x', 17, /number/],
    ['mdsftp+tls://h:65536', 15, /65536 > 65535/],
    ['mdsftp+tls://h/path', 14, /host name/],
    ['mdsftp+tls://me@h:1', 15, /host name/],
    ['mdsftp+tls://::1', 13, /brackets/],
    ['mdsftp+tls://[::1', 13, /\[ without \]/],
    ['mdsftp+tls://[::g]:1', 14, /IPv6/],
    ['mdsftp+tls://[::1]7740', 18, /:PORT/],
    ['mdsftp+tls://h:1#md5=00', 16, /sha256=/],
    ['mdsftp+tls://h:1#sha256=00', 24, /64 hex digits, not 2/],
    [`mdsftp+tls://h:1#sha256=${FINGERPRINT.slice(0, 63)}x`, 87, /hex digits/],
    [`mdsftp+tcp://h:1#sha256=${FINGERPRINT}`, 16, /tls/],
    ['mdsftp+tls://h:1?', 17, /profile=NAME/],
    ['mdsftp+tls://h:1?profil=seed', 17, /profile=NAME/],
    ['mdsftp+tls://h:1?profile=sed', 25, /upstream, seed, seed-code/],
    ['mdsftp+tls://h:1?profile=seed&profile=seed', 30, /profile=NAME/],
    ['mdsftp+tcp://h:1?profile=seed&peer=own', 35, /upstream/],
    ['mdsftp+tls://h:1?profile=constructor', 25, /one of/],
    ['mdsftp+unix:/a?peer=own', 20, /upstream/],
    ['mdsftp+unix:', 12, /no path/],
    ['mdsftp+unix://host/path', 12, /no host/],
    [`mdsftp+unix:/${'x'.repeat(107)}`, 12, /108 > 107/]
  ]
  for (const [text, at, message] of wrong) {
    t.throws(() => parseAddress(text), { code: 'ERR_ADDRESS', at, text, message }, JSON.stringify(text))
  }
})

t.test('any text gives an address or ERR_ADDRESS with a place in the text', async t => {
  fc.assert(fc.property(fc.constantFrom('mdsftp+tls://', 'mdsftp+tcp://', 'mdsftp+unix:', ''), fc.string({ unit: 'grapheme' }), (scheme, rest) => {
    const text = scheme + rest
    try {
      const address = parseAddress(text)
      return formatAddress(parseAddress(formatAddress(address))) === formatAddress(address)
    } catch (error) {
      const { code, at = -1 } = error as RopewalkError
      return code === 'ERR_ADDRESS' && at >= 0 && at <= text.length
    }
  }))
  t.pass()
})

t.test('knows what stays on this machine', async t => {
  for (const text of ['mdsftp+tcp://127.0.0.1:1', 'mdsftp+tcp://127.9.9.9:1', 'mdsftp+tcp://[::1]:1', 'mdsftp+tcp://LocalHost:1', 'mdsftp+unix:/x']) t.equal(isLocal(parseAddress(text)), true, text)
  for (const text of ['mdsftp+tcp://0.0.0.0:1', 'mdsftp+tcp://127.0.0.1.example:1', 'mdsftp+tcp://[::]:1', 'mdsftp+tcp://10.0.0.1:1']) t.equal(isLocal(parseAddress(text)), false, text)
})
