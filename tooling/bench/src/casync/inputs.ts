/**
 * What is cut and put together: a blob that does not compress, one that does, and one that has nine tenths of the first.
 *
 * @module
 */
import { createCipheriv } from 'node:crypto'
import { chmodSync, closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readdirSync, readSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../folder.ts'
import { makeTree } from './trees.ts'

export type Content = 'random' | 'text'

/** What a contender makes or takes. */
export interface Made {
  readonly index: string
  readonly store: string
}

const MIB = 1_048_576
const LINE_BYTES = 32
const LINES = 100_000

export class Blobs {
  readonly folder: string
  readonly remove: () => void
  #places = 0

  constructor (below: string) {
    const { path, remove } = temporaryFolder(below)
    this.folder = path
    this.remove = remove
  }

  blob (content: Content, bytes: number): string {
    return this.#once(`${content}-${bytes}`, bytes, content === 'random' ? random(0) : text())
  }

  /** The random blob, of which every tenth part is another. */
  seed (bytes: number): string {
    const blob = openSync(this.blob('random', bytes), 'r')
    const other = random(1)
    const part = Math.ceil(bytes / 100)
    try {
      return this.#once(`seed-${bytes}`, bytes, (length, position) => {
        if (Math.floor(position / part) % 10 === 9) return other(length)
        const piece = Buffer.alloc(length)
        readSync(blob, piece, 0, length, position)
        return piece
      }, part)
    } finally {
      closeSync(blob)
    }
  }

  /** Nothing is read from a disk, and all of its chunks but the last are one. */
  hole (bytes: number): string {
    const path = join(this.folder, `hole-${bytes}`)
    if (!existsSync(path)) {
      const file = openSync(path, 'wx')
      ftruncateSync(file, bytes)
      closeSync(file)
    }
    return path
  }

  /** Small files in folders. */
  tree (files: number): string {
    const path = join(this.folder, `tree-${files}`)
    makeTree(path, files)
    return path
  }

  /** An empty folder for one measurement. */
  begin (): string {
    const path = join(this.folder, `measurement-${this.#places++}`)
    mkdirSync(path)
    return path
  }

  /**
   * Gives the room back, and the files only with everything else: for a minute and more ext4 looks for a new inode among those that were just
   * deleted, so that whoever comes next would pay for every chunk of whoever came before.
   */
  end (place: string): void {
    for (const entry of readdirSync(place, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      chmodSync(path, 0o600)
      truncateSync(path)
    }
  }

  #once (name: string, bytes: number, piece: (length: number, position: number) => Buffer, step: number = MIB): string {
    const path = join(this.folder, name)
    if (existsSync(path) && statSync(path).size === bytes) return path
    const file = openSync(path, 'w')
    for (let position = 0; position < bytes; position += step) writeSync(file, piece(Math.min(step, bytes - position), position))
    // What is still to be written must not get in the way of what is measured.
    fsyncSync(file)
    closeSync(file)
    return path
  }
}

function random (key: number): (length: number) => Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, key), Buffer.alloc(16))
  return length => cipher.update(Buffer.alloc(length))
}

/** Numbered lines, no two of which are the same. */
function text (): (length: number, position: number) => Buffer {
  const lines = Buffer.from(Array.from({ length: LINES }, (_, i) => `line ${String(i).padStart(20, '0')}  text\n`).join(''))
  let shown = 0
  return (length, position) => {
    const bytes = Buffer.alloc(length)
    for (let filled = 0; filled < length;) {
      const at = position + filled
      const block = Math.floor(at / lines.length)
      if (block !== shown) {
        const number = Buffer.from(String(block).padStart(15, '0'))
        for (let i = 0; i < LINES; i++) lines.set(number, i * LINE_BYTES + 5)
        shown = block
      }
      filled += lines.copy(bytes, filled, at % lines.length)
    }
    return bytes
  }
}
