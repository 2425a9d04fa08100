/**
 * Everything that the page shows, gathered from the parts of the node.
 *
 * @module
 */
import { statfs } from 'node:fs/promises'
import type { FileStatus } from '@ropewalk/protocol-torronto'
import { dial } from '@ropewalk/transport-tcp'
import type { ActivityBoard } from '../activity/board.ts'
import { ObjectNames } from '../activity/object-names.ts'
import type { StoreFacts } from '../observe/metrics.ts'
import { ask, type Line } from '../peers/control.ts'
import type { OfferLine } from '../peers/offer-line.ts'
import type { PeerPart, StorePart } from '../services/service.ts'
import { swarmSocket } from '../swarm/socket.ts'

/** Offers, peers and files of the swarm that are shown; the page is for people. Ours. */
const MAX_SHOWN = 500

/** How long the swarm may take to answer, and for how long an answer is good. Ours. */
const SWARM_MS = 2000

export interface SwarmFacts {
  readonly peers: number
  readonly files: readonly FileStatus[]
}

export interface SceneOptions {
  readonly board: ActivityBoard
  readonly state: string
  readonly stores: readonly StorePart[]
  readonly peers: PeerPart | undefined
  readonly signal: AbortSignal
}

export class Scene {
  readonly #options: SceneOptions
  readonly #names: ObjectNames
  #swarm: { readonly at: number, readonly facts: Promise<SwarmFacts | undefined> } = { at: -Infinity, facts: Promise.resolve(undefined) }

  constructor (options: SceneOptions) {
    this.#options = options
    this.#names = new ObjectNames(options.state)
  }

  /** By which the page calls objects. */
  get names (): ObjectNames {
    return this.#names
  }

  get board (): ActivityBoard {
    return this.#options.board
  }

  offers (): readonly OfferLine[] {
    const { peers } = this.#options
    return peers?.requests.offers().slice(-MAX_SHOWN) ?? []
  }

  /** Offers by their status. */
  offerCounts (): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { status } of this.#options.peers?.node.warpdrive.offers(0) ?? []) counts.set(status, (counts.get(status) ?? 0) + 1)
    return counts
  }

  peers (): readonly Line[] {
    return this.#options.peers?.requests.peers().slice(0, MAX_SHOWN) ?? []
  }

  async stores (): Promise<readonly StoreFacts[]> {
    return await Promise.all(this.#options.stores.map(async ({ name, directory, node, capacity }) => {
      const { usedBytes, reservedBytes } = node.usage
      const disk = await statfs(directory).then(({ bavail, bsize }) => bavail * bsize, () => undefined)
      const left = capacity === undefined ? Infinity : Math.max(0, capacity - usedBytes - reservedBytes)
      return { name, usedBytes, reservedBytes, freeBytes: disk === undefined ? undefined : Math.min(disk, left) }
    }))
  }

  /** Of the peer of a swarm that runs for the same user, if one does. */
  async swarm (): Promise<SwarmFacts | undefined> {
    const now = performance.now()
    if (now - this.#swarm.at > SWARM_MS) this.#swarm = { at: now, facts: this.#askSwarm().catch(() => undefined) }
    return await this.#swarm.facts
  }

  async #askSwarm (): Promise<SwarmFacts | undefined> {
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(SWARM_MS)])
    const connection = await dial({ transport: 'unix', path: swarmSocket(this.#options.state) }, { signal })
    for await (const line of ask(connection, { ask: 'query', watch: false }, signal)) {
      return { peers: line['peers'] as number, files: (line['files'] as readonly FileStatus[]).slice(0, MAX_SHOWN) }
    }
    return undefined
  }
}
