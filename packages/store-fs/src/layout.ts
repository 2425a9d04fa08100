/**
 * Where what lies on the disk:
 *
 *     objects/ab/ab…            a committed object of at least one byte
 *     objects/ab/ab….empty      a committed object of no bytes: a file that merely lost its content has the wrong name
 *     partial/ab…               an unfinished object
 *     partial/ab….synced-4096   its first 4096 bytes survive loss of power
 *     lock/                     see lock.ts
 *     boot                      see recover.ts
 *
 * @module
 */
import { join } from 'node:path'
import { ID_DIGITS, LOCK_FOLDER, OBJECTS_FOLDER, PARTIAL_FOLDER } from './constants.ts'
import { StoreError } from './errors.ts'

export class Layout {
  readonly root: string
  readonly objects: string
  readonly partial: string
  readonly lock: string

  constructor (root: string) {
    this.root = root
    this.objects = join(root, OBJECTS_FOLDER)
    this.partial = join(root, PARTIAL_FOLDER)
    this.lock = join(root, LOCK_FOLDER)
  }

  shardOf (id: string): string {
    return join(this.objects, id.slice(0, 2))
  }

  objectOf (id: string): string {
    return join(this.shardOf(id), id)
  }

  emptyOf (id: string): string {
    return join(this.shardOf(id), id + EMPTY)
  }

  partialOf (id: string): string {
    return join(this.partial, id)
  }

  markerOf (id: string, size: number): string {
    return join(this.partial, `${id}${SYNCED}${size}`)
  }
}

/** Refuses anything but 32 lower-case hex digits, before a path is made of it. */
export function checkId (id: string): void {
  if (typeof id !== 'string' || !isId(id)) {
    const shown = typeof id === 'string' ? JSON.stringify(id.slice(0, 2 * ID_DIGITS)) : typeof id
    throw new StoreError('ERR_BAD_ID', `${shown} is not ${ID_DIGITS} lower-case hex digits`)
  }
}

export function isId (name: string): boolean {
  return /^[0-9a-f]{32}$/.test(name)
}

export function isShard (name: string): boolean {
  return /^[0-9a-f]{2}$/.test(name)
}

/** The id in the name of a file in a shard, or `undefined` for a name that is not ours. */
export function parseObject (name: string): { id: string, empty: boolean } | undefined {
  const empty = name.endsWith(EMPTY)
  const id = empty ? name.slice(0, -EMPTY.length) : name
  return isId(id) ? { id, empty } : undefined
}

export function parseMarker (name: string): { id: string, size: number } | undefined {
  const [, id, size] = /^([0-9a-f]{32})\.synced-(\d{1,16})$/.exec(name) ?? []
  return id == null ? undefined : { id, size: Number(size) }
}

const EMPTY = '.empty'
const SYNCED = '.synced-'
