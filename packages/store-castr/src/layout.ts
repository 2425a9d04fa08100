/**
 * Where what lies in a store, as casync and desync have it:
 *
 *     abcd/abcd….cacnk                 a chunk, compressed
 *     abcd/abcd…                       a chunk as it is
 *     abcd/abcd….<hex>.tmp             a chunk that is being written; the hex begins with the mark of a lease, where there is one
 *
 * and two folders of our own, which neither of them looks into:
 *
 *     .leases/<owner>                  somebody is making an index: what it found here stays
 *     .collected/abcd….cacnk           a chunk that a collection takes away, looked at once more
 *
 * Paths are made of ids and of nothing else, and ids are looked at first.
 *
 * @module
 */
import { join } from 'node:path'
import type { ChunkId } from '@ropewalk/interface'
import { COMPRESSED_SUFFIX, ID_DIGITS, SHARD_DIGITS } from './constants.ts'
import { CastrError } from './errors.ts'

export class Layout {
  readonly root: string
  readonly #folder: string
  readonly #suffix: string

  constructor (root: string, suffix: string = COMPRESSED_SUFFIX) {
    if (!/^\.[\w.-]+$/.test(suffix) || suffix.endsWith('.tmp')) throw new RangeError(`suffix ${JSON.stringify(suffix)}`)
    this.root = root
    this.#folder = join(root, '/')
    this.#suffix = suffix
  }

  shardOf (id: ChunkId): string {
    return `${this.#folder}${id.slice(0, SHARD_DIGITS)}`
  }

  plainOf (id: ChunkId): string {
    return `${this.shardOf(id)}/${id}`
  }

  compressedOf (id: ChunkId): string {
    return this.plainOf(id) + this.#suffix
  }

  temporaryOf (id: ChunkId, random: string): string {
    return `${this.plainOf(id)}.${random}.tmp`
  }

  /** The id and the mark in the name of a chunk that somebody with a lease is writing, or was. */
  parseTemporary (shard: string, name: string): { readonly id: ChunkId, readonly mark: string } | undefined {
    const [, id, mark] = /^([0-9a-f]{64})\.([0-9a-f]{12})[0-9a-f]{16}\.tmp$/.exec(name) ?? []
    return id === undefined || mark === undefined || !id.startsWith(shard) ? undefined : { id, mark }
  }

  get leases (): string {
    return join(this.root, '.leases')
  }

  get collected (): string {
    return join(this.root, '.collected')
  }

  /** Where a collection puts the chunk in the file `name` first. */
  collectedOf (name: string): string {
    return join(this.collected, name)
  }

  /** The id in the name of a file, or `undefined` for a name that is no chunk's. */
  parse (shard: string, name: string): ChunkId | undefined {
    const id = name.endsWith(this.#suffix) ? name.slice(0, -this.#suffix.length) : name
    return isId(id) && id.startsWith(shard) ? id : undefined
  }
}

/** Refuses anything but 64 lower-case hex digits, before a path is made of it. */
export function checkId (id: ChunkId): void {
  if (typeof id === 'string' && isId(id)) return
  const shown = typeof id === 'string' ? JSON.stringify(id.slice(0, 2 * ID_DIGITS)) : typeof id
  throw new CastrError('ERR_BAD_ID', `${shown} is not ${ID_DIGITS} lower-case hex digits`)
}

export function isShard (name: string): boolean {
  return /^[0-9a-f]{4}$/.test(name)
}

function isId (text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}
