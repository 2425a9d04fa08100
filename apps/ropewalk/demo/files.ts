/**
 * Files to move: 64 of them, from nothing to 128 MiB, each byte random.
 *
 * @module
 */
import { createHash, randomFillSync } from 'node:crypto'
import { open, statfs } from 'node:fs/promises'
import { join } from 'node:path'

const MIB: number = 1024 * 1024

/** Half a gibibyte in all: one large file, some, and many small ones, and the sizes at which programs trip. */
const SIZES: readonly number[] = [
  128 * MIB,
  ...Array<number>(2).fill(64 * MIB),
  ...Array<number>(4).fill(32 * MIB),
  ...Array<number>(8).fill(8 * MIB),
  ...Array<number>(16).fill(2 * MIB),
  0, 1, 255, 65_535, 65_536, 262_143, 262_145,
  ...Array.from({ length: 26 }, (_, index) => 100_000 * (index + 1))
]

/** Sources, store and what is fetched lie on the disk at the same time. */
const COPIES = 3.5

export interface MadeFile {
  readonly name: string
  readonly size: number
  readonly sha256: string
}

/** The sizes, smaller where the disk has no room for them. */
export async function fittingSizes (directory: string): Promise<number[]> {
  const { bavail, bsize } = await statfs(directory)
  const total = SIZES.reduce((sum, size) => sum + size, 0)
  const share = Math.min(1, bavail * bsize / (total * COPIES))
  // Mixed, so that small ones do not only come when the large ones are through.
  return SIZES.map(size => share === 1 ? size : Math.floor(size * share)).toSorted((a, b) => (a * 7919) % 104_729 - (b * 7919) % 104_729)
}

export async function makeFile (directory: string, index: number, size: number): Promise<MadeFile> {
  const name = `file-${String(index + 1).padStart(2, '0')}`
  const hash = createHash('sha256')
  const buffer = new Uint8Array(Math.min(size, MIB))
  const file = await open(join(directory, name), 'w')
  try {
    for (let at = 0; at < size; at += buffer.length) {
      const piece = randomFillSync(buffer.subarray(0, Math.min(buffer.length, size - at)))
      hash.update(piece)
      await file.write(piece)
    }
  } finally {
    await file.close()
  }
  return { name, size, sha256: hash.digest('hex') }
}

/** SHA-256 of a file as it lies on the disk. */
export async function digestOf (path: string): Promise<string> {
  const hash = createHash('sha256')
  const buffer = new Uint8Array(MIB)
  const file = await open(path)
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(buffer.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}
