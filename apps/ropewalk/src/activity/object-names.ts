/**
 * What objects were called when this user stored them: the wire of objects has no names, and the journal of a node would have ids alone. Bounded:
 * `names.ndjson` in the state directory, and the one before it.
 *
 * @module
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { formatId } from '../arguments.ts'
import { readLog, RotatingLog } from '../logs/rotating-log.ts'
import { makeStateDirectory } from '../state-directory.ts'
import type { TransferActivity } from './activity.ts'
import { MAX_NAME_CHARACTERS } from './board.ts'

/** Bytes at which the file is put aside; one of those is kept. Ours: some 40,000 names. */
const MAX_BYTES: number = 4 * 1024 ** 2
const KEEP = 1

/** Notes what objects are called, as files; written in strokes. A disk that cannot take it is no reason to fail: then there is the id. */
export class ObjectNotes implements AsyncDisposable {
  readonly #state: string
  #log: Promise<RotatingLog | undefined> | undefined

  constructor (state: string) {
    this.#state = state
  }

  note (id: string, name: string): void {
    this.#log ??= openNotes(this.#state).catch(() => undefined)
    void this.#log.then(log => { log?.append({ id, name: name.slice(0, MAX_NAME_CHARACTERS) }) })
  }

  /** Resolves when all is written. */
  async [Symbol.asyncDispose] (): Promise<void> {
    const log = await this.#log
    // The transfer is what counts.
    await log?.close().catch(() => {})
  }
}

/** Notes one. */
export async function noteObjectName (state: string, id: string, name: string): Promise<void> {
  await using notes = new ObjectNotes(state)
  notes.note(id, name)
}

async function openNotes (state: string): Promise<RotatingLog> {
  await makeStateDirectory(state)
  return await RotatingLog.open({ path: namesPath(state), maxBytes: MAX_BYTES, keep: KEEP })
}

/** The names that are known, by id. Where they cannot be read there are the ids. */
export async function readObjectNames (state: string): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>()
  try {
    for await (const { id, name } of readLog(namesPath(state), KEEP)) if (typeof id === 'string' && typeof name === 'string') names.set(id, name)
  } catch {
    // Another user's, or put aside at this moment: what was read is good.
  }
  return names
}

/** The names that are known, for whoever looks often: read again only where there are others. */
export class ObjectNames {
  readonly #state: string
  #seen = ''
  #names: ReadonlyMap<string, string> = new Map()

  constructor (state: string) {
    this.#state = state
  }

  async look (): Promise<void> {
    const seen = await stat(namesPath(this.#state)).then(({ ino, size }) => `${ino} ${size}`, () => '')
    if (seen === this.#seen) return
    this.#seen = seen
    this.#names = await readObjectNames(this.#state)
  }

  named (transfer: TransferActivity): TransferActivity {
    return named(transfer, this.#names)
  }
}

/** A transfer by the name of its object, where one is known, and else by its id, as `put` has printed it. */
export function named (transfer: TransferActivity, names: ReadonlyMap<string, string>): TransferActivity {
  if (transfer.protocol !== 'mdsftp' || !/^[\da-f]{32}$/.test(transfer.name)) return transfer
  const object = formatId(transfer.name)
  return { ...transfer, name: names.get(object) ?? object, object }
}

function namesPath (state: string): string {
  return join(state, 'names.ndjson')
}
