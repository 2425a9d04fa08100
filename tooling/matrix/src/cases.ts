/**
 * What is asked of every transport under every muxer. A protocol joins with one line at the end of `CASES`.
 *
 * @module
 */
import type { Bytes, Channel } from '@ropewalk/interface'
import { collect, counting, pattern, settle, verify } from '@ropewalk/testing'
import { Command } from './far.ts'
import type { Channels, MuxerEntry } from './muxers.ts'
import type { Stage } from './transports.ts'

export interface Case {
  readonly name: string
  readonly proves: string
  /** True when it needs more than one channel. */
  readonly many?: boolean
  run (channels: Channels, stage: Stage, muxer: MuxerEntry): Promise<void>
}

const MIB = 1024 * 1024

/** Bytes that a channel may have accepted while nobody reads: our windows and buffers, or those of the kernel where there is no muxer. */
const MOST_HELD = { many: MIB, alone: 16 * MIB }

export const CASES: readonly Case[] = [
  { name: 'echo 1 MiB', proves: 'bytes come back in order, and both directions end', run: async channels => await echo(await channels.open(), MIB) },
  { name: 'half-close', proves: 'one direction ends while the other goes on', run: halfClose },
  { name: '100 channels', proves: 'a hundred channels at once, each with its own bytes', many: true, run: hundred },
  { name: 'slow consumer', proves: 'who does not read stops the sender within a bound, and nobody else', run: slowConsumer },
  { name: 'abort here', proves: 'the far end sees an error, not an end', run: abortHere },
  { name: 'abort there', proves: 'this end sees an error, not an end', run: abortThere },
  { name: 'connection dies', proves: 'whoever waits on either end learns it', run: dies }
]

async function echo (channel: Channel, bytes: number): Promise<void> {
  await Promise.all([channel.sink(behind(Command.echo, pattern(bytes, 1))), verify(channel.source, bytes, 1)])
}

async function halfClose (channels: Channels): Promise<void> {
  const channel = await channels.open()
  await channel.sink(behind(Command.count, pattern(100_000, 2)))
  const answer = new TextDecoder().decode(await collect(channel.source))
  if (answer !== '100000') throw new Error(`the far end counted ${answer} of 100000 bytes`)
}

async function hundred (channels: Channels): Promise<void> {
  const opened = await Promise.all(Array.from({ length: 100 }, () => channels.open()))
  await Promise.all(opened.map((channel, at) => echo(channel, 10_000 + at)))
}

async function slowConsumer (channels: Channels, _stage: Stage, muxer: MuxerEntry): Promise<void> {
  const channel = await channels.open()
  const offered = counting(behind(Command.sleep, pattern(512 * MIB, 3, 65_536)))
  quiet(channel.sink(offered))
  const source = channel.source[Symbol.asyncIterator]()
  await source.next()
  await settle(() => offered.bytes, { turns: 2000 })
  // Something else happens meanwhile, which the sleeper must not disturb.
  if (muxer.many) await echo(await channels.open(), MIB)
  await settle(() => offered.bytes, { turns: 2000 })
  const most = muxer.many ? MOST_HELD.many : MOST_HELD.alone
  if (offered.bytes > most) throw new Error(`${offered.bytes} > ${most} bytes were accepted for a reader that sleeps`)
}

async function abortHere (channels: Channels, stage: Stage): Promise<void> {
  const channel = await channels.open()
  const unfinished = channel.sink(behind(Command.watch, never()))
  quiet(unfinished)
  await channel.source[Symbol.asyncIterator]().next()
  channel.abort(new Error('enough'))
  await fails(unfinished, 'the sink of an aborted channel')
  const report = await stage.reported()
  if (report !== 'error') throw new Error(`the far end saw ${report}`)
}

async function abortThere (channels: Channels): Promise<void> {
  const channel = await channels.open()
  const unfinished = channel.sink(behind(Command.abort, never()))
  quiet(unfinished)
  await fails(collect(channel.source), 'reading from a channel that the far end aborted')
  await fails(unfinished, 'writing to a channel that the far end aborted')
}

async function dies (channels: Channels, stage: Stage, muxer: MuxerEntry): Promise<void> {
  const channel = await channels.open()
  const unfinished = channel.sink(behind(Command.watch, never()))
  quiet(unfinished)
  await channel.source[Symbol.asyncIterator]().next()
  stage.die()
  await fails(collect(channel.source), 'reading from a dead connection')
  await fails(unfinished, 'writing to a dead connection')
  if (muxer.many) await fails(channels.open().then(another => collect(another.source)), 'opening a channel on a dead connection')
}

async function * behind (command: number, rest: AsyncIterable<Bytes> | Iterable<Bytes>): AsyncGenerator<Bytes> {
  yield Uint8Array.of(command)
  yield * rest
}

async function * never (): AsyncGenerator<Bytes> {
  await new Promise<never>(() => {})
}

async function fails (wait: Promise<unknown>, doing: string): Promise<void> {
  const failed = await wait.then(() => false, () => true)
  if (!failed) throw new Error(`it succeeded: ${doing}`)
}

function quiet (wait: Promise<unknown>): void {
  wait.catch(() => {})
}
