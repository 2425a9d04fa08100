/**
 * Standard input as a file: the wire wants to know a size before the first byte.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { writeAll } from '@ropewalk/disk'
import { fileError, RopewalkError } from './errors.ts'
import { formatBytes } from './format.ts'

/** Bytes that are spooled at most, unless somebody says otherwise. Ours: a disk should not fill by accident. */
export const SPOOL_LIMIT_BYTES: number = 4 * 1024 ** 3

/**
 * Copies `source` into a file of `directory` that has no name any more when this resolves, so that nothing of it
 * outlives the process, however it ends. Whoever gets the handle closes it.
 */
export async function spool (source: Readable, directory: string, limitBytes: number, signal: AbortSignal): Promise<FileHandle> {
  const handle = await openNameless(directory).catch((error: unknown) => { throw fileError(error) })
  let size = 0
  try {
    for await (const chunk of addAbortSignal(signal, source) as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > limitBytes) throw tooLong(limitBytes)
      await writeAll(handle, [chunk])
    }
    signal.throwIfAborted()
    return handle
  } catch (error) {
    await handle.close()
    throw signal.aborted ? signal.reason : fileError(error)
  }
}

async function openNameless (directory: string): Promise<FileHandle> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, `spool.${randomBytes(8).toString('hex')}`)
  const handle = await open(path, 'wx+', 0o600)
  await rm(path)
  return handle
}

function tooLong (limitBytes: number): RopewalkError {
  return new RopewalkError('ERR_SPOOL_LIMIT', `standard input has more than ${formatBytes(limitBytes)}`, {
    advice: ['--spool-limit SIZE allows more; or write it to a file and put that.']
  })
}
