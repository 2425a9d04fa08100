import { VirtualClock } from '@ropewalk/testing'
import t from 'tap'
import { Announcements } from '../src/announcements.ts'
import { ANNOUNCE_GATHER_MS } from '../src/constants.ts'
import type { ChunkRef, PeerAddress } from '../src/message.ts'

const [first, second]: [PeerAddress, PeerAddress] = [{ host: 'h', port: 1 }, { host: 'h', port: 2 }]
const chunk = (index: number): ChunkRef => ({ name: 'files/a', count: 100, index })

/** What each was told, by the port and the chunks. */
function scene (): { clock: VirtualClock, announcements: Announcements, told: Array<[port: number, ...indexes: number[]]> } {
  const clock = new VirtualClock(1000)
  const told: Array<[number, ...number[]]> = []
  const announcements: Announcements = new Announcements(clock, to => { told.push([to.port, ...announcements.take(to).map(({ index }) => index)]) })
  return { clock, announcements, told }
}

t.test('the first chunk is told at once, those that come soon after it together, and each peer has its own time', async t => {
  const { clock, announcements, told } = scene()
  announcements.add(first, chunk(0))
  t.same(told, [[1, 0]])
  announcements.add(first, chunk(1))
  announcements.add(second, chunk(1))
  announcements.add(first, chunk(2))
  t.same(told.splice(0), [[1, 0], [2, 1]])
  await clock.advance(ANNOUNCE_GATHER_MS - 1)
  t.same(told, [])
  await clock.advance(1)
  t.same(told.splice(0), [[1, 1, 2]])
  await clock.advance(ANNOUNCE_GATHER_MS)
  announcements.add(first, chunk(3))
  t.same([told, clock.pending], [[[1, 3]], 0])
})

t.test('as long as the peer cannot be told, chunks gather, and nothing is set off twice', async t => {
  const clock = new VirtualClock(1000)
  let said = 0
  const announcements = new Announcements(clock, () => { said++ })
  for (let index = 0; index < 5; index++) announcements.add(first, chunk(index))
  await clock.advance(ANNOUNCE_GATHER_MS * 3)
  t.equal(said, 1)
  announcements.flush()
  announcements.add(first, chunk(5))
  await clock.advance(ANNOUNCE_GATHER_MS * 3)
  t.equal(said, 2)
  t.same(announcements.take(first).map(({ index }) => index), [0, 1, 2, 3, 4, 5])
  t.same([announcements.take(first), announcements.take(second)], [[], []])
})

t.test('who leaves says at once what he has gathered', async t => {
  const { clock, announcements, told } = scene()
  announcements.add(first, chunk(0))
  announcements.add(first, chunk(1))
  announcements.add(second, chunk(1))
  announcements.flush()
  t.same([told, clock.pending], [[[1, 0], [2, 1], [1, 1]], 0])
})
