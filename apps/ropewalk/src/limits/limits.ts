/**
 * What all services of a node share: bandwidth, connections, memory and disk.
 *
 * @module
 */
import { statfs } from 'node:fs/promises'
import type { AbortOptions } from '@ropewalk/interface'
import type { Gate } from '../activity/metered.ts'
import type { Configuration } from '../config/resolve.ts'
import { codeOf, RopewalkError } from '../errors.ts'
import { systemClock, type Clock } from './clock.ts'
import { Line } from './line.ts'
import { parseRate, type Rate } from './rate.ts'

const OFF: Rate = [{ minute: 0, bytesPerSecond: undefined }]

export interface LimitsOptions {
  readonly clock?: Clock | undefined
  /** The minute of the day at a time: of this machine's day, by default. */
  readonly minute?: ((now: number) => number) | undefined
  /** Bytes of memory that the process has. */
  readonly memory?: (() => number) | undefined
  /** Bytes that may still be written where `path` is. */
  readonly free?: ((path: string) => Promise<number>) | undefined
}

/** A place among the connections, and what its bytes wait for. */
export interface Place extends Gate {
  /** The limit that holds it back now. */
  readonly holds: () => string | undefined
  readonly leave: () => void
}

interface Peer { readonly up: Line, readonly down: Line, places: number }

export class Limits {
  readonly #options: Required<LimitsOptions>
  readonly #rates = new Map<string, Rate>()
  readonly #lines = new Map<string, Line>()
  readonly #peers = new Map<string, Peer>()
  #connections = 0
  #maxConnections = Infinity
  #maxMemory = Infinity
  #minFree = 0

  constructor ({ clock = systemClock, minute = minuteOfDay, memory = () => process.memoryUsage.rss(), free = freeBytes }: LimitsOptions = {}) {
    this.#options = { clock, minute, memory, free }
  }

  get connections (): number {
    return this.#connections
  }

  /** Takes what a configuration says, also for what is under way. */
  configure (configuration: Configuration): void {
    for (const { setting: { key }, value } of configuration.settings.values()) {
      if (!key.startsWith('limits.') || typeof value !== 'string') continue
      this.#rates.set(key, parseRate(value))
    }
    this.#maxConnections = configuration.get('limits.connections') ?? Infinity
    this.#maxMemory = configuration.get('limits.memory') ?? Infinity
    this.#minFree = configuration.get('limits.disk_free') ?? 0
    for (const line of this.#lines.values()) line.rate = this.#rates.get(line.name) ?? OFF
    for (const { up, down } of this.#peers.values()) for (const line of [up, down]) line.rate = this.#rates.get(line.name) ?? OFF
  }

  /** Lets one more connection in, or rejects with `ERR_REFUSED`. `peer` is who shares the limits of one peer; `writesTo`, where what comes is written. */
  async enter (protocol: string, peer: string, writesTo?: string): Promise<Place> {
    const { memory, free } = this.#options
    if (this.#connections >= this.#maxConnections) throw new RopewalkError('ERR_REFUSED', `${this.#connections + 1} > ${this.#maxConnections} connections (limits.connections)`)
    const used = this.#maxMemory === Infinity ? 0 : memory()
    if (used > this.#maxMemory) throw new RopewalkError('ERR_REFUSED', `${used} > ${this.#maxMemory} bytes of memory (limits.memory)`)
    // Counted before anything is waited for.
    this.#connections++
    try {
      const left = writesTo === undefined || this.#minFree === 0 ? Infinity : await free(writesTo)
      if (left < this.#minFree) throw new RopewalkError('ERR_REFUSED', `${left} < ${this.#minFree} bytes free on the disk (limits.disk_free)`)
    } catch (error) {
      this.#connections--
      throw error
    }
    return this.#place(protocol, peer)
  }

  #place (protocol: string, peer: string): Place {
    const own = this.#peers.get(peer) ?? { up: this.#newLine('limits.peer_up'), down: this.#newLine('limits.peer_down'), places: 0 }
    own.places++
    this.#peers.set(peer, own)
    const up = [own.up, this.#line(`limits.${protocol}_up`), this.#line('limits.up')]
    const down = [own.down, this.#line(`limits.${protocol}_down`), this.#line('limits.down')]
    let here = true
    return {
      send: (bytes, options) => takeAll(up, bytes, options),
      receive: bytes => takeAll(down, bytes, {}),
      holds: () => [...up, ...down].find(({ reason }) => reason !== undefined)?.reason,
      leave: () => {
        if (!here) return
        here = false
        this.#connections--
        if (--own.places === 0) this.#peers.delete(peer)
      }
    }
  }

  #line (name: string): Line {
    const line = this.#lines.get(name) ?? this.#newLine(name)
    this.#lines.set(name, line)
    return line
  }

  #newLine (name: string): Line {
    return new Line(name, this.#rates.get(name) ?? OFF, this.#options.clock, this.#options.minute)
  }
}

/** One after the other, the narrowest circle first; undefined where none of them holds. */
function takeAll (lines: readonly Line[], bytes: number, options: AbortOptions, from: number = 0): Promise<void> | undefined {
  for (let at = from; at < lines.length; at++) {
    const wait = (lines[at] as Line).take(bytes, options)
    if (wait !== undefined) return wait.then(() => takeAll(lines, bytes, options, at + 1))
  }
  return undefined
}

function minuteOfDay (now: number): number {
  const date = new Date(now)
  return date.getHours() * 60 + date.getMinutes()
}

async function freeBytes (path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch (error) {
    // A folder that is made when something comes is not there before.
    if (codeOf(error) === 'ENOENT') return Infinity
    throw error
  }
}
