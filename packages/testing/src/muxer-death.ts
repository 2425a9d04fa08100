import { check, drain, quiet, type MuxerCase, type Stage } from './muxer-stage.ts'
import { pattern, patternAt } from './pattern.ts'
import { Script } from './script.ts'

const MORE_THAN_FITS = 64 * 1024 * 1024

/** The connection goes away underneath. */
export const deathCases: readonly MuxerCase[] = [
  {
    id: 'death-reset',
    proves: 'a connection that breaks fails every waiting read, write and open, and ends the accepting, on both sides',
    run: stage => die(stage, 'reset')
  },
  {
    id: 'death-end',
    proves: 'a connection that ends in mid-channel is an error for its channels too, never a complete stream',
    run: stage => die(stage, 'end')
  }
]

async function die (stage: Stage, how: 'reset' | 'end'): Promise<void> {
  const idle = await stage.connect('left')
  const busy = await stage.connect('right')

  const reads = [idle.near, idle.far, busy.near].map(channel => quiet(drain(channel.source)))
  const blocked = quiet(busy.near.sink(pattern(MORE_THAN_FITS)))
  const reader = busy.far.source[Symbol.asyncIterator]()
  await stage.within(reader.next(), 'bytes flow')
  const held = new Script()
  const waiting = quiet(idle.near.sink(held))
  quiet(held.say(patternAt(0, 100)))
  const incoming = [stage.left, stage.right].map(muxer => quiet(stage.incoming(muxer).next()))
  let finished = 0
  for (const each of [...reads, blocked, waiting]) each.then(() => { finished++ }, () => { finished++ })
  check(await stage.still(() => finished) === 0, 'something finished before the connection was cut')

  stage.cut(how)
  for (const read of reads) await stage.fails(read, `a source, when the connection is gone (${how})`)
  await stage.fails(drain({ [Symbol.asyncIterator]: () => reader }), `a source that was partly read (${how})`)
  await stage.fails(blocked, `a sink that waits for room (${how})`)
  await stage.fails(waiting, `a sink that waits for its source (${how})`)
  for (const next of incoming) {
    const result = await stage.within(next.catch(() => undefined), 'both sides stop accepting')
    check(result?.done !== false, 'a channel came in over a dead connection')
  }
  for (const muxer of [stage.left, stage.right]) {
    await stage.fails(muxer.open(), 'open over a dead connection')
    await stage.within(muxer.close().catch(() => {}), 'close over a dead connection')
    muxer.abort(new Error('late'))
  }
}
