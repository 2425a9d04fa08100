import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import type { DigestFile } from '../final-client.ts'

/** A file of the disk, to be sent. It is read once for its digest, and again by position. */
export async function openUploadFile (path: string): Promise<DigestFile & AsyncDisposable> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const hash = createHash('sha256')
    for await (const chunk of handle.createReadStream({ autoClose: false, start: 0 })) hash.update(chunk as Uint8Array)
    return {
      name: basename(path),
      size,
      digest: hash.digest('hex'),
      read: async (position, length) => {
        const bytes = new Uint8Array(length)
        let filled = 0
        while (filled < length) {
          const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled)
          if (bytesRead === 0) break
          filled += bytesRead
        }
        return bytes.subarray(0, filled)
      },
      [Symbol.asyncDispose]: async () => { await handle.close() }
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}
