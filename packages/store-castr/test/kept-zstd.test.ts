import { createHash } from 'node:crypto'
import * as zlib from 'node:zlib'
import { patternAt } from '@ropewalk/testing'
import t from 'tap'
import { AtOnce } from '../src/at-once.ts'
import { KeptZstd } from '../src/kept-zstd.ts'

/** As short, as long, as repetitive and as random as chunks are. */
const CHUNKS: readonly Uint8Array[] = [1, 100, 16_384, 16_385, 65_536, 131_073, 262_144].flatMap(length => [
  new Uint8Array(length),
  patternAt(length, length),
  Buffer.from(Array.from({ length: Math.ceil(length / 32) }, (_, i) => `line ${String(i).padStart(20, '0')}  text\n`).join('').slice(0, length)),
  Buffer.concat(Array.from({ length: Math.ceil(length / 32) }, (_, i) => createHash('sha256').update(`${length} ${i}`).digest())).subarray(0, length)
])

function open (): KeptZstd {
  const kept = KeptZstd.open()
  if (kept === undefined) throw new Error(`nothing can be kept in node ${process.version}: castr does its work at half the speed`)
  return kept
}

t.test('a kept context makes the very frames of a new one, whatever it did before', async t => {
  const kept = open()
  const into = new Uint8Array(300_000)
  for (const chunks of [CHUNKS, CHUNKS.toReversed()]) {
    for (const bytes of chunks) {
      const expected = zlib.zstdCompressSync(bytes, { params: { [zlib.constants.ZSTD_c_compressionLevel]: 3 }, pledgedSrcSize: bytes.length })
      const length = kept.compress(bytes, into)
      t.ok(expected.equals(into.subarray(0, length)), `${bytes.length} bytes`)
      t.equal(kept.decompress(expected, into), bytes.length)
      t.ok(Buffer.from(bytes).equals(into.subarray(0, bytes.length)))
    }
  }
})

t.test('whatever went wrong with one frame, the next is whole, from a context that is kept', async t => {
  const kept = open()
  const into = new Uint8Array(300_000)
  const bytes = Buffer.from(CHUNKS.at(-2) as Uint8Array)
  const good = zlib.zstdCompressSync(bytes, { pledgedSrcSize: bytes.length })
  const silent = zlib.zstdCompressSync(bytes, { params: { [zlib.constants.ZSTD_c_contentSizeFlag]: 0 } })
  const flipped = Buffer.from(good)
  flipped[20] = (flipped[20] as number) ^ 0x55
  const bad: ReadonlyArray<readonly [string, Uint8Array, number]> = [
    ['longer than it may be', good, bytes.length - 1],
    ['longer than it may be, and silent about it', silent, bytes.length - 1],
    ['with a flipped bit', flipped, bytes.length],
    ['of another format', zlib.gzipSync(bytes), bytes.length]
  ]
  for (const [what, frame, most] of bad) {
    const length = kept.decompress(frame, into.subarray(0, most + 1))
    t.notOk(bytes.equals(into.subarray(0, Math.max(0, length))), what)
    for (const next of [good, silent]) {
      into.fill(0)
      t.equal(kept.decompress(next, into), bytes.length, `after one ${what}`)
      t.ok(bytes.equals(into.subarray(0, bytes.length)))
    }
  }
})

t.test('at once means with the same limits as ever', async t => {
  const atOnce = new AtOnce()
  const bytes = Buffer.from(CHUNKS.at(-2) as Uint8Array)
  const good = Buffer.from(atOnce.compress(bytes, 'zstd'))
  t.ok(bytes.equals(atOnce.decompress(good, bytes.length) as Uint8Array))
  t.equal(atOnce.decompress(good.subarray(0, -3), bytes.length), undefined, 'cut short')
  t.equal(atOnce.decompress(Buffer.concat([good, Buffer.of(1)]), bytes.length), undefined, 'something behind it')
  t.equal(atOnce.decompress(good, bytes.length - 1), undefined, 'longer than it may be')
  t.ok(zlib.gunzipSync(atOnce.compress(bytes, 'gzip')).equals(bytes))
})
