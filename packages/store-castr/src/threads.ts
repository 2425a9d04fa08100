/**
 * Threads of one kind, and questions to them. Each answers in the order in which it was asked.
 *
 * @module
 */
import { Worker } from 'node:worker_threads'
import { CastrError, type CastrErrorCode } from './errors.ts'

/** What a thread says when it could not. */
export interface Refusal {
  readonly refused: { readonly code: CastrErrorCode, readonly message: string, readonly id: string | undefined, readonly remote: boolean }
}

interface Asked {
  readonly resolve: (answer: never) => void
  readonly reject: (error: unknown) => void
}

/**
 * Of a thread's heap. What a compressor gives lies outside of it and is counted late: with little room for what is young, it is let go of soon. Ours.
 */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 } as const

class Thread {
  readonly #worker: Worker
  readonly #asked: Asked[] = []
  #gone: Error | undefined

  constructor (program: URL, data: unknown) {
    this.#worker = new Worker(program, { workerData: data, resourceLimits: LIMITS })
    this.#worker.on('message', (answer: object) => {
      const asked = this.#asked.shift()
      if ('refused' in answer) asked?.reject(errorOf(answer as Refusal))
      else asked?.resolve(answer as never)
    })
    this.#worker.on('error', error => { this.#end(error) })
    this.#worker.on('exit', () => { this.#end(new CastrError('ERR_CLOSED', 'the thread has ended')) })
  }

  get waiting (): number {
    return this.#asked.length
  }

  async ask<Answer> (question: object): Promise<Answer> {
    if (this.#gone !== undefined) throw this.#gone
    return await new Promise<Answer>((resolve, reject) => {
      this.#asked.push({ resolve: resolve as (answer: never) => void, reject })
      this.#worker.postMessage(question)
    })
  }

  async close (): Promise<void> {
    await this.#worker.terminate()
  }

  #end (error: Error): void {
    this.#gone ??= error
    for (const { reject } of this.#asked.splice(0)) reject(this.#gone)
  }
}

export class Threads {
  readonly #threads: readonly Thread[]

  /** `name` is the file of the program, beside this one and without its ending. */
  constructor (name: string, count: number, data: unknown) {
    const program = new URL(`./${name}${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)
    this.#threads = Array.from({ length: count }, () => new Thread(program, data))
  }

  get count (): number {
    return this.#threads.length
  }

  /** Whether one of them should be asked, who has nothing to do: waking it takes as long as what little there may be, unless nobody else is at work. */
  isWorth (much: boolean): boolean {
    const idle = this.#threads.filter(({ waiting }) => waiting === 0).length
    return idle === this.#threads.length || (much && idle > 0)
  }

  /** Of the one who has least to do. */
  async ask<Answer> (question: object): Promise<Answer> {
    return await this.#threads.reduce((least, thread) => thread.waiting < least.waiting ? thread : least).ask(question)
  }

  async askAll<Answer> (question: object): Promise<Answer[]> {
    return await Promise.all(this.#threads.map(async thread => await thread.ask<Answer>(question)))
  }

  async close (): Promise<void> {
    await Promise.allSettled(this.#threads.map(async thread => { await thread.close() }))
  }
}

/** Memory that this thread and others see. Each has it in turn, as questions and answers say. */
export function shared (bytes: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(bytes))
}

/** For a thread: what it says of an error. */
export function refusalOf (error: unknown): Refusal {
  const { code, message, id, remote } = error instanceof CastrError ? error : new CastrError('ERR_IO', String(error))
  return { refused: { code, message, id, remote } }
}

function errorOf ({ refused: { code, message, id, remote } }: Refusal): CastrError {
  return new CastrError(code, message, { id, remote })
}
