import { turn } from '@ropewalk/testing'
import t from 'tap'
import { stage } from './stage.ts'

const FRAMES = 100_000
const BURST = 1000

const ACTIVE = 100

/** CPU time for a hundred thousand frames of a byte, in turn on the last hundred of so many open streams. */
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
    const stream = ends[streams - 1 - sent % ACTIVE] as typeof ends[0]
    if (!stream?.send(byte)) await new Promise(resolve => stream?.addEventListener('drain', resolve, { once: true }))
    if (sent % BURST === 0) await turn()
  }
  await all.promise
  const { user, system } = process.cpuUsage(before)
  return user + system
}

t.test('frames cost the same whether 100 streams are open or 1,000', async t => {
  await cost(100)
  let [hundred, thousand] = [Infinity, Infinity]
  for (let run = 0; run < 4; run++) {
    hundred = Math.min(hundred, await cost(100))
    thousand = Math.min(thousand, await cost(1000))
  }
  // Looking for each in a list would make ten times the streams several times as dear.
  t.ok(thousand < 2 * hundred, `${thousand} µs among 1,000 streams, ${hundred} µs among 100`)
})
