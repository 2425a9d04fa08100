import type { Bytes, Source } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { GATHER_BYTES, GATHER_PIECES } from './constants.ts'
import type { ReceivedFile, ReceiveWriter } from './file-writer.ts'
import type { FileOptions, Receiver } from './receiver.ts'

/**
 * Receives one file from a source of bytes, whose arrays it keeps until they are written. Whatever fails, nothing is left
 * behind. Holds at most two gathered writes.
 */
export async function receiveFile (receiver: Receiver, name: string, source: Source<Bytes>, options: FileOptions = {}): Promise<ReceivedFile> {
  const { signal } = options
  const writer = await receiver.file(name, options)
  try {
    await untilAborted(signal, pour(writer, source, signal))
    return await writer.finish()
  } catch (error) {
    await writer.abort()
    throw signal?.aborted === true ? signal.reason : error
  }
}

/** While one write is under way the next is gathered. */
async function pour (writer: ReceiveWriter, source: Source<Bytes>, signal: AbortSignal | undefined): Promise<void> {
  let gathered = new Uint8ArrayList()
  let pieces = 0
  let writing: Promise<void> = Promise.resolve()

  for await (const bytes of source) {
    signal?.throwIfAborted()
    gathered.append(bytes)
    pieces += bytes instanceof Uint8Array ? 1 : [...bytes].length
    if (gathered.byteLength < GATHER_BYTES && pieces < GATHER_PIECES) continue

    await writing
    writing = writer.write(gathered)
    // It is awaited before the next one; until then its failure must not count as nobody's.
    writing.catch(() => {})
    gathered = new Uint8ArrayList()
    pieces = 0
  }
  await writing
  await writer.write(gathered)
}

/** A source that never says anything again must not hold an aborted transfer. */
function untilAborted (signal: AbortSignal | undefined, work: Promise<void>): Promise<void> {
  if (signal == null) return work
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    if (signal.aborted) onAbort()
  })
}
