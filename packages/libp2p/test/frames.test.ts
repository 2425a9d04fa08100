import { turn } from '@ropewalk/testing'
import t from 'tap'
import { stage } from './stage.ts'

const FRAMES = 100_000
const BURST = 1000

/** CPU time for a hundred thousand frames of a byte, in turn on so many streams. */
async function cost (streams: number): Promise<number> {
  const { listener, open } = stage()
  const ends = []
  for (let index = 0; index < streams; index++) ends.push((await open())[0])
  let came = 0
  const all = Promise.withResolvers<void>()
  for (const stream of listener.streams) {
    stream.addEventListener('message', () => {
      if (++came === FRAMES) all.resolve()
    })
  }

  const byte = Uint8Array.of(1)
  const before = process.cpuUsage()
  for (let sent = 0; sent < FRAMES; sent++) {
    const stream = ends[sent % streams] as typeof ends[0]
    if (!stream?.send(byte)) await new Promise(resolve => stream?.addEventListener('drain', resolve, { once: true }))
    if (sent % BURST === 0) await turn()
  }
  await all.promise
  const { user, system } = process.cpuUsage(before)
  return user + system
}

t.test('a hundred thousand frames cost on 1,000 streams about what they cost on one', async t => {
  await cost(1)
  let [one, thousand] = [Infinity, Infinity]
  for (let run = 0; run < 5; run++) {
    one = Math.min(one, await cost(1))
    thousand = Math.min(thousand, await cost(1000))
  }
  // A thousand streams are more than a cache holds: that is up to twice, on a machine that others use up to three times.
  // A list to look through is five times and more.
  t.ok(thousand < 4 * one, `${thousand} µs on 1,000 streams, ${one} µs on one`)
})
