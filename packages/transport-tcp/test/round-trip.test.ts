import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { bytesOf, connected, KINDS } from './sockets.ts'

const SIZE = 8 * 1024 * 1024

/** Cuts `bytes` into pieces of odd lengths, some of them empty. */
function * pieces (bytes: Uint8Array): Generator<Uint8Array> {
  const lengths = [1, 0, 65_537, 3, 262_147, 17, 4_093]
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] as number
    yield bytes.subarray(at, at + length)
    at += length
  }
}

for (const kind of KINDS) {
  t.test(`${kind}: 8 MiB in odd pieces arrive unchanged both ways at once`, async t => {
    const { dialled, accepted } = await connected(t, kind)
    const [left, right] = [randomBytes(SIZE), randomBytes(SIZE)]

    const [, , toRight, toLeft] = await Promise.all([
      dialled.sink(pieces(left)), accepted.sink(pieces(right)), bytesOf(accepted.source), bytesOf(dialled.source)
    ])

    t.equal(digest(toRight), digest(left))
    t.equal(digest(toLeft), digest(right))
  })
}

function digest (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
