import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  readU16BE, readU16LE, readU32BE, readU32LE, readU64BE, readU64LE, u64ToNumber,
  writeU16BE, writeU16LE, writeU32BE, writeU32LE, writeU64BE, writeU64LE
} from '../src/index.ts'

const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff))
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

t.test('reads what DataView reads, from views too', async t => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), fc.nat(2), fc.nat(2), (backing, start, offset) => {
    const bytes = backing.subarray(start)
    const view = viewOf(bytes)
    assert.equal(readU16BE(bytes, offset), view.getUint16(offset))
    assert.equal(readU16LE(bytes, offset), view.getUint16(offset, true))
    assert.equal(readU32BE(bytes, offset), view.getUint32(offset))
    assert.equal(readU32LE(bytes, offset), view.getUint32(offset, true))
    assert.equal(readU64BE(bytes, offset), view.getBigUint64(offset))
    assert.equal(readU64LE(bytes, offset), view.getBigUint64(offset, true))
  })))
  t.equal(readU32BE(Uint8Array.of(0xff, 0xff, 0xff, 0xff)), 0xffff_ffff, 'unsigned, from offset 0 by default')
})

t.test('writes what DataView writes, and nothing beside it', async t => {
  t.doesNotThrow(() => fc.assert(fc.property(u16, u32, u64, fc.nat(2), (small, middle, large, offset) => {
    const cases: Array<[(bytes: Uint8Array) => void, (view: DataView) => void]> = [
      [bytes => writeU16BE(bytes, offset, small), view => view.setUint16(offset, small)],
      [bytes => writeU16LE(bytes, offset, small), view => view.setUint16(offset, small, true)],
      [bytes => writeU32BE(bytes, offset, middle), view => view.setUint32(offset, middle)],
      [bytes => writeU32LE(bytes, offset, middle), view => view.setUint32(offset, middle, true)],
      [bytes => writeU64BE(bytes, offset, large), view => view.setBigUint64(offset, large)],
      [bytes => writeU64LE(bytes, offset, large), view => view.setBigUint64(offset, large, true)]
    ]
    for (const [ours, oracle] of cases) {
      const bytes = new Uint8Array(12).fill(0xaa)
      const expected = new Uint8Array(12).fill(0xaa)
      ours(bytes)
      oracle(viewOf(expected))
      assert.deepEqual(bytes, expected)
    }
  })))
})

t.test('refuses a field outside its bytes, where arithmetic would read zeros', async t => {
  for (const [length, read, write] of [
    [2, readU16BE, (bytes: Uint8Array, offset: number) => writeU16BE(bytes, offset, 0)],
    [2, readU16LE, (bytes: Uint8Array, offset: number) => writeU16LE(bytes, offset, 0)],
    [4, readU32BE, (bytes: Uint8Array, offset: number) => writeU32BE(bytes, offset, 0)],
    [4, readU32LE, (bytes: Uint8Array, offset: number) => writeU32LE(bytes, offset, 0)],
    [8, readU64BE, (bytes: Uint8Array, offset: number) => writeU64BE(bytes, offset, 0n)],
    [8, readU64LE, (bytes: Uint8Array, offset: number) => writeU64LE(bytes, offset, 0n)]
  ] as const) {
    const bytes = new Uint8Array(length + 1)
    read(bytes, 1)
    write(bytes, 1)
    for (const offset of [2, -1, 0.5, NaN]) {
      t.throws(() => read(bytes, offset), RangeError, `${read.name} at ${offset}`)
      t.throws(() => write(bytes, offset), RangeError, `write at ${offset}`)
    }
  }
})

t.test('refuses a value that does not fit', async t => {
  const bytes = new Uint8Array(8)
  for (const value of [-1, 1.5, NaN, Infinity, 0x1_0000]) {
    t.throws(() => writeU16BE(bytes, 0, value), RangeError, `u16 ${value}`)
    t.throws(() => writeU16LE(bytes, 0, value), RangeError, `u16 ${value}`)
  }
  for (const value of [-1, 1.5, NaN, Infinity, 0x1_0000_0000]) {
    t.throws(() => writeU32BE(bytes, 0, value), RangeError, `u32 ${value}`)
    t.throws(() => writeU32LE(bytes, 0, value), RangeError, `u32 ${value}`)
  }
  for (const value of [-1n, 2n ** 64n]) {
    t.throws(() => writeU64BE(bytes, 0, value), RangeError, `u64 ${value}`)
    t.throws(() => writeU64LE(bytes, 0, value), RangeError, `u64 ${value}`)
  }
  t.same(bytes, new Uint8Array(8))
})

t.test('makes a number of a u64 only where it stays the same', async t => {
  t.equal(u64ToNumber(2n ** 53n - 1n), Number.MAX_SAFE_INTEGER)
  for (const value of [2n ** 53n, 2n ** 64n - 1n]) {
    t.throws(() => u64ToNumber(value), { code: 'ERR_UNSAFE_INTEGER', remote: true, message: `not a safe integer: ${value} > 9007199254740991` })
  }
  t.throws(() => u64ToNumber(2n ** 53n, { remote: false, scope: 'transfer' }), { code: 'ERR_UNSAFE_INTEGER', remote: false, scope: 'transfer' })
})
