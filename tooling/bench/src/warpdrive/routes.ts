/**
 * What is sent, and where it arrives. All of it lies in one folder, which is removed at the end.
 *
 * @module
 */
import { randomFillSync } from 'node:crypto'
import { chmodSync, closeSync, existsSync, fsyncSync, lstatSync, mkdirSync, openSync, rmSync, utimesSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '../folder.ts'
import type { Route } from './sender.ts'

export interface Load {
  readonly files: number
  readonly bytesEach: number
}

/** Random bytes written at a time. */
const BLOCK = 4_194_304

const FILES_A_FOLDER = 50

/** A time in the past, which has to arrive too. */
const MTIME_S = 1_600_000_000

export class Routes {
  readonly #folder: string
  readonly remove: () => void
  #measurements = 0

  constructor (below: string) {
    const { path, remove } = temporaryFolder(below)
    this.#folder = path
    this.remove = remove
  }

  /** A route for one measurement; what is sent is made if it is not there yet. */
  begin (load: Load): Route {
    const names = namesOf(load)
    const below = join(this.#folder, `${load.files}x${load.bytesEach}`)
    if (!existsSync(below)) for (const name of names) make(join(below, name), load.bytesEach)
    const nothing = join(this.#folder, 'nothing')
    writeFileSync(nothing, '')
    const folder = join(this.#folder, `measurement-${this.#measurements++}`)
    const route = { source: join(below, load.files === 1 ? 'file' : 'tree'), names, inbox: join(folder, 'inbox'), nothing, state: join(folder, 'state') }
    for (const path of [route.inbox, route.state]) mkdirSync(path, { recursive: true, mode: 0o700 })
    return route
  }

  /** Removes the bulk that a measurement made. Many small files stay until the end: ext4 without a journal makes new ones slower for minutes after some were removed. */
  end ({ inbox, names }: Route): void {
    if (names.length === 1) rmSync(dirname(inbox), { recursive: true, force: true })
  }
}

/** Fails unless every file has arrived, of that size. `times`: with its time of change. */
export function assertArrived ({ inbox, names }: Route, { bytesEach }: Load, times: boolean): void {
  const whole = names.filter(name => {
    const found = lstatSync(join(inbox, name), { throwIfNoEntry: false })
    return found?.isFile() === true && found.size === bytesEach && (!times || Math.round(found.mtimeMs / 1000) === MTIME_S)
  })
  if (whole.length !== names.length) throw new Error(`${whole.length} of ${names.length} files have arrived whole`)
}

function namesOf ({ files }: Load): string[] {
  if (files === 1) return ['file']
  return Array.from({ length: files }, (_, index) => `tree/folder-${Math.trunc(index / FILES_A_FOLDER)}/file-${index}`)
}

function make (path: string, bytes: number): void {
  mkdirSync(dirname(path), { recursive: true })
  const file = openSync(path, 'wx')
  const block = new Uint8Array(Math.min(BLOCK, bytes))
  for (let left = bytes; left > 0; left -= block.length) writeSync(file, randomFillSync(block), 0, Math.min(left, block.length))
  // What is still to be written must not get in the way of what is measured.
  fsyncSync(file)
  closeSync(file)
  chmodSync(path, 0o640)
  utimesSync(path, MTIME_S, MTIME_S)
}
