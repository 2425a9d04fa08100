import fc from 'fast-check'
import t from 'tap'
import { Kind } from '../src/codec.ts'
import { ConnectionState } from '../src/state.ts'

/** Ids in a row: 1, 2, 3 … */
function counter (): () => number {
  let next = 0
  return () => ++next
}

t.test('the dialer draws low ids, the acceptor high ones', async t => {
  const draw = counter()
  t.equal(new ConnectionState('dialer').open(draw).channel, 1)
  t.equal(new ConnectionState('acceptor').open(draw).channel, 0x8000_0002)
  t.equal(new ConnectionState('acceptor').open(() => 0x7fff_ffff).channel, 0xffff_ffff)
})

t.test('an id in use, or closed a moment ago, is drawn again, five times', async t => {
  const state = new ConnectionState('dialer')
  t.equal(state.open(() => 7).channel, 7)
  const draws = [7, 7, 7, 7, 8]
  t.equal(state.open(() => draws.shift() ?? 0).channel, 8)
  state.close(7)
  t.throws(() => state.open(() => 7), { code: 'ERR_MAX_CHANNELS', remote: false })
})

t.test('an open is announced, a close is sent once', async t => {
  const state = new ConnectionState('dialer')
  const { channel, effects } = state.open(counter())
  t.same(effects, [{ type: 'send', kind: Kind.ChannelOpen, channel }])
  t.same(state.close(channel), [{ type: 'send', kind: Kind.ChannelClose, channel }])
  t.same(state.close(channel), [])
  t.same(state.receive(Kind.ChannelClose, channel, 0), [], 'the echo hits a channel that is no longer known')
})

t.test('a close of the peer is echoed', async t => {
  const state = new ConnectionState('dialer')
  const { channel } = state.open(counter())
  t.same(state.receive(Kind.ChannelClose, channel, 0), [{ type: 'closed', channel }, { type: 'send', kind: Kind.ChannelClose, channel }])
  t.equal(state.size, 0)
})

t.test('opens in the wrong range, and ids that are never drawn, are refused', async t => {
  const refusal = (channel: number): unknown[] => [{ type: 'send', kind: Kind.ChannelErr, channel }, { type: 'send', kind: Kind.ChannelClose, channel }]
  for (const channel of [0, 1, 0x7fff_ffff, 0x8000_0000]) t.same(new ConnectionState('dialer').receive(Kind.ChannelOpen, channel, 0), refusal(channel), `${channel} to a dialer`)
  for (const channel of [0, 0x8000_0000, 0x8000_0001, 0xffff_ffff]) t.same(new ConnectionState('acceptor').receive(Kind.ChannelOpen, channel, 0), refusal(channel), `${channel} to an acceptor`)
  t.same(new ConnectionState('acceptor').receive(Kind.ChannelOpen, 1, 0), [{ type: 'opened', channel: 1 }])
})

t.test('a second open of an open channel changes nothing', async t => {
  const state = new ConnectionState('acceptor')
  state.receive(Kind.ChannelOpen, 1, 0)
  t.same(state.receive(Kind.ChannelOpen, 1, 0), [])
  t.ok(state.has(1))
})

t.test('opens that come to nothing end the connection, taken or not, unless time forgives them', async t => {
  const rapidReset = (rounds: number, msBetween: number, useful = false): void => {
    const state = new ConnectionState('acceptor', { maxWastedOpens: 10 })
    for (let channel = 1; channel <= rounds; channel++) {
      const nowMs = channel * msBetween
      state.receive(Kind.ChannelOpen, channel, nowMs)
      state.taken(channel)
      state.receive(Kind.ChannelClose, channel, nowMs, useful)
    }
  }
  t.doesNotThrow(() => rapidReset(10, 0))
  t.throws(() => rapidReset(11, 0), { code: 'ERR_FLOOD', scope: 'connection', remote: true })
  t.doesNotThrow(() => rapidReset(1000, 5), 'two hundred a second')
  t.throws(() => rapidReset(1000, 4), { code: 'ERR_FLOOD' })
  t.doesNotThrow(() => rapidReset(1000, 0, true), 'channels that were used are no waste')
})

t.test('opens beyond the limit, the backlog or the closing are refused', async t => {
  const full = new ConnectionState('acceptor', { maxChannels: 1 })
  full.receive(Kind.ChannelOpen, 1, 0)
  t.equal(full.receive(Kind.ChannelOpen, 2, 0)[0]?.type, 'send')
  full.receive(Kind.ChannelClose, 1, 0)
  t.equal(full.receive(Kind.ChannelOpen, 3, 0)[0]?.type, 'opened')

  const backlog = new ConnectionState('acceptor', { maxAcceptBacklog: 1 })
  backlog.receive(Kind.ChannelOpen, 1, 0)
  t.equal(backlog.receive(Kind.ChannelOpen, 2, 0)[0]?.type, 'send')
  backlog.taken(1)
  t.equal(backlog.receive(Kind.ChannelOpen, 3, 0)[0]?.type, 'opened')

  const closing = new ConnectionState('acceptor')
  closing.refuse()
  t.equal(closing.receive(Kind.ChannelOpen, 1, 0)[0]?.type, 'send')
})

t.test('random operations on both ends agree with a naive model', async t => {
  // Two ends joined by a lossless line: effects of one are facts for the other.
  const step = fc.record({ end: fc.nat(1), what: fc.constantFrom('open', 'close', 'take', 'deliver' as const), pick: fc.nat() })
  fc.assert(fc.property(fc.array(step, { maxLength: 200, size: 'max' }), steps => {
    const draw = counter()
    const ends = [new ConnectionState('dialer', { maxChannels: 8 }), new ConnectionState('acceptor', { maxChannels: 8 })] as const
    const lines: Array<Array<{ kind: number, channel: number }>> = [[], []]
    const model: Array<Set<number>> = [new Set(), new Set()]
    const opened: number[] = []

    const apply = (end: number, effects: ReturnType<ConnectionState['receive']>): void => {
      for (const effect of effects) {
        if (effect.type === 'send') lines[1 - end]?.push(effect)
        else if (effect.type === 'opened') model[end]?.add(effect.channel)
        else if (effect.type === 'closed') model[end]?.delete(effect.channel)
      }
    }
    const deliver = (end: number): boolean => {
      const packet = lines[end]?.shift()
      if (packet === undefined) return false
      apply(end, (ends[end] as ConnectionState).receive(packet.kind, packet.channel, 0, true))
      return true
    }

    for (const { end, what, pick } of steps) {
      const state = ends[end] as ConnectionState
      const channels = [...model[end] as Set<number>]
      const channel = channels[pick % Math.max(1, channels.length)]
      if (what === 'open') {
        try {
          const made = state.open(draw)
          opened.push(made.channel)
          model[end]?.add(made.channel)
          apply(end, made.effects)
        } catch {
          t.ok(channels.length >= 8 || opened.length > 0)
        }
      } else if (what === 'deliver') deliver(end)
      else if (channel !== undefined && what === 'close') {
        model[end]?.delete(channel)
        apply(end, state.close(channel))
      } else if (channel !== undefined) state.taken(channel)
      t.equal(state.size, model[end]?.size)
    }
    // Once everything is delivered both ends know the same channels.
    while (deliver(0) || deliver(1)) { /* until both lines are empty */ }
    t.same([...model[0] as Set<number>].sort(), [...model[1] as Set<number>].sort())
    t.equal(new Set(opened).size, opened.length, 'no id twice')
  }), { numRuns: 100 })
})
