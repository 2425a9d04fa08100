/**
 * Reads a connection, whichever way it offers its bytes, and stops reading while too much of what was read is not taken.
 *
 * @module
 */
import type { ByteFlow, Connection } from '@ropewalk/interface'

/** Pieces of which it matters whether they are copied. Ours. */
const LARGE_BYTES = 16_384

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
  #kept = 0
  #keeps = false
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
    const keeps = (): boolean => this.#keeps
    this.#flow = this.#connection.attach({
      get keeps () { return keeps() },
      bytes: (bytes, lent = true) => {
        if (this.#stopped) return
        this.#kept = 0
        if (!target.bytes(bytes, lent)) this.#stopped = true
        this.#keeps = this.#kept * 2 > bytes.length
      },
      end: error => { if (!this.#stopped) target.ended(error) }
    })
    if (this.#paused) this.#flow.pause()
  }

  /** Of the bytes at hand so many are kept, in one piece: where most are, in large pieces, what comes is better read into memory that may be kept. */
  kept (bytes: number): void {
    if (bytes >= LARGE_BYTES) this.#kept += bytes
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
