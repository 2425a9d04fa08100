import { readFileSync } from 'node:fs'
import { chopped, collect, cuts, linear, oneByOne } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import { processorTime } from './processor-time.ts'
import { chunk } from '../src/chunk.ts'
import { CasyncError } from '../src/errors.ts'
import { identify } from '../src/identify.ts'
import { indexBytes, IndexDecoder, IndexEncoder, type IndexItem } from '../src/index-codec.ts'
import { decodeIndex, encodeIndex, openIndex } from '../src/index-file.ts'
import { counter, input, nodeHash } from './inputs.ts'

const RECORDED = [
  ['mix', "ctr('casync-a',700000)+zeros(600000)+text(400000)+ctr('casync-a',300000)", 'sha512-256'],
  ['mini', "ctr('mini',110000)+zeros(300000)+text(100000)", 'sha512-256'],
  ['mini-sha256', "ctr('mini',110000)+zeros(300000)+text(100000)", 'sha256'],
  ['one', "rep('x',1)", 'sha512-256'],
  ['empty', "rep('x',0)", 'sha512-256']
] as const

function recorded (name: string): Uint8Array {
  return readFileSync(new URL(`../../../fixtures/casync/inputs/${name}.caibx`, import.meta.url))
}

const MINI = recorded('mini')

async function decode (pieces: Iterable<Uint8Array>, maxBytes?: number): Promise<IndexItem[]> {
  const items = []
  for await (const item of decodeIndex({ maxBytes })(pieces)) items.push(item)
  return items
}

/** A copy with the word at `offset` replaced. */
function withWord (bytes: Uint8Array, offset: number, value: bigint): Uint8Array {
  const copy = Uint8Array.from(bytes)
  new DataView(copy.buffer).setBigUint64(offset, value, true)
  return copy
}

for (const [name, expression, digest] of RECORDED) {
  t.test(`writes ${name}.caibx byte for byte as the original wrote it`, async t => {
    const bytes = await collect(encodeIndex({ digest })(identify(nodeHash, { digest })(chunk()([input(expression)]))))
    t.same(bytes, Uint8Array.from(recorded(name)))
    const { header, items } = await openIndex([bytes])
    t.equal(header.digest, digest)
    let size = 0
    for await (const { start, end } of items) {
      t.equal(start, size)
      size = end
    }
    t.equal(size, input(expression).length)
  })
}

t.test('an index comes out alike wherever it is cut', async t => {
  const wanted = await decode([MINI])
  t.equal(wanted.length, 4)
  for (const pieces of cuts(MINI)) t.same(await decode(pieces), wanted)
  t.same(await decode(oneByOne(MINI)), wanted)
})

t.test('what is written is read again, for any chunks', async t => {
  const lengths = fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 40 })
  await fc.assert(fc.asyncProperty(lengths, fc.constantFrom('sha256' as const, 'sha512-256' as const), fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }), async (lengths, digest, pieces) => {
    let start = 0
    const items = lengths.map((length, i) => {
      const item = { id: Buffer.from(counter('id', 32 * (i + 1)).subarray(32 * i)).toString('hex'), start, end: start + length }
      start += length
      return item
    })
    const bytes = await collect(encodeIndex({ sizes: { min: 1, avg: 500, max: 1000 }, digest })(items))
    t.equal(bytes.length, indexBytes(items.length))
    t.same(await decode(chopped(bytes, pieces)), items)
  }), { numRuns: 60 })
})

t.test('long indexes go out in slices of at most 64 KiB, of which the first has the header', async t => {
  const slices = []
  const items = Array.from({ length: 5000 }, (_, i) => ({ id: 'ab'.repeat(32), end: i + 1 }))
  for await (const slice of encodeIndex()(items)) slices.push(slice.length)
  t.ok(slices.every(length => length <= 65_536) && (slices[0] as number) >= 64)
  t.equal(slices.reduce((sum, length) => sum + length), 104 + 40 * 5000)
})

const ITEM = 64 // Where the first item of an index begins.
const TAIL = MINI.length - 40

const HOSTILE: ReadonlyArray<[string, Uint8Array, string, RegExp]> = [
  ['another length of the header', withWord(MINI, 0, 49n), 'ERR_INDEX', /first 16 bytes/],
  ['another magic', withWord(MINI, 8, 1n), 'ERR_INDEX', /first 16 bytes/],
  ['a minimum of 0', withWord(MINI, 24, 0n), 'ERR_INDEX', /not 1 \.\.\. 134217728 bytes/],
  ['a maximum over 128 MiB', withWord(MINI, 40, 134_217_729n), 'ERR_INDEX', /134217729/],
  ['a minimum above the average', withWord(MINI, 24, 65_537n), 'ERR_INDEX', /out of order/],
  ['an average above the maximum', withWord(MINI, 32, 262_145n), 'ERR_INDEX', /out of order/],
  ['a table of known size', withWord(MINI, 48, 1000n), 'ERR_INDEX', /does not begin/],
  ['another marker of the table', withWord(MINI, 56, 1n), 'ERR_INDEX', /does not begin/],
  ['a chunk past 2^53', withWord(MINI, ITEM, 1n << 53n), 'ERR_INDEX', /9007199254740991/],
  ['a chunk that is longer than the maximum', withWord(MINI, ITEM, 262_145n), 'ERR_INDEX', /262145 > 262144/],
  ['a chunk that ends where it begins', withWord(MINI, ITEM + 40, new DataView(MINI.buffer, MINI.byteOffset).getBigUint64(ITEM, true)), 'ERR_INDEX', /<=/],
  ['a chunk that ends at 0', withWord(MINI, ITEM, 0n), 'ERR_INDEX', /not the tail/],
  ['a tail with a second word', withWord(MINI, TAIL + 8, 1n), 'ERR_INDEX', /not the tail/],
  ['a tail that names another table', withWord(MINI, TAIL + 16, 47n), 'ERR_INDEX', /begins at 47, not at 48/],
  ['a tail that lies about its size', withWord(MINI, TAIL + 24, 256n), 'ERR_INDEX', /256 bytes, not 216/],
  ['a tail with another marker', withWord(MINI, TAIL + 32, 1n), 'ERR_INDEX', /not the tail/],
  ['a byte behind the tail', Buffer.concat([MINI, Buffer.of(0)]), 'ERR_INDEX', /1 bytes follow/],
  ['nothing at all', new Uint8Array(0), 'ERR_TRUNCATED', /byte 0/],
  ['an end inside the header', MINI.subarray(0, 47), 'ERR_TRUNCATED', /byte 47/],
  ['an end between two chunks', MINI.subarray(0, ITEM + 40), 'ERR_TRUNCATED', /after 1 chunks/],
  ['an end inside the tail', MINI.subarray(0, -1), 'ERR_TRUNCATED', /without its tail/]
]

for (const [what, bytes, code, message] of HOSTILE) {
  t.test(`refuses ${what}, however it is cut`, async t => {
    await t.rejects(decode([bytes]), { code, message, scope: 'transfer', remote: true })
    await t.rejects(decode(oneByOne(bytes)), { code, message })
  })
}

t.test('an item that imitates the marker of the tail is an item', async t => {
  const items = [{ id: `${'00'.repeat(24)}d1ec49550e054f4b`, start: 0, end: 48 }, { id: '07'.repeat(32), start: 48, end: 96 }]
  t.same(await decode([await collect(encodeIndex()(items))]), items)
})

t.test('refuses more bytes than agreed, before it reads them', async t => {
  await t.rejects(decode([MINI], MINI.length - 1), { code: 'ERR_INDEX_TOO_LARGE', message: new RegExp(`${MINI.length} > ${MINI.length - 1} bytes`) })
  t.equal((await decode([MINI], MINI.length)).length, 4)
})

t.test('after an error it goes on throwing it', async t => {
  const decoder = new IndexDecoder()
  t.throws(() => [...decoder.push(new Uint8Array(48))], { code: 'ERR_INDEX' })
  t.throws(() => [...decoder.push(MINI)], { code: 'ERR_INDEX' })
  t.throws(() => { decoder.end() }, { code: 'ERR_INDEX' })
})

t.test('a bit flipped anywhere is found here, or changes an id or a place, or the features', async t => {
  const wanted = await decode([MINI])
  for (let bit = 0; bit < MINI.length * 8; bit++) {
    const flipped = Uint8Array.from(MINI)
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ 1 << (bit & 7)
    const place = bit >> 3
    // The sizes may become others that are as good; the chunks are what they were.
    const harmless = place >= 16 && place < 48
    try {
      const items = await decode([flipped])
      if (harmless) t.same(items, wanted)
      else t.notSame(items, wanted)
    } catch (error) {
      if (!(error instanceof CasyncError)) throw error
      // The tail, taken for one more chunk.
      if (error.code === 'ERR_TRUNCATED' && place >= TAIL && place < TAIL + 8) continue
      t.equal(error.code, 'ERR_INDEX')
      // A wrong end may only show with the next chunk; a wrong maximum with any.
      t.ok(harmless || Math.abs((error.offset as number) - place) <= 40, `byte ${place} was named ${error.offset}`)
    }
  }
})

t.test('refuses to write what no reader would take', async t => {
  const encoder = new IndexEncoder({ sizes: { min: 1, avg: 64, max: 128 } })
  encoder.head()
  t.throws(() => encoder.item({ id: '00'.repeat(32), end: 129 }), RangeError)
  t.throws(() => encoder.item({ id: '00'.repeat(32), end: 0 }), RangeError)
  t.throws(() => encoder.item({ id: '00', end: 1 }))
  encoder.item({ id: '00'.repeat(32), end: 128 })
  t.throws(() => encoder.item({ id: '00'.repeat(32), end: 128 }), RangeError)
  t.equal(encoder.items, 1)
  t.throws(() => new IndexEncoder({ sizes: { min: 3, avg: 2, max: 9 } }), RangeError)
})

t.test('time is linear in the index', async t => {
  const items = (n: number): Array<{ id: string, end: number }> => Array.from({ length: n }, (_, i) => ({ id: 'cd'.repeat(32), end: i + 1 }))
  const bytes = await collect(encodeIndex()(items(40_000)))
  const { exponent } = await linear(size => processorTime(() => {
    const decoder = new IndexDecoder()
    for (const piece of chopped(bytes.subarray(0, size), [13])) for (const _ of decoder.push(piece)) continue
  }), { sizes: [200_000, 1_600_000] })
  t.ok(exponent < 1.3, `exponent ${exponent}`)
})
