/**
 * What is remembered of uploads that are to outlive the process: a small file each in the state directory.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { UploadRecord } from '@ropewalk/protocol-mdsftp'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { makeStateDirectory } from '../state-directory.ts'
import { HashLog } from './hash-log.ts'
import { MAX_PARTS, readBounded } from './manifest.ts'
import { sweepWhole, writeWhole } from './new-file.ts'

/** Bytes of an entry. Ours: a thousand parts need half of it. */
const MAX_ENTRY_BYTES = 1_048_576

export interface JournalPart {
  readonly address: string
  readonly offset: number
  readonly size: number
  /** Of the upload that goes on; nothing where it has to begin. */
  record: UploadRecord | undefined
  /** The object, once it is stored for good. */
  stored: string | undefined
  sha256: string | undefined
}

export interface JournalEntry {
  /** Absolute. */
  readonly path: string
  readonly size: number
  readonly changedNs: string
  /** Addresses, as the user gave them. */
  readonly targets: readonly string[]
  /** Where the manifest goes; nothing where none is wanted. */
  readonly manifest: string | undefined
  readonly force: boolean
  /** None: it has not begun. */
  readonly parts: readonly JournalPart[]
}

export class Journal {
  readonly #directory: string
  #tail: Promise<void> = Promise.resolve()

  constructor (state: string) {
    this.#directory = join(state, 'uploads')
  }

  /** The name under which the upload of `path` to `targets` is remembered. */
  keyOf ({ path, targets, manifest }: Pick<JournalEntry, 'path' | 'targets' | 'manifest'>): string {
    return createHash('sha256').update(JSON.stringify([path, targets, manifest ?? null])).digest('hex').slice(0, 32)
  }

  /** Names of everything that is remembered. */
  async keys (): Promise<string[]> {
    const names = await readdir(this.#directory).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return []
      throw new RopewalkError('ERR_JOURNAL', messageOf(error), { cause: error })
    })
    return names.flatMap(name => /^([\da-f]{32})\.json$/.exec(name)?.[1] ?? []).sort()
  }

  pathOf (key: string): string {
    return join(this.#directory, `${key}.json`)
  }

  async load (key: string): Promise<JournalEntry | undefined> {
    const path = this.pathOf(key)
    try {
      return parseEntry(await readBounded(path, MAX_ENTRY_BYTES))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw new RopewalkError('ERR_JOURNAL', `what is remembered of an upload cannot be used: ${messageOf(error)}`, { text: path, cause: error, advice: ['Without this file the upload is forgotten.'] })
    }
  }

  /** Remembers `entry` as it is now. `lasting` survives loss of power too. */
  async save (entry: JournalEntry, lasting: boolean): Promise<void> {
    const text = JSON.stringify({ version: 1, ...entry, manifest: entry.manifest ?? null })
    await this.#inTurn(async () => {
      await makeStateDirectory(this.#directory)
      await writeWhole(this.pathOf(this.keyOf(entry)), text, { replace: true, lasting, mode: 0o600 })
    })
  }

  async remove (key: string): Promise<void> {
    await this.#inTurn(async () => {
      await rm(this.pathOf(key), { force: true })
      await rm(this.#logPath(key), { force: true })
      await sweepWhole(this.pathOf(key))
    })
  }

  /** How far the file was hashed; `anew`: it was not. */
  async hashLog (key: string, anew: boolean): Promise<HashLog> {
    if (anew) await rm(this.#logPath(key), { force: true })
    return await HashLog.open(this.#logPath(key))
  }

  #logPath (key: string): string {
    return join(this.#directory, `${key}.sha256`)
  }

  async #inTurn (work: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(work)
    this.#tail = done.catch(() => {})
    await done
  }
}

function parseEntry (text: string): JournalEntry {
  const value = JSON.parse(text) as Partial<Record<string, unknown>>
  const { version, path, size, changedNs, targets, manifest, force, parts } = value
  if (version !== 1) throw new Error('it is of another version')
  if (typeof path !== 'string' || !isSize(size) || typeof changedNs !== 'string' || !Array.isArray(targets) || !targets.every(target => typeof target === 'string')) throw new Error('it is damaged')
  if (targets.length === 0 || (manifest !== null && typeof manifest !== 'string') || typeof force !== 'boolean' || !Array.isArray(parts) || parts.length > MAX_PARTS) throw new Error('it is damaged')
  return { path, size, changedNs, targets, manifest: manifest ?? undefined, force, parts: parts.map(parsePart) }
}

function parsePart (value: unknown): JournalPart {
  const { address, offset, size, record, stored, sha256 } = value as Partial<Record<string, unknown>>
  if (typeof address !== 'string' || !isSize(offset) || !isSize(size) || !isHex(stored, 32) || !isHex(sha256, 64)) throw new Error('it is damaged')
  if (record === undefined) return { address, offset, size, record, stored, sha256 }
  const { chunkId, acknowledged, tag, size: recorded } = record as Partial<Record<string, unknown>>
  if (typeof chunkId !== 'string' || !isHex(chunkId, 32) || !isSize(acknowledged) || !isSize(recorded) || typeof tag !== 'string') throw new Error('it is damaged')
  return { address, offset, size, record: { chunkId, size: recorded, acknowledged, tag }, stored, sha256 }
}

function isSize (value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isHex (value: unknown, digits: number): value is string | undefined {
  return value === undefined || (typeof value === 'string' && value.length === digits && /^[\da-f]*$/.test(value))
}
