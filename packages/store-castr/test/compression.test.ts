import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { patternAt } from '@ropewalk/testing'
import t from 'tap'
import { formatOf } from '../src/at-once.ts'
import { nodeCompression } from '../src/compression.ts'
import { CastrError } from '../src/errors.ts'
import { nodeHash } from '../src/hash.ts'
import { recordedStore } from './folder.ts'

const { compress, decompress } = nodeCompression()
/** 27,166 bytes of text, as the original compressed them. */
const TEXT = '03818c55e4e344607b67fb6500d4ea507f40a798e5e7697b941a05b68fd33013'
const TEXT_BYTES = 27_166
/** The length that gzip states stands at its end, and a wrong one may be too long. */
const BAD = /^ERR_CHUNK_(DAMAGED|SIZE)$/

async function recorded (format: 'zstd' | 'gzip' | 'xz'): Promise<Uint8Array> {
  return await readFile(join(recordedStore(format === 'zstd' ? 'srv' : format), TEXT.slice(0, 4), `${TEXT}.cacnk`))
}

for (const format of ['zstd', 'gzip', 'xz'] as const) {
  t.test(`${format}, as the original writes it`, async t => {
    const compressed = await recorded(format)
    t.equal(formatOf(compressed), format)
    const bytes = await decompress(compressed, TEXT_BYTES)
    t.equal(Buffer.from(await nodeHash('sha512-256', bytes)).toString('hex'), TEXT)
    await t.rejects(decompress(compressed, TEXT_BYTES - 1), { code: 'ERR_CHUNK_SIZE', remote: true }, 'one byte more than allowed')

    const second = Buffer.concat([compressed, compressed])
    await t.rejects(decompress(second, 2 * TEXT_BYTES), { code: 'ERR_CHUNK_DAMAGED' }, 'a second stream behind it')
    for (const behind of [[0], [0, 0, 0, 0], [1, 2, 3]]) {
      await t.rejects(decompress(Buffer.concat([compressed, Uint8Array.from(behind)]), TEXT_BYTES), { code: BAD }, `${behind.length} bytes behind it`)
    }
    for (let cut = 0; cut < compressed.length; cut += 3) {
      await t.rejects(decompress(compressed.subarray(0, cut), TEXT_BYTES), { code: BAD }, `cut short at ${cut}`)
    }
  })

  t.test(`${format}: a bit flipped anywhere never gives more than was allowed, and only coded errors`, async t => {
    const compressed = await recorded(format)
    const whole = await decompress(compressed, TEXT_BYTES)
    for (let at = 0; at < compressed.length; at++) {
      const flipped = Uint8Array.from(compressed)
      flipped[at] = (flipped[at] as number) ^ 1 << at % 8
      try {
        const bytes = await decompress(flipped, TEXT_BYTES)
        // zstd of the original has no checksum: that is what ids are for.
        if (format === 'zstd') t.ok(bytes.length <= TEXT_BYTES)
        else t.same(bytes, whole)
      } catch (error) {
        if (!(error instanceof CastrError)) throw error
        t.match(error.code, BAD)
      }
    }
  })
}

t.test('what is compressed here is one frame that says its length, and comes back', async t => {
  for (const length of [1, 100, 8192, 8193, 65_536, 262_144]) {
    for (const bytes of [patternAt(0, length), new Uint8Array(length)]) {
      const compressed = await compress(bytes)
      t.equal(formatOf(compressed), 'zstd')
      t.same(await decompress(compressed, length), Buffer.from(bytes))
    }
  }
})

t.test('what might be long is short or long all the same', async t => {
  const most = 128 * 1024 * 1024
  for (const length of [1000, 262_144, 262_145, 1_000_000]) {
    for (const silent of [0, 1]) {
      const bytes = new Uint8Array(length).fill(7)
      const compressed = zlib.zstdCompressSync(bytes, { params: { [zlib.constants.ZSTD_c_contentSizeFlag]: 1 - silent } })
      t.ok(Buffer.from(bytes).equals(await decompress(compressed, most)), `${length} bytes${silent === 1 ? ', silent about it' : ''}`)
    }
  }
})

t.test('bombs stop at the limit, and before they allocate where they say what they are', async t => {
  const bomb = new Uint8Array(32 * 1024 * 1024)
  const announced = zlib.zstdCompressSync(bomb, { pledgedSrcSize: bomb.length })
  await t.rejects(decompress(announced, 262_144), { code: 'ERR_CHUNK_SIZE', message: '33554432 > 262144 bytes' })
  const silent = zlib.zstdCompressSync(bomb, { params: { [zlib.constants.ZSTD_c_contentSizeFlag]: 0 } })
  await t.rejects(decompress(silent, 262_144), { code: 'ERR_CHUNK_SIZE', message: 'zstd: more than 262144 bytes' })
  await t.rejects(decompress(zlib.gzipSync(bomb), 262_144), { code: 'ERR_CHUNK_SIZE', message: '33554432 > 262144 bytes' })
  const lying = zlib.gzipSync(bomb)
  lying.writeUInt32LE(1, lying.length - 4)
  await t.rejects(decompress(lying, 262_144), { code: 'ERR_CHUNK_SIZE', message: 'gzip: more than 262144 bytes' })
})

t.test('a zstd frame that wants 128 MiB of window is refused unread', async t => {
  // Magic, no flags, a window of 2^27 bytes, one raw block of one byte.
  const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x09, 0x00, 0x00, 0x78)
  await t.rejects(decompress(frame, 65_536), { code: 'ERR_CHUNK_SIZE', message: 'zstd: a window of 134217728 > 8388608 bytes' })
  frame[5] = 13 << 3
  t.same(await decompress(frame, 65_536), Buffer.from('x'))
})

t.test('refuses what it does not know', async t => {
  for (const bytes of [[], [0x28, 0xb5], [1, 2, 3, 4, 5], [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]]) {
    await t.rejects(decompress(Uint8Array.from(bytes), 100), { code: 'ERR_CHUNK_DAMAGED' })
  }
  await t.rejects(decompress(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x08, 0, 0, 0, 0), 100), { message: /reserved bit/ })
  await t.rejects(decompress(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x01, 0, 0, 0, 0), 100), { message: /dictionary/ })
  await t.rejects(decompress(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x07, 0, 0), 100), { message: /reserved type/ })
  t.throws(() => nodeCompression({ level: 0 }), RangeError)
})

t.test('gzip with every optional field', async t => {
  const plain = zlib.gzipSync(Buffer.from('hello'))
  const head = Buffer.from(plain.subarray(0, 10))
  head[3] = 4 | 8 | 16 | 2
  const full = Buffer.concat([head, Buffer.from([3, 0, 9, 9, 9]), Buffer.from('name\0'), Buffer.from('comment\0'), Buffer.from([0, 0]), plain.subarray(10)])
  t.same(await decompress(full, 5), Buffer.from('hello'))
})
