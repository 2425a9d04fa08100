/**
 * Reads a connection, whichever way it offers its bytes, and stops reading while too much of what was read is not taken.
 *
 * @module
 */
import type { ByteFlow, Connection } from '@ropewalk/interface'

export interface IntakeTarget {
  /** Takes bytes, in order. When `lent`, they are only valid during the call. False ends the reading. */
  bytes (bytes: Uint8Array, lent: boolean): boolean
  /** The peer has ended its direction, or the connection failed. Called once, unless reading was ended here. */
  ended (error?: Error): void
}

export class Intake {
  readonly #connection: Connection
  readonly #maxBufferedBytes: number
  #flow: ByteFlow | undefined
  #buffered = 0
  #paused = false
  #stopped = false
  #resume: (() => void) | undefined

  constructor (connection: Connection, maxBufferedBytes: number) {
    this.#connection = connection
    this.#maxBufferedBytes = maxBufferedBytes
  }

  /** Begins to read. */
  start (target: IntakeTarget): void {
    if (this.#connection.attach === undefined) {
      void this.#pull(target)
      return
    }
    this.#flow = this.#connection.attach({
      bytes: bytes => { if (!this.#stopped && !target.bytes(bytes, true)) this.#stopped = true },
      end: error => { if (!this.#stopped) target.ended(error) }
    })
    if (this.#paused) this.#flow.pause()
  }

  /** Bytes that wait to be taken grew, or shrank when negative. */
  buffer (bytes: number): void {
    this.#buffered += bytes
    if (!this.#paused && this.#buffered > this.#maxBufferedBytes) {
      this.#paused = true
      this.#flow?.pause()
    } else if (this.#paused && this.#buffered <= this.#maxBufferedBytes / 2) {
      this.#paused = false
      this.#flow?.resume()
      this.#resume?.()
    }
  }

  /** Reads no further. */
  stop (): void {
    this.#stopped = true
    this.#resume?.()
  }

  async #pull (target: IntakeTarget): Promise<void> {
    try {
      for await (const list of this.#connection.source) {
        for (const bytes of list) if (this.#stopped || !target.bytes(bytes, false)) return
        while (this.#paused && !this.#stopped) await new Promise<void>(resolve => { this.#resume = resolve })
        if (this.#stopped) return
      }
    } catch (error) {
      if (!this.#stopped) target.ended(error as Error)
      return
    }
    if (!this.#stopped) target.ended()
  }
}
