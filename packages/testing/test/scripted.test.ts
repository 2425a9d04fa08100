import t from 'tap'
import { duplexPair, hexdump, scriptedPeer } from '../src/index.ts'

t.test('says and hears exactly what the script says, however it is chunked', async t => {
  const [left, right] = duplexPair({ chunkBytes: 1 })
  const one = scriptedPeer(left)
  const other = scriptedPeer(right)
  await one.send(hexdump('01 02 03 04 05 06'))
  await other.expect(hexdump('01 02'))
  t.same(await other.read(3), hexdump('03 04 05'))
  await one.end()
  t.same(await other.readUntilEnd(), hexdump('06'))
  await other.send(hexdump('07'))
  await other.end()
  t.same(await one.readUntilGone(), { bytes: hexdump('07') })
})

t.test('fails at the first wrong byte, without waiting for the rest', async t => {
  const [left, right] = duplexPair()
  const one = scriptedPeer(left)
  await one.send(hexdump('01 02 ff'))
  await t.rejects(scriptedPeer(right).expect(hexdump('01 02 03 04')), { code: 'ERR_UNEXPECTED_BYTES', message: /^byte 2 differs/ })
})

t.test('an end that comes too early is an error with both numbers', async t => {
  const [left, right] = duplexPair()
  const one = scriptedPeer(left)
  const other = scriptedPeer(right)
  await one.send(hexdump('01 02'))
  await one.end()
  await t.rejects(other.read(5), { code: 'ERR_UNEXPECTED_END', message: /after 2 of 5 bytes/ })
  await t.rejects(other.expect(hexdump('01 02 03')), { code: 'ERR_UNEXPECTED_END', message: /after 2 of 3/ })
})

t.test('a signal ends every wait with ERR_TIMEOUT, and loses no byte', async t => {
  const [left, right] = duplexPair({ capacityBytes: 1 })
  const one = scriptedPeer(left)
  const other = scriptedPeer(right)
  const aborted = { signal: AbortSignal.abort() }
  await t.rejects(other.read(1, aborted), { code: 'ERR_TIMEOUT' })
  await t.rejects(other.expect(hexdump('01'), aborted), { code: 'ERR_TIMEOUT' })
  await t.rejects(other.readUntilGone(aborted), { code: 'ERR_TIMEOUT' })
  const controller = new AbortController()
  const sent = one.send(hexdump('01 02'), controller)
  controller.abort()
  await t.rejects(sent, { code: 'ERR_TIMEOUT' })
  t.same(await other.read(2), hexdump('01 02'))
})

t.test('dies, and sees the other die', async t => {
  const [left, right] = duplexPair()
  const one = scriptedPeer(left)
  const other = scriptedPeer(right)
  await one.send(hexdump('01'))
  t.same(await other.read(1), hexdump('01'))
  one.die()
  t.match(await other.readUntilGone(), { bytes: hexdump(''), error: { code: 'ERR_RESET' } })
  await t.rejects(other.send(hexdump('01')), { code: 'ERR_RESET' })
  await t.rejects(other.read(1), { code: 'ERR_RESET' })
})

t.test('keeps no more than it was told', async t => {
  const [left, right] = duplexPair()
  const one = scriptedPeer(left)
  await one.send(hexdump('01 02 03'))
  await t.rejects(scriptedPeer(right, { maxBytes: 2 }).readUntilEnd(), { code: 'ERR_TOO_LONG', message: /3 > 2 bytes/ })
})
