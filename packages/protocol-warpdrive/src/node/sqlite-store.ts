/**
 * Offers and peers in one SQLite file, in a thread of its own: SQLite is synchronous, and a sync of the disk takes milliseconds. That thread has little to
 * do, and hashes what is received meanwhile: one more would cost 9 MiB.
 *
 * @module
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { WarpdriveError } from '../errors.ts'
import type { FileInfo, Peer } from '../json-codec.ts'
import type { ContentHash, StateStore, StoredOffer } from '../ports.ts'
import type { Asked, Row, StepName, Told, WorkerSettings } from './sqlite-worker.ts'

export interface SqliteStateOptions {
  /** Bytes that the file may have; what needs more is refused. Default 1 GiB. */
  maxFileBytes?: number | undefined
}

export interface SqliteState extends StateStore, AsyncDisposable {
  /** A SHA-256 that the thread makes, at best of arrays in shared memory: all others are copied. It waits for what is put, and that for it. */
  sha256 (): ContentHash
  /** What was put is in the file. */
  close (): Promise<void>
}

/** Opens the state in the file `path`, which is made if it is missing. `ERR_FILES` while another process has it open, or when it is another file. */
export async function openSqliteState (path: string, { maxFileBytes = 1_073_741_824 }: SqliteStateOptions = {}): Promise<SqliteState> {
  if (!(maxFileBytes > 0)) throw new RangeError(`maxFileBytes ${maxFileBytes}`)
  const worker = new Worker(new URL(`./sqlite-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url), {
    workerData: { path, maxFileBytes } satisfies WorkerSettings,
    // That node:sqlite is still called experimental is no news to whoever runs a node.
    execArgv: [...process.execArgv, '--disable-warning=ExperimentalWarning']
  })
  const state = new WorkerState(worker)
  try {
    await state.ask('open', [])
    return state
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

const encoder = new TextEncoder()

class WorkerState implements SqliteState {
  readonly #worker: Worker
  readonly #waiting = new Map<number, { resolve: (value: never) => void, reject: (error: Error) => void }>()
  /** The manifest of each offer that is in the file: it is written once, however often the rest changes. */
  readonly #digests = new Map<string, string>()
  #number = 0
  #hashes = 0
  #closed: Promise<void> | undefined
  #broken: WarpdriveError | undefined

  constructor (worker: Worker) {
    this.#worker = worker
    worker.on('message', ({ number, value, error }: Told) => {
      const waiting = this.#waiting.get(number)
      this.#waiting.delete(number)
      if (error === undefined) waiting?.resolve(value as never)
      else waiting?.reject(failure(error))
      // An idle file keeps no process from ending; one that is being closed does.
      if (this.#waiting.size === 0 && this.#closed === undefined) worker.unref()
    })
    worker.on('error', error => { this.#break(failure(String(error))) })
    worker.on('exit', () => { this.#break(failure('it is closed')) })
  }

  async load (): Promise<{ readonly offers: readonly StoredOffer[], readonly peers: readonly Peer[] }> {
    const { offers, peers } = await this.ask<{ offers: Row[], peers: Peer[] }>('load', [])
    for (const { incoming, id, digest } of offers) this.#digests.set(keyOf(incoming === 1, id), digest)
    return { offers: offers.map(offerOf), peers }
  }

  async putOffer (offer: StoredOffer): Promise<void> {
    const key = keyOf(offer.incoming, offer.id)
    const { files, incoming, id, digest, ...rest } = offer
    if (this.#digests.get(key) === digest) return await this.ask('putStatus', [Number(incoming), id, JSON.stringify(rest)])
    this.#digests.set(key, digest)
    try {
      const list = encoder.encode(JSON.stringify(files))
      await this.ask('putOffer', [Number(incoming), id, digest, JSON.stringify(rest), list], [list.buffer])
    } catch (error) {
      this.#digests.delete(key)
      throw error
    }
  }

  async removeOffer (incoming: boolean, id: string): Promise<void> {
    this.#digests.delete(keyOf(incoming, id))
    await this.ask('removeOffer', [Number(incoming), id])
  }

  async putPeer ({ id, alias, mod }: Peer): Promise<void> {
    await this.ask('putPeer', [id, alias, mod])
  }

  async removePeer (id: string): Promise<void> {
    await this.ask('removePeer', [id])
  }

  sha256 (): ContentHash {
    const hash = this.#hashes++
    return {
      update: async bytes => { await this.ask('hash', [hash, bytes]) },
      digest: async () => await this.ask('digest', [hash])
    }
  }

  close (): Promise<void> {
    this.#closed ??= (async () => {
      if (this.#broken !== undefined) return
      const ended = once(this.#worker, 'exit')
      await this.ask('close', [])
      await ended
    })()
    return this.#closed
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  /** `moved`: memory of the values that is not needed here any more. A long string would be copied three times. */
  ask<T> (step: StepName, values: ReadonlyArray<string | number | Uint8Array>, moved: ArrayBuffer[] = []): Promise<T> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken)
    return new Promise((resolve, reject) => {
      const number = this.#number++
      this.#waiting.set(number, { resolve: resolve as (value: never) => void, reject })
      this.#worker.ref()
      this.#worker.postMessage({ number, step, values } satisfies Asked, moved)
    })
  }

  #break (error: WarpdriveError): void {
    this.#broken ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#broken)
    this.#waiting.clear()
  }
}

function offerOf ({ incoming, id, digest, status, files }: Row): StoredOffer {
  return { ...JSON.parse(status) as Omit<StoredOffer, 'incoming' | 'id' | 'digest' | 'files'>, incoming: incoming === 1, id, digest, files: JSON.parse(files) as FileInfo[] }
}

function keyOf (incoming: boolean, id: string): string {
  return `${incoming} ${id}`
}

function failure (why: string): WarpdriveError {
  return new WarpdriveError('ERR_FILES', `the state: ${why}`, { remote: false, scope: 'connection' })
}
