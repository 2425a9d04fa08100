import { pattern, verify } from '@ropewalk/testing'
import t from 'tap'
import { Uint8ArrayList } from 'uint8arraylist'
import { bytesOf, connected, KINDS, listening, dialled, take } from './sockets.ts'

const SIZE = 8 * 1024 * 1024

/** Cuts a pattern into pieces of odd lengths, some of them empty, some of them lists. */
function * pieces (seed: number): Generator<Uint8Array | Uint8ArrayList> {
  const lengths = [1, 0, 65_537, 3, 262_147, 17, 4_093]
  let i = 0
  for (const chunk of pattern(SIZE, seed)) {
    for (let at = 0; at < chunk.length; i++) {
      const part = chunk.subarray(at, at + (lengths[i % lengths.length] as number))
      at += part.length
      yield i % 3 === 0 ? new Uint8ArrayList(part.subarray(0, 5), part.subarray(5)) : part
    }
  }
}

for (const kind of KINDS) {
  t.test(`${kind}: 8 MiB in odd pieces arrive unchanged both ways at once`, async t => {
    const { left, right } = await connected(t, kind)
    await Promise.all([left.sink(pieces(1)), right.sink(pieces(2)), verify(right.source, SIZE, 1), verify(left.source, SIZE, 2)])
    await t.resolves(Promise.all([left[Symbol.asyncDispose](), right[Symbol.asyncDispose]()]))
  })

  t.test(`${kind}: 100 connections at once, each with its own bytes`, async t => {
    const listener = await listening(t, { maxHandshakes: 100, maxPendingConnections: 100 }, kind)
    const serving = (async () => {
      for (let n = 0; n < 100; n++) {
        const right = await take(listener)
        void right.sink(right.source)
      }
    })()
    await Promise.all(Array.from({ length: 100 }, async (_, n) => {
      const left = await dialled(kind, listener.address)
      const sent = left.sink(pattern(10_000, n))
      await Promise.all([sent, verify(left.source, 10_000, n)])
    }))
    await serving
    t.pass('all came back')
  })
}

t.test('the two ends know where the other is, and nothing of a token', async t => {
  const listener = await listening(t)
  const [left, right] = await Promise.all([dialled('ws', `${listener.address}?token=secret`), take(listener)])
  t.equal(left.remote.address, listener.address)
  t.match(right.remote.address, /^127\.0\.0\.1:\d+$/)
  await Promise.all([left.sink([]), right.sink([]), bytesOf(left.source), bytesOf(right.source)])
})
