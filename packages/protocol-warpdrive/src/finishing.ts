/**
 * Entries that have come whole, until they last: several at a time, and confirmed in their order.
 *
 * @module
 */
import { FINISHED_AHEAD } from './constants.ts'
import { WarpdriveError } from './errors.ts'
import type { FileInfo } from './json-codec.ts'
import type { Inbox, InboxWriter, Sha256, StoredOffer } from './ports.ts'
import type { Session } from './session.ts'

export interface Receiving {
  readonly offer: StoredOffer
  readonly inbox: Inbox
  readonly sha256: Sha256
  readonly parallel: number
  readonly progressMs: number
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  now (): number
  open (): Promise<Session>
  isDone (index: number): boolean
  keptOf (index: number): number
  progress (index: number, bytes: number): void
  keep (index: number, bytes: number, whole: boolean): void
  /** An entry failed alone. */
  fail (index: number, error: WarpdriveError): void
}

/** Those of one session. */
export class Finishing {
  readonly #receiving: Receiving
  readonly #session: Session
  readonly #failed: WarpdriveError[]
  readonly #waiting: Array<Promise<void>> = []
  readonly #most: number
  #tail: Promise<void> = Promise.resolve()
  /** One could not be finished: those behind it cannot be confirmed on this session. */
  broken = false

  /** At most `most` lots of entries at a time. */
  constructor (receiving: Receiving, session: Session, failed: WarpdriveError[], most: number = FINISHED_AHEAD) {
    this.#receiving = receiving
    this.#session = session
    this.#failed = failed
    this.#most = most
  }

  /** A lot of entries, and what of each settles when it is whole. Resolves when there is room for another lot. */
  async add (indices: readonly number[], finished: ReadonlyArray<Promise<unknown>>): Promise<void> {
    for (const one of finished) one.catch(() => {})
    this.#tail = this.#tail.then(() => this.#confirm(indices, finished))
    this.#tail.catch(() => {})
    this.#waiting.push(this.#tail)
    if (this.#waiting.length >= this.#most) await this.#waiting.shift()
  }

  /** Resolves when all of them are finished, and confirmed where they can be. */
  async end (): Promise<void> {
    await this.#tail
  }

  async #confirm (indices: readonly number[], finished: ReadonlyArray<Promise<unknown>>): Promise<void> {
    let confirmed = 0
    for (const [at, index] of indices.entries()) {
      await attempt(this.#receiving, index, this.#failed, async () => { await finished[at] })
      this.broken ||= !this.#receiving.isDone(index)
      if (!this.broken) confirmed++
    }
    if (confirmed > 0) await this.#session.send(new Uint8Array(confirmed))
  }
}

/** Notes an entry that failed alone; what concerns more than the entry is thrown. */
export async function attempt (receiving: Receiving, index: number, failed: WarpdriveError[], work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (receiving.signal.aborted || !(error instanceof WarpdriveError) || error.scope !== 'transfer') throw error
    receiving.fail(index, error)
    failed.push(error)
  }
}

/** Gives an entry its name, for good. */
export async function finishEntry (receiving: Receiving, index: number, writer: InboxWriter | undefined): Promise<void> {
  if (writer !== undefined) await ours(writer.finish())
  receiving.keep(index, (receiving.offer.files[index] as FileInfo).size, true)
}

export async function ours<T> (promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (cause) {
    throw inboxFailed(cause)
  }
}

export function inboxFailed (cause: unknown): WarpdriveError {
  return new WarpdriveError('ERR_FILES', 'the inbox failed', { remote: false, scope: 'transfer', cause })
}
