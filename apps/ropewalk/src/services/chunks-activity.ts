import type { Socket } from 'node:net'
import { Transform } from 'node:stream'
import type { ActivityBoard, Reporting } from '../activity/board.ts'
import type { Place } from '../limits/limits.ts'
import type { Door } from './door.ts'

/** Stores that one connection is reported to read from; chunks of others go without. Ours. */
const MAX_STORES = 16

interface Chunks {
  readonly reporting: Reporting
  bytes: number
}

/** Reports what a web server gives away, and holds it to the shared limits: each file for itself, all chunks that one connection takes from one store together. */
export class ServedChunks {
  readonly #board: ActivityBoard
  readonly #door: Door
  readonly #stores = new WeakMap<Socket, Map<string, Chunks>>()
  readonly #places = new WeakMap<Socket, Place>()

  constructor (board: ActivityBoard, door: Door) {
    this.#board = board
    this.#door = door
  }

  /** Rejects with `ERR_REFUSED` where there is no place left. */
  async come (socket: Socket): Promise<void> {
    const place = await this.#door.limits.enter('casync', socket.remoteAddress ?? 'client')
    if (socket.destroyed) place.leave()
    this.#places.set(socket, place)
    socket.once('close', () => { place.leave() })
  }

  /** Resolves when the chunk may go. */
  async chunk (socket: Socket, store: string, bytes: number): Promise<void> {
    const stores = this.#storesOf(socket)
    let chunks = stores.get(store)
    if (chunks === undefined && stores.size < MAX_STORES) stores.set(store, chunks = { reporting: this.#begin(socket, `chunks of ${store}`, undefined), bytes: 0 })
    await this.#places.get(socket)?.send(bytes, {})
    chunks?.reporting.moved(chunks.bytes += bytes)
  }

  /** Put it behind what reads the file. */
  file (socket: Socket, name: string, size: number): Transform {
    const reporting = this.#begin(socket, name, size)
    let bytes = 0
    return new Transform({
      transform: (piece: Buffer, _encoding, taken) => {
        void Promise.resolve(this.#places.get(socket)?.send(piece.length, {})).then(() => {
          reporting.moved(bytes += piece.length)
          taken(null, piece)
        })
      },
      flush: done => {
        reporting.done()
        done()
      },
      destroy: (error, destroyed) => {
        if (bytes < size) reporting.failed(error ?? Object.assign(new Error('the client has gone'), { code: 'ERR_INTERRUPTED' }))
        destroyed(error)
      }
    })
  }

  #storesOf (socket: Socket): Map<string, Chunks> {
    const known = this.#stores.get(socket)
    if (known !== undefined) return known
    const stores = new Map<string, Chunks>()
    this.#stores.set(socket, stores)
    socket.once('close', () => { for (const { reporting } of stores.values()) reporting.done() })
    return stores
  }

  #begin (socket: Socket, name: string, size: number | undefined): Reporting {
    return this.#board.begin({ protocol: 'casync', direction: 'out', name, size, peer: socket.remoteAddress, holds: this.#places.get(socket)?.holds })
  }
}
