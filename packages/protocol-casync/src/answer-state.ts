/**
 * Which requests wait for an answer, and in which order they get one. Pure.
 *
 * casync asks low and then high, and wants one answer; desync asks high, and high again, and wants two. So an id that was answered to
 * a low request is not answered again to a high one, and everything else is. Section 4 of the specification.
 *
 * @module
 */
import type { ChunkId } from '@ropewalk/interface'
import { MAX_REMEMBERED_ANSWERS, MAX_SESSION_CHUNKS } from './constants.ts'
import { CasyncError } from './errors.ts'

export interface AnswerLimits {
  /** Answers that are remembered; the oldest are forgotten. Default 65,536. */
  readonly maxRemembered?: number | undefined
}

interface Waiting {
  readonly id: ChunkId
  high: boolean
}

/** The requests of a pull, answered by its server. */
export class PullAnswers {
  readonly #maxRemembered: number
  readonly #waiting = new Map<ChunkId, Waiting>()
  /** Those that moved to the other queue stay where they were, and are passed over. */
  readonly #high = new Line()
  readonly #low = new Line()
  /** Whether the last request for it was high. */
  readonly #answered = new Map<ChunkId, boolean>()

  constructor ({ maxRemembered = MAX_REMEMBERED_ANSWERS }: AnswerLimits = {}) {
    this.#maxRemembered = maxRemembered
  }

  /** Ids that wait. */
  get size (): number {
    return this.#waiting.size
  }

  request (id: ChunkId, high: boolean): void {
    const waiting = this.#waiting.get(id)
    if (waiting !== undefined) {
      if (!high || waiting.high) return
      waiting.high = true
      this.#high.push(waiting)
      return
    }
    if (high && this.#answered.get(id) === false) {
      this.#answered.set(id, true)
      return
    }
    const entry = { id, high }
    this.#waiting.set(id, entry)
    if (high) this.#high.push(entry)
    else this.#low.push(entry)
  }

  /** The id to answer now, high ones first; `undefined` when none waits. */
  next (): ChunkId | undefined {
    const { id, high } = this.#high.shift() ?? this.#low.shift(entry => !entry.high) ?? {}
    if (id === undefined || high === undefined) return undefined
    this.#waiting.delete(id)
    this.#answered.delete(id)
    this.#answered.set(id, high)
    if (this.#answered.size > this.#maxRemembered) for (const [oldest] of this.#answered) {
      this.#answered.delete(oldest)
      break
    }
    return id
  }
}

/** The requests of a push, answered by its client: each id once, since casync does not survive a chunk that it did not ask for. */
export class PushAnswers {
  readonly #maxChunks: number
  readonly #waiting = new Map<ChunkId, Waiting>()
  readonly #high = new Line()
  readonly #low = new Line()
  readonly #asked = new Set<ChunkId>()

  constructor (maxChunks: number = MAX_SESSION_CHUNKS) {
    this.#maxChunks = maxChunks
  }

  get size (): number {
    return this.#waiting.size
  }

  /** `ERR_TOO_MANY_REQUESTS` beyond the limit. */
  request (id: ChunkId, high: boolean): void {
    const waiting = this.#waiting.get(id)
    if (waiting !== undefined && high && !waiting.high) {
      waiting.high = true
      this.#high.push(waiting)
    }
    if (this.#asked.has(id)) return
    if (this.#asked.size >= this.#maxChunks) throw new CasyncError('ERR_TOO_MANY_REQUESTS', 'channel', `${this.#asked.size + 1} > ${this.#maxChunks} chunks were asked for`)
    this.#asked.add(id)
    const entry = { id, high }
    this.#waiting.set(id, entry)
    if (high) this.#high.push(entry)
    else this.#low.push(entry)
  }

  next (): ChunkId | undefined {
    const entry = this.#high.shift() ?? this.#low.shift(({ high }) => !high)
    if (entry === undefined) return undefined
    this.#waiting.delete(entry.id)
    return entry.id
  }
}

/** A queue that moves a head, and forgets what lies before it from time to time. */
class Line {
  #entries: Waiting[] = []
  #head = 0

  push (entry: Waiting): void {
    this.#entries.push(entry)
  }

  shift (counts: (entry: Waiting) => boolean = () => true): Waiting | undefined {
    while (this.#head < this.#entries.length) {
      const entry = this.#entries[this.#head++] as Waiting
      if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
        this.#entries = this.#entries.slice(this.#head)
        this.#head = 0
      }
      if (counts(entry)) return entry
    }
    this.#entries = []
    this.#head = 0
    return undefined
  }
}
