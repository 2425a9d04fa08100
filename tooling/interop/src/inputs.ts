/**
 * What is made and extracted: blobs at the edges of sizes, and a tree with everything that a tree may have.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { createCipheriv } from 'node:crypto'
import { link, mkdir, open, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const KIB = 1024
const MIB = 1024 * KIB

/** casync extracts under a temporary name that is longer than the name: with what it adds this is still a name. Ours. */
const LONGEST_NAME_BYTES = 200

/** What a name may have at most. From Linux. */
const MAX_NAME_BYTES = 255

/** Names of blobs, and how many bytes of what. */
export function blobs (largeMib: number): ReadonlyArray<readonly [name: string, size: number, content: 'random' | 'text' | 'zeros']> {
  return [
    ['empty', 0, 'zeros'],
    ['one', 1, 'text'],
    ['min', 16 * KIB, 'random'],
    ['avg', 64 * KIB, 'random'],
    ['below-max', 256 * KIB - 1, 'zeros'],
    ['max', 256 * KIB, 'zeros'],
    ['above-max', 256 * KIB + 1, 'zeros'],
    ['random', largeMib * MIB, 'random'],
    ['text', largeMib * MIB, 'text'],
    ['zeros', largeMib * MIB, 'zeros']
  ]
}

/** The same bytes in every run. */
export async function writeBlob (path: string, size: number, content: 'random' | 'text' | 'zeros'): Promise<void> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, size % 251), Buffer.alloc(16))
  const handle = await open(path, 'w')
  let line = 0
  let written = 0
  while (written < size) {
    const length = Math.min(MIB, size - written)
    let bytes = Buffer.alloc(length)
    if (content === 'random') bytes = cipher.update(bytes)
    if (content === 'text') bytes = Buffer.from(Array.from({ length: Math.ceil(length / 32) }, () => `line ${String(line++).padStart(20, '0')} text\n`).join('')).subarray(0, length)
    await handle.writeFile(bytes)
    written += length
  }
  await handle.close()
}

/** `files` small files in folders, one folder that is deep, odd names, links of both kinds, extended attributes where the machine has them. */
export async function writeTree (root: string, files: number): Promise<void> {
  for (let i = 0; i < files; i++) {
    const folder = join(root, `folder ${i % 50}`)
    if (i < 50) await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `file-${i}`), `content of ${i}\n`.repeat(i % 40), { mode: i % 7 === 0 ? 0o755 : 0o640 })
  }
  const deep = join(root, ...Array.from({ length: 60 }, (_, i) => `level ${i}`))
  await mkdir(deep, { recursive: true })
  await writeBlob(join(deep, 'bottom'), 700_000, 'random')
  const odd = join(root, 'odd')
  await mkdir(odd)
  for (const name of ['-dash', ' space ', 'new\nline', 'tab\t', 'quote"\'', 'é', 'e\u0301', '\u{1f600}', 'x'.repeat(LONGEST_NAME_BYTES), '*', '\\']) await writeFile(join(odd, name), name)
  await writeFile(Buffer.concat([Buffer.from(`${odd}/no-utf8-`), Buffer.from([0xff, 0xfe])]), 'bytes')
  await symlink('nowhere', join(odd, 'dangling'))
  await symlink('../folder 1', join(odd, 'to a folder'))
  await link(join(odd, 'é'), join(odd, 'second name'))
  await mkdir(join(root, 'empty folder'))
  spawnSync('setfattr', ['-n', 'user.rope', '-v', 'strand', join(odd, '*')])
  await utimes(join(odd, '*'), 1, 2)
}

/** What casync makes and cannot extract: names as long as they may be, of a file, a folder and a link. */
export async function writeLongNames (root: string): Promise<void> {
  const name = (letter: string): string => letter.repeat(MAX_NAME_BYTES)
  await mkdir(join(root, name('d')), { recursive: true })
  await writeBlob(join(root, name('d'), name('f')), 300_000, 'random')
  await symlink('nowhere', join(root, name('l')))
  await link(join(root, name('d'), name('f')), join(root, name('h')))
}
