import { all, check, drain, quiet, stemsFrom, type MuxerCase } from './muxer-stage.ts'
import { pattern, verify } from './pattern.ts'
import { Script } from './script.ts'

/** The ways to end a whole connection on purpose. */
export const closingCases: readonly MuxerCase[] = [
  {
    id: 'close-finishes',
    proves: 'close refuses new channels at once, lets open ones finish, and then ends both muxers in order',
    async run (stage) {
      const { near, far } = await stage.connect()
      const incoming = all([stage.incoming(stage.left).next(), stage.incoming(stage.right).next()])
      let closed = false
      const closing = quiet(stage.left.close().then(() => { closed = true }))
      await stage.fails(stage.left.open(), 'open after close')
      await stage.still(() => closed)
      check(!closed, 'close must wait for the channel that is open')

      const length = 256 * 1024
      await stage.within(all([
        near.sink(pattern(length, 1)),
        verify(far.source, length, 1),
        far.sink(pattern(length, 2)),
        verify(near.source, length, 2)
      ]), 'the open channel finishes after close')
      await stage.within(closing, 'close resolves when the last channel has finished')
      for (const result of await stage.within(incoming, 'both sides stop accepting, without an error')) {
        check(result.done === true, 'a channel came in after close')
      }
      await stage.fails(stage.right.open(), 'open on the other side of a closed connection')
    }
  },
  {
    id: 'close-idle',
    proves: 'close of both sides at once, without a channel, resolves for both',
    async run (stage) {
      await stage.within(all([stage.left.close(), stage.right.close(), stage.left.close()]), 'both sides close')
    }
  },
  {
    id: 'close-signal',
    proves: 'close fails with the reason of its signal while a channel goes on for ever',
    async run (stage) {
      const { near } = await stage.connect()
      quiet(near.sink(new Script()))
      const controller = new AbortController()
      const reason = new Error('waited long enough')
      const closing = quiet(stage.left.close({ signal: controller.signal }))
      controller.abort(reason)
      const error = await stage.fails(closing, 'close whose signal has aborted')
      check(stemsFrom(error, reason), `close fails with the reason of the signal, not with ${String(error)}`)
    }
  },
  {
    id: 'muxer-abort',
    proves: 'abort of a muxer fails every channel on both sides and every later open',
    async run (stage) {
      const channels = await all([stage.connect('left'), stage.connect('right')])
      const reads = channels.flatMap(({ near, far }) => [quiet(drain(near.source)), quiet(drain(far.source))])
      const sinks = channels.flatMap(({ near, far }) => [quiet(near.sink(new Script())), quiet(far.sink(new Script()))])
      const incoming = [stage.left, stage.right].map(muxer => quiet(stage.incoming(muxer).next()))
      const reason = new Error('that is enough')
      stage.left.abort(reason)
      stage.left.abort(new Error('again'))
      for (const read of reads) await stage.fails(read, 'a source of an aborted muxer')
      for (const sink of sinks) await stage.fails(sink, 'a sink of an aborted muxer')
      for (const next of incoming) await stage.within(next.catch(() => {}), 'both sides stop accepting')
      await stage.fails(stage.left.open(), 'open of an aborted muxer')
      await stage.fails(stage.right.open(), 'open of a muxer whose peer has aborted')
    }
  }
]
