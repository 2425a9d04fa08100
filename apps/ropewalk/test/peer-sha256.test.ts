import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { sha256, sha256By } from '../src/peers/sha256.ts'

t.test('the digest is that of the content, however it is cut, also of several at a time; what was given may be used again', async t => {
  const content = randomBytes(100_000)
  const cuts = [[0], [1], [16_384], [16_385], [8192, 8192], [16_384, 1], [1, 16_385], [16_385, 1], [0, 0], [0, 20_000], [40_000, 30_000, 30_000]]
  // All are begun before the first one ends, and twice, so that memory is used again.
  for (let round = 0; round < 2; round++) {
    const running = cuts.map(lengths => {
      const hash = sha256()
      let at = 0
      for (const length of lengths) {
        const lent = Uint8Array.from(content.subarray(at, at + length))
        hash.update(lent)
        lent.fill(0)
        at += length
      }
      return { hash, lengths, wanted: createHash('sha256').update(content.subarray(0, at)).digest('hex') }
    })
    for (const { hash, lengths, wanted } of running) t.equal(Buffer.from(await hash.digest()).toString('hex'), wanted, lengths.join(' and '))
  }
})

t.test('what lies in shared memory is hashed by the thread; a digest that was begun with other memory goes on here', async t => {
  const shared = new Uint8Array(new SharedArrayBuffer(300_000)).fill(7)
  const other = randomBytes(20_000)
  let threads = 0
  const hashing = sha256By(() => {
    threads++
    const hash = createHash('sha256')
    return { update: async bytes => { hash.update(bytes) }, digest: async () => hash.digest() }
  })
  const PIECES: Array<[pieces: Uint8Array[], byThread: number]> = [[[shared, shared], 1], [[other, shared], 0], [[shared, other], 1], [[other], 0], [[shared.subarray(1, 100_000), shared], 0], [[], 0]]
  for (const [pieces, byThread] of PIECES) {
    threads = 0
    const hash = hashing()
    for (const piece of pieces) await hash.update(piece)
    t.same(Buffer.from(await hash.digest()), createHash('sha256').update(Buffer.concat(pieces)).digest())
    t.equal(threads, byThread)
  }
})
