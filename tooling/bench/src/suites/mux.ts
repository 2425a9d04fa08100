/**
 * Suite `mux`: a byte channel of a muxer on loopback, beside plain sockets and other muxers.
 *
 * @module
 */
import type { Absent, Case, Sample, Size } from '../measure.ts'
import type { Usage } from '../orders.ts'
import { Pair } from '../pair.ts'
import { SUBJECTS } from '../registry.ts'
import type { Service } from '../subject.ts'

const MB = 1e6
const MIB = 1_048_576
const PING_BYTES = 100
const IDLE_CHANNELS = 10_000

export function muxCases (subjects: readonly string[], absent: readonly Absent[]): Case[] {
  const make = (name: string, title: string, run: Case['run']): Case => {
    const meant = (subject: string): boolean => SUBJECTS[subject]?.cases?.includes(name) !== false
    return { suite: 'mux', name, title, subjects: subjects.filter(meant), absent: absent.filter(({ subject }) => meant(subject)), run }
  }
  return [
    make('bulk-1', 'bulk, 1 channel, 64 KiB messages', bulk(1, 65_536, 1024)),
    make('bulk-100', 'bulk, 100 channels, 64 KiB messages', bulk(100, 65_536, 1024)),
    make('small-1', '1 KiB messages, 1 channel', bulk(1, 1024, 256)),
    make('small-100', '1 KiB messages, 100 channels', bulk(100, 1024, 256)),
    make('ping', 'ping-pong of 100 bytes, idle connection', ping),
    make('open-1', 'open + echo + close, one at a time', open(1, 10_000)),
    make('open-32', 'open + echo + close, 32 at a time', open(32, 60_000)),
    make('beside', 'ping-pong of 100 bytes beside a bulk channel', beside),
    make('idle', 'idle channels, 10,000 of them (1,000 with --quick)', idle),
    make('sleeper', 'a reader that sleeps, a sender with 512 MiB', sleeper)
  ]
}

function bulk (streams: number, messageBytes: number, mebibytes: number): Case['run'] {
  return (subject, { quick }) => paired(subject, ['discard'], streams, async pair => {
    const bytes = whole((quick ? mebibytes / 8 : mebibytes) * MIB, streams * messageBytes)
    // Long enough for the optimizing compiler to have seen everything.
    await pair.send(streams, whole(bytes / 2, streams * messageBytes), messageBytes)
    const before = await pair.usage()
    const seconds = await pair.send(streams, bytes, messageBytes)
    return [sample('throughput', 'MB/s', bytes / seconds / MB, before, await pair.usage())]
  })
}

function ping (subject: string, { quick }: Size): Promise<Sample[]> {
  return paired(subject, ['echo'], 1, async pair => {
    const count = quick ? 2000 : 10_000
    await pair.client.order({ do: 'ping', bytes: PING_BYTES, count })
    const before = await pair.usage()
    const { p50, p99 } = await pair.client.order({ do: 'ping', bytes: PING_BYTES, count })
    const after = await pair.usage()
    return [
      sample('p50', 'µs', p50, before, after),
      sample('p99', 'µs', p99, before, after),
      sample('cpu', 'µs/trip', cpuSeconds(before, after) / count * 1e6, before, after)
    ]
  })
}

function open (atOnce: number, many: number): Case['run'] {
  return (subject, { quick }) => paired(subject, ['echo'], atOnce, async pair => {
    // A new connection each exhausts ports and patience: those get fewer.
    const perConnection = /^(raw|ws)/.test(subject)
    const count = many / (perConnection ? 10 : 1) / (quick ? 5 : 1)
    await pair.client.order({ do: 'echo', bytes: PING_BYTES, count: count / 2, atOnce })
    const before = await pair.usage()
    const { seconds } = await pair.client.order({ do: 'echo', bytes: PING_BYTES, count, atOnce })
    const after = await pair.usage()
    return [
      sample('rate', '/s', count / seconds, before, after),
      sample('cpu', 'µs/channel', cpuSeconds(before, after) / count * 1e6, before, after)
    ]
  })
}

function beside (subject: string, { quick }: Size): Promise<Sample[]> {
  return paired(subject, ['discard', 'echo'], 4, async pair => {
    await pair.client.order({ do: 'press', bytes: Number.MAX_SAFE_INTEGER, messageBytes: 65_536 })
    await pair.client.order({ do: 'ping', bytes: PING_BYTES, ms: quick ? 300 : 1000 })
    const before = await pair.usage()
    const { p50, p99 } = await pair.client.order({ do: 'ping', bytes: PING_BYTES, ms: quick ? 500 : 2000 })
    const after = await pair.usage()
    const [[began], [ended]] = [before, after]
    const seconds = (ended.at - began.at) / 1e9
    return [
      sample('p50', 'µs', p50, before, after),
      sample('p99', 'µs', p99, before, after),
      sample('bulk', 'MB/s', (ended.takenBytes - began.takenBytes) / seconds / MB, before, after)
    ]
  })
}

function idle (subject: string, { quick }: Size): Promise<Sample[]> {
  const channels = quick ? IDLE_CHANNELS / 10 : IDLE_CHANNELS
  return paired(subject, ['hold'], channels + 100, async pair => {
    await pair.hold(100)
    const before = await pair.usage(true)
    await pair.hold(channels)
    const after = await pair.usage(true)
    return (['server', 'client'] as const).flatMap((role, at) => {
      const began = before[at] as Usage
      const ended = after[at] as Usage
      return [
        sample(`heap, ${role}`, 'B', (ended.heapBytes - began.heapBytes) / channels, before, after),
        sample(`RSS, ${role}`, 'B', (ended.rssBytes - began.rssBytes) / channels, before, after)
      ]
    })
  })
}

/** How far a sender comes when nobody reads, what that costs in memory, and what is left for the other channels. */
function sleeper (subject: string, { quick }: Size): Promise<Sample[]> {
  return paired(subject, ['discard', 'sleep', 'discard'], 4, async pair => {
    const bytes = (quick ? 128 : 512) * MIB
    await pair.send(1, 128 * MIB, 65_536)
    const before = await pair.usage(true)
    await pair.client.order({ do: 'press', bytes, messageBytes: 65_536 })
    const accepted = await settled(pair)
    const after = await pair.usage(true)
    const seconds = await pair.send(1, bytes / 4, 65_536)
    return [
      sample('accepted', 'MB', accepted / MB, before, after),
      sample('RSS growth, reader', 'MB', (after[0].rssBytes - before[0].rssBytes) / MB, before, after),
      sample('RSS growth, sender', 'MB', (after[1].rssBytes - before[1].rssBytes) / MB, before, after),
      sample('beside it', 'MB/s', bytes / 4 / seconds / MB, after, await pair.usage())
    ]
  })
}

/** The bytes that the pressed stream has taken once it takes no more. */
async function settled (pair: Pair): Promise<number> {
  for (let last = -1, same = 0; ;) {
    await new Promise(resolve => { setTimeout(resolve, 50) })
    const pressed = await pair.client.order({ do: 'pressed' })
    same = pressed === last ? same + 1 : 0
    last = pressed
    if (same === 6) return pressed
  }
}

async function paired (subject: string, services: Service[], channels: number, run: (pair: Pair) => Promise<Sample[]>): Promise<Sample[]> {
  const pair = new Pair(subject)
  try {
    await pair.begin(services, channels)
    return await run(pair)
  } finally {
    await pair.end()
  }
}

function sample (metric: string, unit: string, value: number, before: [Usage, Usage], after: [Usage, Usage]): Sample {
  return { metric, unit, value, cpuSeconds: cpuSeconds(before, after), rssBytes: Math.max(after[0].peakRssBytes, after[1].peakRssBytes) }
}

function cpuSeconds (before: [Usage, Usage], after: [Usage, Usage]): number {
  return after[0].cpuSeconds + after[1].cpuSeconds - before[0].cpuSeconds - before[1].cpuSeconds
}

function whole (bytes: number, unit: number): number {
  return Math.max(1, Math.floor(bytes / unit)) * unit
}
