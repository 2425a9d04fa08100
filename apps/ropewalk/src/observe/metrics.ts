/**
 * What a node is doing as numbers for Prometheus. No label names a peer or a file: those are for the log, and without end.
 *
 * @module
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { Activity } from '../activity/activity.ts'
import type { ActivityBoard } from '../activity/board.ts'
import { forgetUnlisted, transfersIn } from '../activity/changes.ts'
import { codeOf } from '../errors.ts'
import { build, version } from '../version.ts'

/** Error codes that are counted apart; all others together. Ours. */
const MAX_CODES = 64

export interface StoreFacts {
  readonly name: string
  readonly usedBytes: number
  readonly reservedBytes: number
  readonly freeBytes: number | undefined
}

export interface MetricsSources {
  readonly board: ActivityBoard
  readonly stores: () => Promise<readonly StoreFacts[]>
  /** Offers by their status. */
  readonly offers: () => ReadonlyMap<string, number>
}

export class Metrics {
  readonly #registry = new Registry()
  readonly #sources: MetricsSources
  readonly #codes = new Set<string>()
  /** Bytes that were counted already, of transfers and of connections that are not over. */
  readonly #transfers = new Map<string, number>()
  readonly #connections = new Map<string, readonly [bytesIn: number, bytesOut: number]>()
  readonly #ended
  readonly #bytes
  readonly #wire
  readonly #troubles

  constructor (sources: MetricsSources) {
    this.#sources = sources
    const registers = [this.#registry]
    this.#ended = new Counter({ name: 'ropewalk_transfers_total', help: 'Transfers that are over.', labelNames: ['protocol', 'direction', 'outcome'] as const, registers })
    this.#bytes = new Counter({ name: 'ropewalk_transfer_bytes_total', help: 'Bytes of content that transfers have moved.', labelNames: ['protocol', 'direction'] as const, registers })
    this.#wire = new Counter({ name: 'ropewalk_connection_bytes_total', help: 'Bytes on connections.', labelNames: ['protocol', 'direction'] as const, registers })
    this.#troubles = new Counter({ name: 'ropewalk_troubles_total', help: 'Clients and parts of the node that gave trouble.', labelNames: ['code'] as const, registers })
    this.#gauges()
    collectDefaultMetrics({ register: this.#registry })
  }

  get contentType (): string {
    return this.#registry.contentType
  }

  /** What Prometheus reads. */
  async text (): Promise<string> {
    this.#count(this.#sources.board.list())
    return await this.#registry.metrics()
  }

  trouble (error: unknown): void {
    const code = codeOf(error)
    if (this.#codes.size < MAX_CODES && /^E[A-Z_]{1,40}$/.test(code)) this.#codes.add(code)
    this.#troubles.inc({ code: this.#codes.has(code) ? code : 'other' })
  }

  /** Counts what becomes of transfers and connections, until the signal is aborted. */
  async follow (signal: AbortSignal): Promise<void> {
    const { board } = this.#sources
    for await (const change of board.changes({ signal })) {
      for (const { id, protocol, direction, bytes, state } of transfersIn(change, () => board.list(), this.#transfers)) {
        this.#moved(id, protocol, direction, bytes)
        if (state !== 'done' && state !== 'failed') continue
        this.#transfers.delete(id)
        this.#ended.inc({ protocol, direction, outcome: state })
      }
      if (change.change === 'lost') forgetUnlisted(this.#connections, board.list().connections)
      else if (change.change !== 'transfer') {
        const { id, protocol, bytesIn, bytesOut } = change.connection
        this.#carried(id, protocol, bytesIn, bytesOut)
        if (change.change === 'disconnected') this.#connections.delete(id)
      }
    }
  }

  #count ({ transfers, connections }: Activity): void {
    for (const { id, protocol, direction, bytes, state } of transfers) if (state === 'running' || state === 'waiting') this.#moved(id, protocol, direction, bytes)
    for (const { id, protocol, bytesIn, bytesOut } of connections) this.#carried(id, protocol, bytesIn, bytesOut)
  }

  #moved (id: string, protocol: string, direction: string, bytes: number): void {
    const more = bytes - (this.#transfers.get(id) ?? 0)
    if (more > 0) this.#bytes.inc({ protocol, direction }, more)
    this.#transfers.set(id, bytes)
  }

  #carried (id: string, protocol: string, bytesIn: number, bytesOut: number): void {
    const [wasIn, wasOut] = this.#connections.get(id) ?? [0, 0]
    if (bytesIn > wasIn) this.#wire.inc({ protocol, direction: 'in' }, bytesIn - wasIn)
    if (bytesOut > wasOut) this.#wire.inc({ protocol, direction: 'out' }, bytesOut - wasOut)
    this.#connections.set(id, [bytesIn, bytesOut])
  }

  #gauges (): void {
    const { board, stores, offers } = this.#sources
    const registers = [this.#registry]
    new Gauge({ name: 'ropewalk_build_info', help: 'Always 1.', labelNames: ['version', 'commit'] as const, registers }).set({ version: version(), commit: build()?.commit ?? 'unknown' }, 1)
    new Gauge({
      name: 'ropewalk_transfers_active', help: 'Transfers that are not over.', labelNames: ['protocol', 'direction', 'state'] as const, registers,
      collect () {
        this.reset()
        for (const { protocol, direction, state } of board.list().transfers) if (state === 'running' || state === 'waiting') this.inc({ protocol, direction, state })
      }
    })
    const channels = new Gauge({ name: 'ropewalk_channels', help: 'Channels that are open.', labelNames: ['protocol'] as const, registers })
    new Gauge({
      name: 'ropewalk_connections', help: 'Connections that are open.', labelNames: ['protocol'] as const, registers: [this.#registry],
      collect () {
        this.reset()
        channels.reset()
        for (const { protocol, open } of board.list().connections) {
          this.inc({ protocol })
          channels.inc({ protocol }, open ?? 0)
        }
      }
    })
    new Gauge({
      name: 'ropewalk_store_bytes', help: 'Bytes of a store: used, reserved, and free on its disk.', labelNames: ['store', 'kind'] as const, registers,
      async collect () {
        this.reset()
        for (const { name, usedBytes, reservedBytes, freeBytes } of await stores()) {
          this.set({ store: name, kind: 'used' }, usedBytes)
          this.set({ store: name, kind: 'reserved' }, reservedBytes)
          if (freeBytes !== undefined) this.set({ store: name, kind: 'free' }, freeBytes)
        }
      }
    })
    new Gauge({
      name: 'ropewalk_offers', help: 'Offers that are known, by their status.', labelNames: ['status'] as const, registers,
      collect () {
        this.reset()
        for (const [status, count] of offers()) this.set({ status }, count)
      }
    })
  }
}
