import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { formatUuid, fromHex, parseUuid, toHex } from '../src/index.ts'

t.test('hex is what Buffer says it is, and back in either case', async t => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
    const text = toHex(bytes)
    assert.equal(text, Buffer.from(bytes).toString('hex'))
    assert.deepEqual(fromHex(text, bytes.length), bytes)
    assert.deepEqual(fromHex(text.toUpperCase()), bytes)
  })))
})

t.test('refuses what is not hex, every character that borders on a digit included', async t => {
  for (const char of '/:@G`g \n\u0130\uff11\u0131') {
    t.throws(() => fromHex(`0${char}`), { code: 'ERR_BAD_HEX' }, JSON.stringify(char))
    t.throws(() => fromHex(`${char}0`), { code: 'ERR_BAD_HEX' }, JSON.stringify(char))
  }
  t.throws(() => fromHex('abc'), { code: 'ERR_BAD_HEX', message: 'odd number of hex digits: 3' })
  t.throws(() => fromHex('abcd', 3), { code: 'ERR_BAD_HEX', message: 'wrong number of hex digits: 4 instead of 6' })
  t.same(fromHex(''), new Uint8Array(0))
})

t.test('a UUID keeps its bytes in their order', async t => {
  const bytes = Uint8Array.from({ length: 16 }, (_, index) => index * 0x11)
  t.equal(formatUuid(bytes), '00112233-4455-6677-8899-aabbccddeeff')
  t.same(parseUuid('00112233-4455-6677-8899-AABBCCDDEEFF'), bytes)
  t.doesNotThrow(() => fc.assert(fc.property(fc.uuid(), text => { assert.equal(formatUuid(parseUuid(text)), text) })))
})

t.test('refuses what is not a UUID', async t => {
  for (const text of [
    '', '00112233445566778899aabbccddeeff', '{00112233-4455-6677-8899-aabbccddeeff}', '00112233-4455-6677-8899-aabbccddeef',
    '00112233-4455-6677-8899-aabbccddeefg', '00112233-4455-6677-8899-aabbccddeeff\n', '0011223-34455-6677-8899-aabbccddeeff'
  ]) t.throws(() => parseUuid(text), { code: 'ERR_BAD_UUID' }, JSON.stringify(text))
  t.throws(() => formatUuid(new Uint8Array(15)), RangeError)
})
