/**
 * The files that are moved, and the folders that they are moved to. All of it lies in one folder, which is removed at the end.
 *
 * @module
 */
import { randomFillSync } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../folder.ts'
import type { Place } from './mover.ts'

export interface Load {
  readonly files: number
  readonly bytesEach: number
}

/** Random bytes written at a time. */
const BLOCK = 4_194_304

export class Files {
  readonly #folder: string
  readonly remove: () => void
  #measurements = 0

  constructor (below: string) {
    const { path, remove } = temporaryFolder(below)
    this.#folder = path
    this.remove = remove
  }

  /** A place for one measurement; its files are made if they are not there yet. */
  begin (load: Load): Place {
    const { source, names } = this.#source(load)
    const folder = join(this.#folder, `measurement-${this.#measurements++}`)
    const place = { source, names, kept: join(folder, 'kept'), fetched: join(folder, 'fetched'), state: join(this.#folder, 'state') }
    for (const path of [place.kept, place.fetched, place.state]) mkdirSync(path, { recursive: true, mode: 0o700 })
    return place
  }

  /** Removes the bulk that a measurement made. Many small files stay until the end: ext4 without a journal makes new ones slower for minutes after some were removed. */
  end ({ kept, fetched, names }: Place): void {
    if (names.length > 1) return
    for (const path of [kept, fetched]) rmSync(path, { recursive: true, force: true })
  }

  #source ({ files, bytesEach }: Load): { source: string, names: string[] } {
    const source = join(this.#folder, `${files}x${bytesEach}`)
    const names = Array.from({ length: files }, (_, index) => `file-${String(index).padStart(5, '0')}`)
    if (existsSync(source)) return { source, names }
    mkdirSync(source)
    const block = new Uint8Array(Math.min(BLOCK, bytesEach))
    for (const name of names) {
      const file = openSync(join(source, name), 'wx')
      for (let left = bytesEach; left > 0; left -= block.length) writeSync(file, randomFillSync(block), 0, Math.min(left, block.length))
      // What is still to be written must not get in the way of what is measured.
      fsyncSync(file)
      closeSync(file)
    }
    return { source, names }
  }
}

/** Fails unless so many files of that size lie in `folder`. */
export function assertWhole (folder: string, { files, bytesEach }: Load): void {
  const whole = readdirSync(folder).filter(name => {
    const found = statSync(join(folder, name))
    return found.isFile() && found.size === bytesEach
  })
  if (whole.length !== files) throw new Error(`${whole.length} of ${files} files have arrived whole`)
}
