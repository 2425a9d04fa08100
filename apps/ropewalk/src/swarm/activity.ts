/**
 * What a peer of a swarm reports to the board: a file that comes is one transfer, whoever gives its chunks, and a file that is given away is one
 * for each peer, until that peer holds all of it.
 *
 * @module
 */
import { CHUNK_BYTES, type SwarmEvent } from '@ropewalk/protocol-torronto'
import type { ActivityBoard, Reporting } from '../activity/board.ts'
import { RopewalkError } from '../errors.ts'
import { addressOf } from './words.ts'

interface Giving { readonly reporting: Reporting, readonly to: string, readonly size: number | undefined, bytes: number }

export interface SwarmActivityOptions {
  readonly board: ActivityBoard
  /** The limit that holds the swarm back now. */
  readonly holds: () => string | undefined
}

export class SwarmActivity {
  readonly #options: SwarmActivityOptions
  readonly #coming = new Map<string, Reporting>()
  /** By peer and name. */
  readonly #giving = new Map<string, Giving>()

  constructor (options: SwarmActivityOptions) {
    this.#options = options
  }

  take (event: SwarmEvent): void {
    switch (event.event) {
      case 'chunk': return this.#come(event.name, event.bytes - CHUNK_BYTES, event.size).moved(event.bytes)
      case 'finished': {
        const coming = this.#come(event.name, 0, event.size)
        coming.moved(event.size)
        coming.done()
        return void this.#coming.delete(event.name)
      }
      case 'refused':
        this.#coming.get(event.name)?.failed(event.reason)
        return void this.#coming.delete(event.name)
      case 'given': return this.#give(event.name, addressOf(event.to), event.bytes, event.size)
      case 'replicated': return this.#end(`${addressOf(event.peer)} ${event.name}`)
      case 'disconnected': {
        const peer = addressOf(event.peer)
        for (const [key, { to }] of this.#giving) if (to === peer) this.#end(key, new RopewalkError('ERR_INCOMPLETE', 'the peer has left before it held all of it'))
      }
    }
  }

  /** Nothing comes or goes any more. */
  close (): void {
    const stopped = new RopewalkError('ERR_STOPPED', 'this peer has left the swarm')
    for (const coming of this.#coming.values()) coming.failed(stopped)
    this.#coming.clear()
    for (const [key, { bytes, size = Infinity }] of this.#giving) this.#end(key, bytes < size ? stopped : undefined)
  }

  #come (name: string, before: number, size: number | undefined): Reporting {
    const known = this.#coming.get(name)
    if (known !== undefined) return known
    const coming = this.#begin('in', name, size, undefined, Math.max(0, before))
    this.#coming.set(name, coming)
    return coming
  }

  #give (name: string, to: string, bytes: number, size: number | undefined): void {
    const key = `${to} ${name}`
    const giving = this.#giving.get(key) ?? { reporting: this.#begin('out', name, size, to, 0), to, size, bytes: 0 }
    this.#giving.set(key, giving)
    // A chunk that did not arrive is given again.
    giving.bytes = Math.min(giving.bytes + bytes, size ?? Infinity)
    giving.reporting.moved(giving.bytes)
  }

  #end (key: string, error?: RopewalkError): void {
    const { reporting } = this.#giving.get(key) ?? {}
    this.#giving.delete(key)
    if (error === undefined) reporting?.done()
    else reporting?.failed(error)
  }

  #begin (direction: 'in' | 'out', name: string, size: number | undefined, peer: string | undefined, bytes: number): Reporting {
    const { board, holds } = this.#options
    return board.begin({ protocol: 'torronto', direction, name: name.replace(/^files\//, ''), size, peer, bytes, holds })
  }
}
