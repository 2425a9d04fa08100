/**
 * Connections that were accepted and that nobody has taken yet.
 *
 * @module
 */
import type { Connection } from '@ropewalk/interface'
import type { WebSocket } from 'ws'
import { closedHere } from '../errors.ts'

const DONE: IteratorResult<Connection, undefined> = { done: true, value: undefined }

export class Pending implements AsyncIterator<Connection, undefined> {
  readonly max: number
  readonly #waiting: Array<PromiseWithResolvers<IteratorResult<Connection, undefined>>> = []
  readonly #connections = new Map<Connection, () => void>()
  #closed = false
  #error: unknown

  constructor (max: number) {
    this.max = max
  }

  /** There is no room, and nobody waits. */
  get full (): boolean {
    return this.#waiting.length === 0 && this.#connections.size >= this.max
  }

  /** Ask `full` first. */
  add (connection: Connection, socket: WebSocket): void {
    if (this.#closed) {
      connection.abort(closedHere())
      return
    }

    const waiting = this.#waiting.shift()
    if (waiting != null) {
      waiting.resolve({ done: false, value: connection })
      return
    }

    // One that is gone before it was taken gives its place to another.
    const onClose = (): void => { this.#connections.delete(connection) }
    socket.once('close', onClose)
    this.#connections.set(connection, () => socket.off('close', onClose))
  }

  next (): Promise<IteratorResult<Connection, undefined>> {
    for (const [connection, forget] of this.#connections) {
      forget()
      this.#connections.delete(connection)
      return Promise.resolve({ done: false, value: connection })
    }

    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#closed) return Promise.resolve(DONE)

    const waiting = Promise.withResolvers<IteratorResult<Connection, undefined>>()
    this.#waiting.push(waiting)
    return waiting.promise
  }

  /** Ends the iteration, and the connections that nobody will take any more. */
  close (error?: unknown): void {
    if (this.#closed) return

    this.#closed = true
    this.#error = error
    for (const waiting of this.#waiting.splice(0)) {
      if (error === undefined) waiting.resolve(DONE)
      else waiting.reject(error)
    }
    for (const connection of [...this.#connections.keys()]) connection.abort(closedHere())
    this.#connections.clear()
  }
}
