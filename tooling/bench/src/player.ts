/**
 * One process under measurement: `node player.ts SUBJECT`, obeying orders from standard input.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { now, type Latencies, type Moment, type Order, type Usage } from './orders.ts'
import { SUBJECTS } from './registry.ts'
import { percentile } from './statistics.ts'
import type { Client, Flow, Stream, Subject } from './subject.ts'

const subject = await load(process.argv[2] ?? '')
const held: Stream[] = []
let client: Client | undefined
let pressed: Messages | undefined
let takenBytes = 0
let openedStreams = 0
let waiting: { reached: () => boolean, resolve: (moment: Moment) => void } | undefined

createInterface({ input: process.stdin }).on('line', line => {
  const { id, ...order } = JSON.parse(line) as Order & { id: number }
  const answer = (outcome: object): void => { process.stdout.write(`${JSON.stringify({ id, ...outcome })}\n`) }
  obey(order as Order).then(ok => answer({ ok: ok ?? null }), error => answer({ failed: String((error as Error).stack ?? error) }))
}).on('close', () => process.exit())

async function obey (order: Order): Promise<unknown> {
  switch (order.do) {
    case 'listen': return subject.listen(behaviour(order.services), { channels: order.channels })
    case 'taken': return until(() => takenBytes >= order.bytes)
    case 'opened': return until(() => openedStreams >= order.streams)
    case 'connect': client = await subject.connect(order.address, { channels: order.channels }); return
    case 'send': return send(order.streams, order.bytes, order.messageBytes)
    case 'press': return press(order.bytes, order.messageBytes)
    case 'pressed': return pressed?.sent
    case 'ping': return ping(order.bytes, order.count ?? Infinity, order.ms ?? Infinity)
    case 'echo': return echo(order.bytes, order.count, order.atOnce)
    case 'hold': return hold(order.streams)
    case 'usage': return usage(order.collect === true)
  }
}

async function load (name: string): Promise<Subject> {
  const entry = SUBJECTS[name]
  if (entry?.load === undefined) throw new Error(`no subject ${name}`)
  return entry.load()
}

function behaviour (services: Array<'discard' | 'echo' | 'sleep' | 'hold'>): Parameters<Subject['listen']>[0] {
  return {
    opened: () => {
      const service = services[Math.min(openedStreams++, services.length - 1)] ?? 'discard'
      settle()
      return service
    },
    taken: bytes => {
      takenBytes += bytes
      if (waiting !== undefined) settle()
    }
  }
}

function until (reached: () => boolean): Promise<Moment> {
  return new Promise(resolve => {
    waiting = { reached, resolve }
    settle()
  })
}

function settle (): void {
  if (waiting?.reached() !== true) return
  const { resolve } = waiting
  waiting = undefined
  resolve({ at: now() })
}

/** The same message over and over. */
class Messages implements Flow {
  readonly #message: Uint8Array
  #left: number
  sent = 0

  constructor (messageBytes: number, bytes: number) {
    this.#message = new Uint8Array(messageBytes).fill(0x5a)
    this.#left = Math.floor(bytes / messageBytes)
  }

  next (): Uint8Array | undefined {
    if (this.#left === 0) return undefined
    this.#left--
    this.sent += this.#message.length
    return this.#message
  }
}

async function send (streams: number, bytes: number, messageBytes: number): Promise<Moment> {
  const opened = await Promise.all(Array.from({ length: streams }, () => connected().open()))
  const at = now()
  await Promise.all(opened.map(stream => stream.send(new Messages(messageBytes, bytes / streams))))
  return { at }
}

async function press (bytes: number, messageBytes: number): Promise<void> {
  const stream = await connected().open()
  pressed = new Messages(messageBytes, bytes)
  stream.send(pressed).catch(() => {})
}

async function ping (bytes: number, count: number, ms: number): Promise<Latencies> {
  const exchange = (await connected().open()).exchange()
  const message = new Uint8Array(bytes).fill(0x5a)
  const microseconds: number[] = []
  const end = performance.now() + ms
  for (let before = performance.now(); microseconds.length < count && before < end;) {
    await exchange.roundTrip(message)
    const after = performance.now()
    microseconds.push((after - before) * 1000)
    before = after
  }
  microseconds.sort((a, b) => a - b)
  return { count: microseconds.length, p50: percentile(microseconds, 0.5), p99: percentile(microseconds, 0.99), max: percentile(microseconds, 1) }
}

async function echo (bytes: number, count: number, atOnce: number): Promise<{ seconds: number }> {
  const client = connected()
  const message = new Uint8Array(bytes).fill(0x5a)
  const before = performance.now()
  let left = count
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left-- > 0) await client.echo(message)
  }))
  return { seconds: (performance.now() - before) / 1000 }
}

async function hold (streams: number): Promise<void> {
  // In batches: not every subject takes ten thousand connection attempts at once.
  for (let left = streams; left > 0; left -= 100) {
    held.push(...await Promise.all(Array.from({ length: Math.min(left, 100) }, () => connected().open())))
  }
}

async function usage (collect: boolean): Promise<Usage> {
  if (collect) {
    for (let pass = 0; pass < 4; pass++) {
      await new Promise(resolve => { setTimeout(resolve, 20) })
      globalThis.gc?.()
    }
  }
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  return { at: now(), cpuSeconds: (user + system) / 1e6, rssBytes: rss, peakRssBytes: peakRss(), heapBytes: heapUsed, takenBytes }
}

function peakRss (): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) * 1024
  } catch {
    return process.resourceUsage().maxRSS * 1024
  }
}

function connected (): Client {
  if (client === undefined) throw new Error('not connected')
  return client
}
