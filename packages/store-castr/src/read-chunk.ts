import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { CastrError, castrError, systemCode } from './errors.ts'
import type { FileSystem } from './file-system.ts'

/** What the system says where there is no chunk. */
export const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP'])

/** The content of a chunk's file. `undefined` when there is none, and for a link: casync takes that for none. */
export async function readChunkFile (fs: FileSystem, path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  let handle: FileHandle
  try {
    handle = await fs.open(path, FLAGS)
  } catch (error) {
    if (ABSENT.has(systemCode(error) ?? '')) return undefined
    throw castrError(error, `open ${path}`)
  }
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) return undefined
    assertSize(path, stats, maxBytes)
    return await readWhole(handle, stats)
  } catch (error) {
    throw castrError(error, `read ${path}`)
  } finally {
    await handle.close()
  }
}

/** The same without waiting, which spares four rounds through the threads of Node; nothing else runs meanwhile. `room` gives the array. */
export function readChunkFileAtOnce (path: string, maxBytes: number, room: (bytes: number) => Uint8Array = Buffer.allocUnsafeSlow): Uint8Array | undefined {
  let file: number
  try {
    file = openSync(path, FLAGS)
  } catch (error) {
    if (ABSENT.has(systemCode(error) ?? '')) return undefined
    throw castrError(error, `open ${path}`)
  }
  try {
    const stats = fstatSync(file)
    if (!stats.isFile()) return undefined
    assertSize(path, stats, maxBytes)
    const bytes = room(stats.size)
    return bytes.subarray(0, readAtOnce(file, bytes, 0))
  } catch (error) {
    throw castrError(error, `read ${path}`)
  } finally {
    closeSync(file)
  }
}

/** Fills `into` from `position`. The number of bytes read; fewer than asked only at the end. */
export function readAtOnce (file: number, into: Uint8Array, position: number): number {
  let filled = 0
  while (filled < into.length) {
    const read = readSync(file, into, filled, into.length - filled, position + filled)
    if (read === 0) break
    filled += read
  }
  return filled
}

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

function assertSize (path: string, { size }: Stats, maxBytes: number): void {
  if (size > maxBytes) throw new CastrError('ERR_CHUNK_SIZE', `${path}: ${size} > ${maxBytes} bytes`, { remote: true })
}

/** What does not compress grows a little: no compressor here makes more of it. */
export function mostCompressed (bytes: number): number {
  return bytes + Math.ceil(bytes / 64) + 1024
}

async function readWhole (handle: FileHandle, { size }: Stats): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(size)
  let filled = 0
  while (filled < size) {
    const { bytesRead } = await handle.read(bytes, filled, size - filled, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}
