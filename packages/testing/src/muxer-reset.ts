import type { Bytes, Channel } from '@ropewalk/interface'
import { all, check, drain, echo, quiet, stemsFrom, type MuxerCase, type Stage } from './muxer-stage.ts'
import { counting, pattern, patternAt, verify } from './pattern.ts'
import { Script } from './script.ts'

/** More than any window holds: a sink of it does not finish by itself. */
const ENDLESS_BYTES = 64 * 1024 * 1024

/** A channel that breaks says so, to everybody who waits on it and to nobody else. */
export const resetCases: readonly MuxerCase[] = [
  {
    id: 'abort-opener',
    proves: 'abort by the opener fails the source and the waiting sink of both ends, ours with the reason',
    run: stage => abortOne(stage, 'near')
  },
  {
    id: 'abort-acceptor',
    proves: 'abort by the acceptor fails the source and the waiting sink of both ends, ours with the reason',
    run: stage => abortOne(stage, 'far')
  },
  {
    id: 'abort-finished',
    proves: 'abort of a channel that has ended both ways, and a second abort, change nothing',
    async run (stage) {
      const { near, far } = await stage.connect()
      quiet(echo(far))
      await stage.roundTrip(near, 1000)
      for (const channel of [near, near, far]) channel.abort(new Error('late'))
      await stage.stillWorks()
    }
  },
  {
    id: 'throwing-source',
    proves: 'a source that throws breaks the channel: the sink fails with its error, and the peer sees an error instead of an end',
    async run (stage) {
      const { near, far } = await stage.connect()
      const reason = new Error('disk on fire')
      const reading = quiet(drain(far.source))
      const error = await stage.fails(near.sink((function * () {
        yield patternAt(0, 1000)
        throw reason
      })()), 'the sink of a source that throws')
      check(stemsFrom(error, reason), `the sink fails with the error of the source, not with ${String(error)}`)
      await stage.fails(reading, 'the peer reads a stream that was broken off')
      await stage.stillWorks()
    }
  },
  {
    id: 'break-source',
    proves: 'a reader that stops reading leaves no sender waiting for ever, and hurts no other channel',
    async run (stage) {
      const { near, far } = await stage.connect()
      const source = counting(pattern(ENDLESS_BYTES))
      const sending = quiet(near.sink(source))
      await stage.within((async () => { for await (const _ of far.source) break })(), 'the first chunk arrives')
      await stage.within(sending.catch(() => {}), 'the sink finishes or fails')
      await stage.still(() => source.released)
      check(source.released, 'the sender has let go of its source')
      await stage.stillWorks()
    }
  },
  {
    id: 'signal-sink',
    proves: 'a signal fails a sink with its reason, lets go of the source, and shows the peer an error',
    async run (stage) {
      const { near, far } = await stage.connect()
      const controller = new AbortController()
      const reason = new Error('no longer wanted')
      const source = counting(pattern(ENDLESS_BYTES))
      const sending = quiet(near.sink(source, { signal: controller.signal }))
      const reader = far.source[Symbol.asyncIterator]()
      await stage.within(reader.next(), 'the first chunk arrives')
      controller.abort(reason)
      const error = await stage.fails(sending, 'a sink whose signal has aborted')
      check(stemsFrom(error, reason), `the sink fails with the reason of the signal, not with ${String(error)}`)
      await stage.still(() => source.released)
      check(source.released, 'the source was let go')
      await stage.fails(drain({ [Symbol.asyncIterator]: () => reader }), 'the peer reads a stream that was broken off')
      await stage.stillWorks()
    }
  },
  {
    id: 'signal-open',
    proves: 'open fails with the reason of a signal that has aborted, and the next open works',
    async run (stage) {
      const reason = new Error('no longer wanted')
      const error = await stage.fails(stage.left.open({ signal: AbortSignal.abort(reason) }), 'open with a signal that has aborted')
      check(stemsFrom(error, reason), `open fails with the reason of the signal, not with ${String(error)}`)
      stage.serve(stage.right)
      await stage.roundTrip(await stage.within(stage.left.open(), 'the next open'), 1000)
    }
  },
  {
    id: 'dispose',
    proves: 'disposing breaks off what is unfinished, and does nothing to what has ended',
    async run (stage) {
      const finished = await stage.connect()
      quiet(echo(finished.far))
      await stage.roundTrip(finished.near, 1000)
      await stage.within(all([dispose(finished.near), dispose(finished.far)]), 'a finished channel is disposed of')

      const { near, far } = await stage.connect()
      const reading = quiet(drain(far.source))
      await stage.within(dispose(near), 'an unfinished channel is disposed of')
      await stage.fails(reading, 'the peer reads a channel that was disposed of')
      await stage.stillWorks()
    }
  }
]

async function abortOne (stage: Stage, who: 'near' | 'far'): Promise<void> {
  const ends = await stage.connect()
  const [ours, theirs] = who === 'near' ? [ends.near, ends.far] : [ends.far, ends.near]
  const other = await stage.connect()

  // One waits for a source that says nothing more, the other for a reader that takes nothing more.
  const held = new Script()
  const ourSink = quiet(ours.sink(held))
  const theirReader = theirs.source[Symbol.asyncIterator]()
  const ourReader = ours.source[Symbol.asyncIterator]()
  const theirSink = quiet(theirs.sink(pattern(ENDLESS_BYTES)))
  quiet(held.say(patternAt(0, 100)))
  await stage.within(all([first(theirReader), first(ourReader)]), 'bytes flow both ways')
  const theirRead = quiet(rest(theirReader))

  const reason = new Error('changed my mind')
  ours.abort(reason)
  ours.abort(new Error('again'))
  const ourErrors = [
    await stage.fails(ourSink, 'our sink, waiting for its source'),
    await stage.fails(rest(ourReader), 'our source')
  ]
  for (const error of ourErrors) check(stemsFrom(error, reason), `our end fails with the reason, not with ${String(error)}`)
  await stage.fails(theirRead, 'the source of the peer')
  await stage.fails(theirSink, 'the sink of the peer, waiting for room')

  // A channel that was open all along has seen nothing of it.
  await stage.within(all([other.near.sink(pattern(5000, 3)), verify(other.far.source, 5000, 3)]), 'another channel goes on')
}

async function dispose (channel: Channel): Promise<void> {
  await channel[Symbol.asyncDispose]()
}

async function first (reader: AsyncIterator<Bytes>): Promise<void> {
  check((await reader.next()).done !== true, 'ended before the first byte')
}

function rest (reader: AsyncIterator<Bytes>): Promise<number> {
  return drain({ [Symbol.asyncIterator]: () => reader })
}
