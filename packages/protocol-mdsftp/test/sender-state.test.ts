import fc from 'fast-check'
import t from 'tap'
import { SenderState } from '../src/sender-state.ts'

t.test('content is cut as the specification says: full fragments, then what is left, never an empty one', async t => {
  // Section 4.2, for S = 1, z, 2z, 2z + 1.
  for (const [size, wanted] of [[1, [1]], [3, [3]], [6, [3, 3]], [7, [3, 3, 1]]] as const) {
    const state = new SenderState({ size, fragmentBytes: 3, window: 10 })
    const sent: number[] = []
    while (!state.sentAll) {
      sent.push(state.nextBytes)
      t.equal(state.nextIsLast, sent.length === wanted.length)
      t.equal(state.send(), sent.length - 1)
    }
    t.same(sent, wanted)
  }
  t.throws(() => new SenderState({ size: 0, fragmentBytes: 3, window: 1 }), RangeError)
  t.throws(() => new SenderState({ size: 2 ** 40, fragmentBytes: 1, window: 1 }), RangeError)
})

t.test('window 0 is lockstep, and a window of 65535 is held to 64 fragments and 4 MiB', async t => {
  const room = (options: { window: number, fragmentBytes: number }): number => {
    const state = new SenderState({ size: 2 ** 30, ...options })
    let sent = 0
    while (state.mayGo) sent = state.send() + 1
    return sent
  }
  t.equal(room({ window: 0, fragmentBytes: 1 }), 1)
  t.equal(room({ window: 1, fragmentBytes: 1 }), 1)
  t.equal(room({ window: 16, fragmentBytes: 1 }), 16)
  t.equal(room({ window: 65535, fragmentBytes: 1 }), 64)
  t.equal(room({ window: 65535, fragmentBytes: 262_144 }), 16)
  t.equal(room({ window: 65535, fragmentBytes: 16_777_216 }), 1, 'a fragment larger than the bound goes alone')
})

t.test('finding 10: an acknowledgement of what was never sent, or that goes back, is refused; a repeat is not', async t => {
  const state = new SenderState({ size: 10, fragmentBytes: 1, window: 10 })
  t.throws(() => state.acknowledge(0, 0), { code: 'ERR_ACK', scope: 'transfer' })
  for (let count = 0; count < 5; count++) state.send()
  t.same(state.acknowledge(2, 0), { fragments: 3, bytes: 3 })
  t.same(state.acknowledge(2, 0), { fragments: 0, bytes: 0 })
  t.throws(() => state.acknowledge(1, 0), { code: 'ERR_ACK' })
  t.throws(() => state.acknowledge(5, 0), { code: 'ERR_ACK' })
  t.throws(() => state.acknowledge(4_294_967_295, 0), { code: 'ERR_ACK' })
  t.equal(state.acknowledgedBytes, 3)
})

t.test('fragments are large while acknowledgements come fast, never more than a quarter of the window, and small again when they do not', async t => {
  const run = (maxBytes: number, paceMs: number[]): number[] => {
    const state = new SenderState({ size: 1e9, fragmentBytes: 262_144, fastFragmentBytes: 1_048_576, window: 10, maxBytes })
    let now = 0
    return paceMs.map(ms => {
      const bytes = state.nextBytes
      state.acknowledge(state.send(), now += ms)
      return bytes
    })
  }
  const kib = (...sizes: number[]): number[] => sizes.map(size => size * 1024)
  t.same(run(4_194_304, [9, 9, 9, 9, 9, 9, 9]), kib(256, 256, 256, 256, 256, 256, 1024), 'the first acknowledgement tells nothing; four more, within 100 ms, do')
  t.same(run(4_194_304, [9, 9, 9, 9, 9, 9, 201, 0, 0]), kib(256, 256, 256, 256, 256, 256, 1024, 1024, 256), 'what is next is settled when the one before is sent')
  t.same(run(4_194_304, [26, 26, 26, 26, 26, 26, 26]), kib(256, 256, 256, 256, 256, 256, 256))
  t.same(run(2_097_152, [1, 1, 1, 1, 1]), kib(256, 256, 256, 256, 512))
  t.same(run(1_048_576, [1, 1, 1, 1, 1, 1]), kib(256, 256, 256, 256, 256, 256))
})

t.test('any exchange of fragments and acknowledgements sends everything once, within the window', async t => {
  const options = fc.record({ size: fc.integer({ min: 1, max: 2000 }), fragmentBytes: fc.integer({ min: 1, max: 300 }), window: fc.nat(70), maxBytes: fc.integer({ min: 1, max: 1000 }) })
  fc.assert(fc.property(options, fc.infiniteStream(fc.nat(1000)), (options, choices) => {
    const state = new SenderState(options)
    const outstanding: number[] = []
    let sent = 0
    let acknowledged = 0
    for (const choice of choices) {
      if (state.acknowledgedAll) break
      if (state.mayGo && choice % 3 > 0) {
        const bytes = state.nextBytes
        state.send()
        sent += bytes
        outstanding.push(bytes)
        t.ok(outstanding.length <= Math.max(1, Math.min(options.window, 64)))
        t.ok(outstanding.length === 1 || outstanding.reduce((sum, each) => sum + each, 0) <= options.maxBytes)
      } else if (outstanding.length > 0) {
        const count = 1 + choice % outstanding.length
        const last = Math.ceil(acknowledged / options.fragmentBytes) + count - 1
        acknowledged += outstanding.splice(0, count).reduce((sum, each) => sum + each, 0)
        t.equal(state.acknowledge(last, 0).fragments, count)
        t.equal(state.acknowledgedBytes, acknowledged)
      } else t.ok(state.mayGo, 'never a stall')
    }
    t.equal(sent, options.size)
  }), { numRuns: 20 })
})
