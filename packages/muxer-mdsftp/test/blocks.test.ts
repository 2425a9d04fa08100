import { duplexPair } from '@ropewalk/testing'
import t from 'tap'
import { BLOCK_BYTES, MAX_BLOCKS } from '../src/constants.ts'
import { mdsftpPackets, type Fragment, type PacketChannel } from '../src/index.ts'

const pattern = (bytes: number, seed: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, index) => (index * 31 + (index >>> 8) + seed) & 255)

async function channels (chunkBytes?: number): Promise<[PacketChannel, PacketChannel]> {
  const [left, right] = duplexPair(chunkBytes === undefined ? {} : { chunkBytes })
  const near = mdsftpPackets(left, { role: 'dialer' }).open()
  const { value: far } = await mdsftpPackets(right, { role: 'acceptor' })[Symbol.asyncIterator]().next()
  far.grant(1000)
  return [near, far]
}

t.test('content is the same in blocks, whatever the pieces in which it comes, and its memory is used again when it is given back', async t => {
  for (const chunkBytes of [undefined, 999, 70_000]) {
    const [near, far] = await channels(chunkBytes)
    far.reuses = true
    const memory = new Set<ArrayBufferLike>()
    let places = new Set<number>()
    for (const [number, bytes] of [BLOCK_BYTES, BLOCK_BYTES / 2, BLOCK_BYTES + 1, 3 * BLOCK_BYTES + 777, 1, BLOCK_BYTES / 2 - 1, 2 * BLOCK_BYTES].entries()) {
      const content = pattern(bytes, number)
      void near.sendFragment(false, number, content.slice())
      const fragment = await far.next() as Fragment
      t.equal(Buffer.compare(fragment.content.subarray(), content), 0, `${bytes} bytes in pieces of ${chunkBytes ?? 'any size'}`)
      for (const piece of fragment.content) if (piece.length === BLOCK_BYTES && chunkBytes !== undefined) places = places.add(piece.byteOffset) && memory.add(piece.buffer) && places
      far.release(fragment)
      far.release(fragment)
    }
    if (chunkBytes !== undefined) t.ok(memory.size === 1 && places.size <= 4, 'what was given back is what comes next')
    for (const place of places) t.equal(place % BLOCK_BYTES, 0)
  }
})

t.test('what is not given back is not touched', async t => {
  for (const reuses of [false, true]) {
    const [near, far] = await channels(65_536)
    far.reuses = reuses
    const kept: Fragment[] = []
    for (let number = 0; number < 4; number++) {
      void near.sendFragment(false, number, pattern(2 * BLOCK_BYTES, number))
      kept.push(await far.next() as Fragment)
      // One more, that is given back, and one that waits when its channel ends.
      void near.sendFragment(false, number, pattern(2 * BLOCK_BYTES, 100))
      far.release(await far.next() as Fragment)
    }
    far.abort(new Error('enough'))
    for (const [number, { content }] of kept.entries()) t.equal(Buffer.compare(content.subarray(), pattern(2 * BLOCK_BYTES, number)), 0)
    for (const fragment of kept) far.release(fragment)
  }
})

t.test('no more blocks are kept than there may be, and content comes whole without them', async t => {
  const [near, far] = await channels(262_144)
  far.reuses = true
  const kept: Fragment[] = []
  const memory = new Map<ArrayBufferLike, number>()
  for (let number = 0; number <= MAX_BLOCKS / 4; number++) {
    const content = pattern(4 * BLOCK_BYTES, number)
    void near.sendFragment(false, number, content.slice())
    const fragment = await far.next() as Fragment
    t.equal(Buffer.compare(fragment.content.subarray(), content), 0)
    for (const { buffer } of fragment.content) memory.set(buffer, (memory.get(buffer) ?? 0) + 1)
    kept.push(fragment)
  }
  t.equal(Math.max(...memory.values()), MAX_BLOCKS, 'all of them in one memory')
  t.equal(memory.size, 5, 'and four that are nobody\'s afterwards')
  for (const fragment of kept) far.release(fragment)
})
