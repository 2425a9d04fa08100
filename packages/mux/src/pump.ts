/**
 * What a connection has to write, and in which order: system frames first, then control frames, then one data frame of
 * each ready member in turn. Everything that one turn of the event loop brought is one write.
 *
 * @module
 */
import type { Uint8ArrayList } from 'uint8arraylist'
import { Outgoing } from './outgoing.ts'
import { afterThisTurn, whenIdle } from './schedule.ts'

/** Bytes handed to the transport at a time. Ours: measured best on loopback. */
const BATCH_BYTES = 524_288

/** A channel, as the pump sees it. The two flags are the pump's own bookkeeping. */
export interface Member {
  controlQueued: boolean
  readyQueued: boolean
  /** Writes what overtakes data: acknowledgements, replies. */
  writeControls (out: Outgoing): void
  /** Writes at most one data frame. True when another could follow at once. */
  writeFrame (out: Outgoing): boolean
}

export class Pump<M extends Member> {
  readonly #over: () => boolean
  readonly #writeSystem: ((out: Outgoing) => void) | undefined
  readonly #out: Outgoing = new Outgoing()
  #system: Uint8Array[] = []
  #controls: M[] = []
  #ready: M[] = []
  #head = 0
  #writer: ((result: IteratorResult<Uint8ArrayList>) => void) | undefined
  #flushing = false
  #idling = false
  readonly #flushTask = (): void => {
    this.#flushing = false
    this.flush()
  }

  readonly #idleTask = (): void => {
    this.#idling = false
    if (!this.#flushing) this.flush()
  }

  /**
   * `over` says whether the writing direction has come to its end, once there is nothing left to write. `writeSystem` writes
   * what goes ahead of everything, where the muxer keeps that itself; it calls `wake` when there is something.
   */
  constructor (over: () => boolean, writeSystem?: (out: Outgoing) => void) {
    this.#over = over
    this.#writeSystem = writeSystem
  }

  /** `frame` goes ahead of everything. Bounded by the caller: a peer must not be able to make us say more and more. */
  system (frame: Uint8Array): void {
    this.#system.push(frame)
    this.wake()
  }

  /** `member` has control frames to write. */
  control (member: M): void {
    if (!member.controlQueued) {
      member.controlQueued = true
      this.#controls.push(member)
    }
    this.wake()
  }

  /** The same for what nobody waits for yet, such as credit that comes early: it goes with the next write, or when there is nothing else to do. */
  controlSoon (member: M): void {
    if (member.controlQueued) return
    member.controlQueued = true
    this.#controls.push(member)
    if (this.#flushing || this.#idling || this.#writer === undefined) return
    this.#idling = true
    whenIdle(this.#idleTask)
  }

  /** `member` may have a data frame to write. */
  ready (member: M): void {
    if (member.readyQueued) return
    member.readyQueued = true
    this.#ready.push(member)
    this.wake()
  }

  /** Looks again, at the end of this turn, whether there is something to write or the end has come. */
  wake (): void {
    if (this.#flushing || this.#writer === undefined) return
    this.#flushing = true
    afterThisTurn(this.#flushTask)
  }

  /** Looks at once. */
  flush (): void {
    const writer = this.#writer
    if (writer === undefined) return
    const batch = this.#batch()
    if (batch === undefined) return
    this.#writer = undefined
    writer(batch)
  }

  /** Ends what is written, whatever was queued. */
  stop (): void {
    this.#drop()
    this.#writer?.({ done: true, value: undefined })
    this.#writer = undefined
  }

  /** Drops whatever was queued and writes `last`; `over` must be true by now. */
  finish (last: Uint8Array): void {
    this.#drop()
    this.#system.push(last)
    this.flush()
  }

  /** What goes into the connection's sink. */
  batches (): AsyncIterable<Uint8ArrayList> {
    const next = (): Promise<IteratorResult<Uint8ArrayList>> => {
      const batch = this.#batch()
      return batch !== undefined ? Promise.resolve(batch) : new Promise(resolve => { this.#writer = resolve })
    }
    return { [Symbol.asyncIterator]: () => ({ next }) }
  }

  #batch (): IteratorResult<Uint8ArrayList> | undefined {
    const out = this.#out
    this.#writeSystem?.(out)
    if (this.#system.length > 0) {
      for (const frame of this.#system) out.packet(frame)
      this.#system = []
    }
    if (this.#controls.length > 0) {
      for (const member of this.#controls) {
        member.controlQueued = false
        member.writeControls(out)
      }
      this.#controls = []
    }
    while (this.#head < this.#ready.length && out.bytes < BATCH_BYTES) {
      const member = this.#ready[this.#head++] as M
      if (member.writeFrame(out)) this.#ready.push(member)
      else member.readyQueued = false
    }
    this.#compact()
    if (out.bytes > 0) return { done: false, value: out.take() }
    return this.#over() ? { done: true, value: undefined } : undefined
  }

  #drop (): void {
    this.#system = []
    this.#controls = []
    this.#ready = []
    this.#head = 0
  }

  #compact (): void {
    if (this.#head === this.#ready.length) this.#ready = []
    else if (this.#head > 1024 || this.#head * 2 > this.#ready.length) this.#ready = this.#ready.slice(this.#head)
    else return
    this.#head = 0
  }
}
