/**
 * A ledger in one SQLite file, in a thread of its own.
 *
 * @module
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { AbortOptions, Ledger, LedgerAnswer, LedgerDrop, LedgerEntry, LedgerLease, LedgerLimits, LedgerOptions, LedgerRequest, LedgerUsage } from '@ropewalk/interface'
import { MAX_BATCH_STEPS, YOUNG_MIB } from './constants.ts'
import { LedgerError } from './errors.ts'
import type { Answers, Ask, Leave, StepName, WorkerSettings } from './messages.ts'

export interface SqliteLedgerOptions {
  /** Make every change survive loss of power before it resolves, not only those that ask for it. Slower by a sync each. */
  alwaysLasting?: boolean | undefined
  /** Bytes that the file may have; a change that needs more is `ERR_NO_SPACE`. The log beside it, some MiB, is not counted. Unlimited by default. */
  maxFileBytes?: number | undefined
}

/** Opens the ledger in the file `path`, which is made if it is missing. `ERR_LOCKED` while another process, or another ledger of this one, has it open. */
export async function openSqliteLedger (path: string, { alwaysLasting = false, maxFileBytes = Infinity }: SqliteLedgerOptions = {}): Promise<Ledger> {
  if (!(maxFileBytes > 0)) throw new RangeError(`maxFileBytes ${maxFileBytes}`)
  const worker = startWorker({ path, maxFileBytes })
  const ledger = new SqliteLedger(worker, alwaysLasting)
  try {
    await ledger.opened
  } catch (error) {
    await worker.terminate()
    throw error
  }
  return ledger
}

function startWorker (workerData: WorkerSettings): Worker {
  const script = new URL(`./worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MIB }
  try {
    // That node:sqlite is still called experimental is no news to whoever runs a node.
    return new Worker(script, { workerData, resourceLimits, execArgv: [...process.execArgv, '--disable-warning=ExperimentalWarning'] })
  } catch (error) {
    // Flags that are the whole process's, such as the size of its heap, cannot be said again: the thread has them as it is.
    if ((error as { code?: unknown }).code !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error
    return new Worker(script, { workerData, resourceLimits })
  }
}

interface Waiting { resolve: (value: never) => void, reject: (error: Error) => void, doing: string }

class SqliteLedger implements Ledger {
  readonly opened: Promise<void>
  readonly #worker: Worker
  readonly #alwaysLasting: boolean
  readonly #waiting = new Map<number, Waiting>()
  /** Asked while the thread was at work: they go together, so that a hundred uploads share one transaction and one sync. */
  #asked: Ask[] = []
  #working = true
  #number = 0
  #closed: Promise<void> | undefined
  #broken: LedgerError | undefined

  constructor (worker: Worker, alwaysLasting: boolean) {
    this.#worker = worker
    this.#alwaysLasting = alwaysLasting
    this.opened = this.#wait(this.#number++, 'open the ledger')
    worker.on('message', (answers: Answers) => this.#told(answers))
    worker.on('error', error => this.#break(new LedgerError('ERR_IO', `the ledger's thread failed: ${String(error)}`, error)))
    worker.on('exit', () => this.#break(new LedgerError('ERR_CLOSED', 'the ledger is closed')))
    this.#hold()
  }

  reserve (request: LedgerRequest, limits: LedgerLimits, options?: LedgerOptions): Promise<LedgerAnswer> {
    return this.#ask('reserve', [request, limits], options)
  }

  get (id: string, options?: AbortOptions): Promise<LedgerEntry | undefined> {
    return this.#ask('get', [id], options)
  }

  lease (id: string, now: number, until: number, options?: AbortOptions): Promise<LedgerEntry | undefined> {
    return this.#ask('lease', [id, now, until], options)
  }

  renew (lease: LedgerLease, until: number, expiresAt: number, options?: AbortOptions): Promise<boolean> {
    return this.#ask('renew', [lease, until, expiresAt], options)
  }

  release (lease: LedgerLease, expiresAt: number, options?: AbortOptions): Promise<boolean> {
    return this.#ask('release', [lease, expiresAt], options)
  }

  prolong (id: string, expiresAt: number, options?: AbortOptions): Promise<boolean> {
    return this.#ask('prolong', [id, expiresAt], options)
  }

  complete (lease: LedgerLease, expiresAt: number, sha256: string | undefined, options?: LedgerOptions): Promise<boolean> {
    return this.#ask('complete', [lease, expiresAt, sha256], options)
  }

  commit (lease: LedgerLease, sha256: string | undefined, options?: LedgerOptions): Promise<boolean> {
    return this.#ask('commit', [lease, sha256], options)
  }

  digest (id: string, sha256: string, options?: LedgerOptions): Promise<boolean> {
    return this.#ask('digest', [id, sha256], options)
  }

  drop (id: string, conditions: LedgerDrop, options?: LedgerOptions): Promise<LedgerEntry | undefined> {
    return this.#ask('drop', [id, conditions], options)
  }

  restore (entry: LedgerEntry, options?: LedgerOptions): Promise<void> {
    return this.#ask('restore', [entry], options)
  }

  reclaim (holder: string, options?: AbortOptions): Promise<void> {
    return this.#ask('reclaim', [holder], options)
  }

  expired (now: number, most: number, options?: AbortOptions): Promise<LedgerEntry[]> {
    return this.#ask('expired', [now, most], options)
  }

  page (after: string, most: number, options?: AbortOptions): Promise<LedgerEntry[]> {
    return this.#ask('page', [after, most], options)
  }

  usage (options?: AbortOptions): Promise<LedgerUsage> {
    return this.#ask('usage', [], options)
  }

  close (): Promise<void> {
    this.#closed ??= Promise.resolve().then(() => this.#close())
    return this.#closed
  }

  async #close (): Promise<void> {
    if (this.#broken !== undefined) return
    const ended = once(this.#worker, 'exit')
    const number = this.#number++
    const closing = this.#wait<void>(number, 'close the ledger')
    if (this.#asked.length > 0) this.#worker.postMessage(this.#asked.splice(0))
    this.#worker.postMessage({ number, step: 'close' } satisfies Leave)
    await closing
    await ended
  }

  async #ask<T> (step: StepName, values: unknown[], { signal, lasting = false }: LedgerOptions = {}): Promise<T> {
    signal?.throwIfAborted()
    if (this.#closed !== undefined) throw new LedgerError('ERR_CLOSED', 'the ledger is closed')
    if (this.#broken !== undefined) throw this.#broken
    const number = this.#number++
    const answer = this.#wait<T>(number, step)
    this.#asked.push({ number, step, values, lasting: lasting || this.#alwaysLasting })
    if (!this.#working) this.#send()
    return await answer
  }

  #wait<T> (number: number, doing: string): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve: resolve as Waiting['resolve'], reject, doing })
      this.#hold()
    })
  }

  #send (): void {
    this.#working = true
    // At the end of this turn of the event loop: whatever it brings goes along. A message costs more than a step.
    setImmediate(() => {
      if (this.#asked.length > 0) this.#worker.postMessage(this.#asked.splice(0, MAX_BATCH_STEPS))
    })
  }

  #told ({ told, ready }: Answers): void {
    for (const answer of told) {
      const waiting = this.#waiting.get(answer.number)
      this.#waiting.delete(answer.number)
      if (waiting === undefined) continue
      if ('code' in answer) waiting.reject(new LedgerError(answer.code, `${waiting.doing}: ${answer.message}`))
      else waiting.resolve(answer.value as never)
    }
    if (ready) {
      this.#working = false
      if (this.#asked.length > 0) this.#send()
    }
    this.#hold()
  }

  #break (error: LedgerError): void {
    this.#broken ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#broken)
    this.#waiting.clear()
  }

  /** An idle ledger keeps no process from ending, one that is asked does. */
  #hold (): void {
    if (this.#waiting.size > 0 || this.#closed !== undefined) this.#worker.ref()
    else this.#worker.unref()
  }
}
