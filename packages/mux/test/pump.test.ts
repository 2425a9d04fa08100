import t from 'tap'
import { Pump, type Member, type Outgoing } from '../src/index.ts'

/** A member that writes `frames` one at a time, and its controls when asked. */
function member (name: number, frames: number, controls = 0): Member {
  return {
    controlQueued: false,
    readyQueued: false,
    writeControls (out: Outgoing) { for (let left = controls; left > 0; left--) out.packet(Uint8Array.of(100 + name)) },
    writeFrame (out: Outgoing) {
      if (frames > 0) out.packet(Uint8Array.of(name))
      return --frames > 0
    }
  }
}

t.test('system frames, then controls, then one frame of each ready member in turn, in one write', async t => {
  const pump = new Pump(() => false)
  const [one, two] = [member(1, 3, 1), member(2, 2)]
  pump.ready(one)
  pump.ready(two)
  pump.control(one)
  pump.control(one)
  pump.system(Uint8Array.of(255))
  const { value } = await pump.batches()[Symbol.asyncIterator]().next()
  t.same([...value.subarray()], [255, 101, 1, 2, 1, 2, 1])
})

t.test('what comes while the writer waits goes out at the end of the turn, together', async t => {
  const pump = new Pump(() => false)
  const batches = pump.batches()[Symbol.asyncIterator]()
  const next = batches.next()
  pump.system(Uint8Array.of(1))
  void Promise.resolve().then(() => { pump.system(Uint8Array.of(2)) })
  t.same([...(await next).value.subarray()], [1, 2])
})

t.test('a batch ends when it is large enough, and nothing is forgotten', async t => {
  const pump = new Pump(() => false)
  let left = 20
  pump.ready({ controlQueued: false, readyQueued: false, writeControls: () => {}, writeFrame: out => { out.content([new Uint8Array(65_536)]); return --left > 0 } })
  const batches = pump.batches()[Symbol.asyncIterator]()
  const sizes = [await batches.next(), await batches.next(), await batches.next()].map(({ value }) => value.byteLength)
  t.same(sizes, [8 * 65_536, 8 * 65_536, 4 * 65_536])
})

t.test('the end comes when it is over and there is nothing left to write', async t => {
  let over = false
  const pump = new Pump(() => over)
  const batches = pump.batches()[Symbol.asyncIterator]()
  pump.system(Uint8Array.of(1))
  over = true
  t.equal((await batches.next()).done, false)
  t.equal((await batches.next()).done, true)
  const stopped = new Pump(() => false)
  const waiting = stopped.batches()[Symbol.asyncIterator]().next()
  stopped.stop()
  t.equal((await waiting).done, true)
})

t.test('finish writes its frame instead of what was queued, whether the writer waits or not, and then ends', async t => {
  for (const waits of [true, false]) {
    let over = false
    const pump = new Pump(() => over)
    const batches = pump.batches()[Symbol.asyncIterator]()
    const waiting = waits ? batches.next() : undefined
    pump.system(Uint8Array.of(1))
    pump.ready(member(7, 3))
    over = true
    pump.finish(Uint8Array.of(9))
    const { value } = await (waiting ?? batches.next())
    t.same([...value.subarray()], [9])
    t.equal((await batches.next()).done, true)
  }
})
