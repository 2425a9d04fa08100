import type { FileHandle } from 'node:fs/promises'
import { READ_BYTES } from './open.ts'

/** A file from its beginning, each piece good until the next is asked for. Reads one piece ahead, into two arrays in turn. */
export async function * lent (handle: FileHandle, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const arrays = [new Uint8Array(READ_BYTES), new Uint8Array(READ_BYTES)] as const
  let position = 0
  const read = async (into: Uint8Array): Promise<number> => {
    const { bytesRead } = await handle.read(into, 0, into.length, position)
    position += bytesRead
    return bytesRead
  }
  const ahead = (into: Uint8Array): Promise<number> => {
    const reading = read(into)
    // It is awaited when the next piece is asked for; until then its failure must not count as nobody's.
    reading.catch(() => {})
    return reading
  }
  let reading = ahead(arrays[0])
  try {
    for (let turn = 0; ; turn = 1 - turn) {
      const length = await reading
      signal.throwIfAborted()
      if (length === 0) return
      reading = ahead(arrays[1 - turn] as Uint8Array)
      yield (arrays[turn] as Uint8Array).subarray(0, length)
    }
  } finally {
    // The file is closed only when nobody reads it.
    await reading.catch(() => {})
  }
}
