/**
 * A tree of small files, and whether another one is the same.
 *
 * @module
 */
import { randomFillSync } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, lstatSync, mkdirSync, openSync, readFileSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const FILES_A_FOLDER = 50
const FILE_BYTES = 40_000

/** So many files at `root`, each with random bytes and with the time at which it was made; made if they are not there yet. */
export function makeTree (root: string, files: number): void {
  if (existsSync(root)) return
  const block = new Uint8Array(FILE_BYTES)
  for (let i = 0; i < files; i++) {
    const folder = join(root, `folder-${Math.trunc(i / FILES_A_FOLDER)}`)
    mkdirSync(folder, { recursive: true })
    const file = openSync(join(folder, `file-${i}`), 'wx')
    writeSync(file, randomFillSync(block))
    // What is still to be written must not get in the way of what is measured.
    fsyncSync(file)
    closeSync(file)
  }
}

/** Fails unless both have the same names, content, permissions and times. */
export function assertSameTree (found: string, wanted: string): void {
  const names = (root: string): string[] => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()
  const [there, missing] = [names(found), new Set(names(wanted))]
  for (const name of there) {
    const [one, other] = [found, wanted].map(root => {
      const { mode, mtimeNs } = lstatSync(join(root, name), { bigint: true, throwIfNoEntry: false }) ?? {}
      return `${mode} ${mtimeNs}`
    })
    const same = one === other && (!lstatSync(join(found, name)).isFile() || readFileSync(join(found, name)).equals(readFileSync(join(wanted, name))))
    if (!same || !missing.delete(name)) throw new Error(`${name} is not as it was: ${one}, not ${other}`)
  }
  if (missing.size > 0) throw new Error(`${missing.size} names are missing`)
}
