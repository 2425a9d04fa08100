import t from 'tap'
import { ReaderFeed, type RandomAccess } from '../src/feed.ts'

/** Counts up, and has memory of its own. */
function counting (): RandomAccess & { asked: number[] } {
  const asked: number[] = []
  return {
    asked,
    async read (into, position) {
      for (let index = 0; index < into.length; index++) into[index] = position + index
      return into.length
    },
    memory (bytes) {
      asked.push(bytes)
      return new Uint8Array(bytes)
    }
  }
}

t.test('what is read anywhere is read into memory that the reader offers, and that again once the peer has what was in it', async t => {
  const reader = counting()
  const feed = new ReaderFeed(reader, 10, true)
  const [first, second] = [await feed.take(4), await feed.take(4)]
  feed.settled(1)
  const third = await feed.take(3)
  t.same([...second], [14, 15, 16, 17])
  t.same([...third], [18, 19, 20])
  t.equal(third.buffer, first.buffer)
  t.same(reader.asked, [4, 4])
})

t.test('memory of the reader is not handed to a peer in the same process, which may keep it', async t => {
  const reader = counting()
  const feed = new ReaderFeed(reader, 0, false)
  const first = await feed.take(4)
  feed.settled(1)
  await feed.take(4)
  t.same([...first], [0, 1, 2, 3])
  t.same(reader.asked, [])
})
