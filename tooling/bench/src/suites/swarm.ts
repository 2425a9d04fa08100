/**
 * Suite `swarm`: one peer has a file, five have not, all of them processes of the real command line; beside it the same five copies
 * through a node, one after the other.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Case, Sample, Size } from '../measure.ts'
import { profile } from '../profile.ts'
import { reasonIn } from '../reason.ts'
import type { Files, Load } from '../transfer/files.ts'
import type { Mover, Place } from '../transfer/mover.ts'
import { MOVERS } from '../transfer/movers.ts'
import { cpuSecondsOf, peakRssOf } from '../transfer/proc.ts'
import { freePort, stop } from '../transfer/server.ts'
import { begin, watch } from '../transfer/watch.ts'

const MIB = 1_048_576
const JOINERS = 5
const MAIN: string = fileURLToPath(new URL('../../../../apps/ropewalk/dist/main.js', import.meta.url))

/** Who is measured: who copies one after the other, and by what; without `mover`, the swarm. */
export const SPREADERS: Readonly<Record<string, { readonly about: string, readonly mover?: Mover | undefined }>> = {
  raw: { about: `plain sockets: sent to a server once, fetched from it ${JOINERS} times, one after the other`, mover: MOVERS['raw'] },
  ropewalk: { about: `swarm join: one peer with the file, ${JOINERS} without, at once` },
  copies: { about: `ropewalk put once, then get ${JOINERS} times, one after the other`, mover: MOVERS['ropewalk'] }
}

/** `files` is called when the first case runs. */
export function swarmCases (wanted: readonly string[], files: () => Files): Case[] {
  return [{
    suite: 'swarm',
    name: 'spread',
    title: `256 MiB from one peer to ${JOINERS} others, disk to disk (32 MiB with --quick)`,
    subjects: Object.keys(SPREADERS).filter(name => name === 'raw' || wanted.includes(name)),
    absent: [],
    peers: ['copies'],
    run: async (subject, { quick }) => await spread(subject, { quick }, files())
  }]
}

async function spread (subject: string, { quick }: Pick<Size, 'quick'>, files: Files): Promise<Sample[]> {
  const load: Load = { files: 1, bytesEach: (quick ? 32 : 256) * MIB }
  const place = files.begin(load)
  try {
    const mover = SPREADERS[subject]?.mover
    return mover === undefined ? await swarm(place, load) : await copies(mover, place)
  } finally {
    files.end(place)
  }
}

/** One upload, and every download, from start to end of their processes. */
async function copies (mover: Mover, place: Place): Promise<Sample[]> {
  const keeper = await mover.serve(place, 'tcp')
  try {
    const put = await watch(keeper.put(), keeper.pid)
    const all = [put]
    for (let copy = 0; copy < JOINERS; copy++) {
      for (const name of readdirSync(place.fetched)) rmSync(join(place.fetched, name))
      all.push(await watch(keeper.get(put.stdout), keeper.pid))
      assertSame(place, place.fetched)
    }
    const sum = (of: 'wholeSeconds' | 'cpuSeconds'): number => all.reduce((total, watched) => total + watched[of], 0)
    return [{ metric: 'time', unit: 's', value: sum('wholeSeconds'), cpuSeconds: sum('cpuSeconds'), rssBytes: Math.max(...all.flatMap(({ clientBytes, serverBytes }) => [clientBytes, serverBytes])) }]
  } finally {
    await keeper.stop()
  }
}

/** From the start of the joiners' processes until the last of them has the file under its name. */
async function swarm (place: Place, { bytesEach }: Load): Promise<Sample[]> {
  const ports: number[] = []
  while (ports.length <= JOINERS) {
    const port = await freePort()
    if (!ports.includes(port)) ports.push(port)
  }
  const list = join(place.kept, 'peers')
  writeFileSync(list, ports.map(port => `127.0.0.1 ${port}\n`).join(''))
  const peers: Peer[] = []
  try {
    const join_ = (index: number): Peer => {
      const peer = new Peer(place, list, ports[index] as number, index === 0 ? 'seeder' : 'joiner')
      peers.push(peer)
      return peer
    }
    const seeder = join_(0)
    for (const name of place.names) linkSync(join(place.source, name), join(seeder.directory, name))
    await seeder.until('joined')
    const before = cpuSecondsOf(seeder.pid)
    const began = performance.now()
    const joiners = ports.slice(1).map((_, at) => join_(at + 1))
    await Promise.all(joiners.map(async peer => { await peer.until('finished') }))
    const seconds = (performance.now() - began) / 1000
    for (const { directory } of joiners) assertSame(place, directory)
    const cpuSeconds = peers.reduce((total, { pid }) => total + cpuSecondsOf(pid), 0) - before
    const rssBytes = Math.max(...peers.map(({ pid }) => peakRssOf(pid)))
    const sent = await seeder.leave()
    return [
      { metric: 'time', unit: 's', value: seconds, cpuSeconds, rssBytes },
      { metric: 'sent by the seeder', unit: 'copies', value: sent / bytesEach, cpuSeconds, rssBytes }
    ]
  } finally {
    for (const peer of peers) await peer.stop()
  }
}

/** One process, and what it has said. */
class Peer {
  readonly directory: string
  readonly #child: ChildProcess
  readonly #facts = new Map<string, Record<string, unknown>>()
  readonly #closed: Promise<void>
  #complaint = ''
  #look: () => void = () => {}

  constructor ({ kept }: Place, list: string, port: number, role: string) {
    const folder = join(kept, String(port))
    this.directory = join(folder, 'files')
    mkdirSync(this.directory, { recursive: true })
    const args = [...profile('swarm', role), MAIN, 'swarm', 'join', '--json', '--peers', list, '--as', `127.0.0.1:${port}`, '--dir', this.directory, '--profile', 'hardened']
    this.#child = begin(process.execPath, args, { env: { ...process.env, ROPEWALK_STATE: join(folder, 'state') } })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.#complaint = (this.#complaint + text).slice(-2000) })
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', line => {
      // Of the many lines that say that a chunk has come none is of use.
      if (line.startsWith('{"event":"chunk"')) return
      const fact = JSON.parse(line) as Record<string, unknown>
      this.#facts.set(String(fact['event']), fact)
      this.#look()
    })
    this.#closed = once(this.#child, 'close').then(() => {})
  }

  get pid (): number {
    return this.#child.pid as number
  }

  /** What the process says of `event`; rejects if it ends without a word of it. */
  async until (event: string): Promise<Record<string, unknown>> {
    const ended = this.#closed.then(() => {
      const fact = this.#facts.get(event)
      if (fact === undefined) throw new Error(`a peer ended before it was ${event}: ${reasonIn(this.#complaint)}`)
      return fact
    })
    ended.catch(() => {})
    return await Promise.race([ended, new Promise<Record<string, unknown>>(resolve => {
      this.#look = () => {
        const fact = this.#facts.get(event)
        if (fact !== undefined) resolve(fact)
      }
      this.#look()
    })])
  }

  /** Bytes that it has sent to others. */
  async leave (): Promise<number> {
    this.#child.kill('SIGINT')
    const left = await this.until('left')
    await this.#closed
    return Number(left['bytes_sent'])
  }

  async stop (): Promise<void> {
    await stop(this.#child)
  }
}

/** Fails unless the file has arrived with its content; who copies may give it a name of his own. */
function assertSame ({ source, names: [name = ''] }: Place, folder: string): void {
  const [arrived, ...more] = readdirSync(folder).filter(entry => !entry.startsWith('.'))
  if (arrived === undefined || more.length > 0) throw new Error(`${arrived === undefined ? 'no file has' : 'more than one file have'} arrived`)
  if (!readFileSync(join(source, name)).equals(readFileSync(join(folder, arrived)))) throw new Error(`${name} has arrived with other content`)
}
