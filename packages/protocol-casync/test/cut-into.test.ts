import { patternAt } from '@ropewalk/testing'
import t from 'tap'
import { chunk } from '../src/chunk.ts'
import { cutInto, type ChunkIntake } from '../src/cut-into.ts'
import { parseChunkSizes } from '../src/chunk-sizes.ts'

const SIZES = parseChunkSizes('1024:4096:16384')

/** Keeps what it was given, and tells of it late. */
function scripted (roomEvery: number): ChunkIntake & { readonly kept: Uint8Array[], readonly waits: () => number } {
  const kept: Uint8Array[] = []
  let growing: number[] = []
  let told = 0
  let waits = 0
  let full = false
  const tell = (until: number): Array<{ id: string, length: number, fresh: boolean }> => kept.slice(told, told = Math.max(told, until)).map((bytes, i) => ({ id: `${told}-${i}`, length: bytes.length, fresh: true }))
  return {
    kept,
    waits: () => waits,
    push (bytes) {
      if (full) throw new TypeError('no room')
      growing.push(...bytes)
    },
    cut () {
      kept.push(Uint8Array.from(growing))
      growing = []
      return full = kept.length % roomEvery === 0
    },
    async room () {
      full = false
      waits++
    },
    done: () => tell(kept.length - 3),
    finish: async () => tell(kept.length)
  }
}

t.test('cuts where chunk cuts, lends nothing for longer than it may, waits for room, and tells every place in order', async t => {
  const blob = patternAt(3, 300_000)
  const want: Uint8Array[] = []
  for await (const bytes of chunk(SIZES)([blob])) want.push(bytes)
  for (const piece of [1000, 16_385, 300_000]) {
    const intake = scripted(4)
    const lent = new Uint8Array(piece)
    const places = []
    for await (const place of cutInto(intake, SIZES)((function * () {
      for (let at = 0; at < blob.length; at += piece) {
        const length = Math.min(piece, blob.length - at)
        lent.set(blob.subarray(at, at + length))
        yield lent.subarray(0, length)
        lent.fill(0)
      }
    })())) places.push(place)
    t.same(intake.kept, want)
    t.ok(intake.waits() > 3)
    t.equal(places.length, want.length)
    let end = 0
    for (const [i, place] of places.entries()) {
      t.same([place.start, place.end], [end, end += (want[i] as Uint8Array).length])
    }
    t.equal(end, blob.length)
  }
})

t.test('of nothing it makes nothing', async t => {
  for await (const place of cutInto(scripted(4), SIZES)([])) t.fail(`${place.start}`)
  t.pass()
})
