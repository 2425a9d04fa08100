import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import type { DigestFile } from '../final-client.ts'

/** Bytes that are read and hashed at once. Ours. */
const PIECE_BYTES = 1_048_576

/** A file of the disk, to be sent. It is read once for its digest, and again by position. */
export async function openUploadFile (path: string): Promise<DigestFile & AsyncDisposable> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    return {
      name: basename(path),
      size,
      digest: await digestOf(handle, size),
      read: async (position, length) => await fill(handle, Buffer.allocUnsafeSlow(length), position),
      [Symbol.asyncDispose]: async () => { await handle.close() }
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Of the first `size` bytes. While one piece is hashed the next is read, in two buffers for all of it. */
async function digestOf (handle: FileHandle, size: number): Promise<string> {
  const hash = createHash('sha256')
  const pieceBytes = Math.min(size, PIECE_BYTES)
  const buffers = [Buffer.allocUnsafeSlow(pieceBytes), Buffer.allocUnsafeSlow(pieceBytes)] as const
  const ask = async (position: number): Promise<Uint8Array> => {
    const buffer = buffers[position / PIECE_BYTES % 2] as Buffer
    return await fill(handle, buffer.subarray(0, Math.min(pieceBytes, Math.max(0, size - position))), position)
  }
  let next = ask(0)
  for (let position = 0; position < size; position += PIECE_BYTES) {
    const bytes = await next
    next = ask(position + PIECE_BYTES)
    hash.update(bytes)
  }
  await next
  return hash.digest('hex')
}

/** The bytes from `position`: fewer where the file ends before. */
async function fill (handle: FileHandle, buffer: Uint8Array, position: number): Promise<Uint8Array> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
