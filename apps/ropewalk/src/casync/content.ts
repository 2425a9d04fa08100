/**
 * The bytes behind a name: a file, the blob or archive of an index, an archive, standard input.
 *
 * @module
 */
import { createReadStream } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { fetchChunks, httpFile, openIndex, type IndexHeader } from '@ropewalk/protocol-casync'
import type { Context } from '../context.ts'
import { fileError, RopewalkError } from '../errors.ts'
import type { Phase } from '../progress/phases.ts'
import { openInput, throttleOf, type StoreFlags } from './input.ts'
import { lent } from './lent.ts'
import type { Locator } from './locator.ts'
import { httpOptions, READ_BYTES } from './open.ts'

export interface FileContent {
  readonly size: number | undefined
  readonly bytes: AsyncIterable<Uint8Array>
}

export interface ArchiveFile extends AsyncDisposable {
  /** As long as it is the same, so are the bytes. */
  readonly version: string | undefined
  readonly size: number | undefined
  /** Bytes from there on. To be asked for once. */
  from (position: number): AsyncIterable<Uint8Array>
}

/** An archive that is a file here, or behind a web server: one that can be gone on with. Undefined of any other. */
export async function archiveFile (context: Context, locator: Locator, flags: StoreFlags): Promise<ArchiveFile | undefined> {
  if (locator.kind === 'http') {
    const { version, size, from, discard } = await httpFile(locator.url, httpOptions({ signal: context.signal, throttle: throttleOf(context, flags) }))
    return { version: version === undefined ? undefined : `${locator.url} ${version}`, size, from, [Symbol.asyncDispose]: discard }
  }
  if (locator.kind !== 'file' || (await stat(locator.path).catch(() => undefined))?.isFile() !== true) return undefined
  const { path } = locator
  const handle = await open(path, 'r').catch((error: unknown) => { throw atPath(error, path) })
  const { dev, ino, size, mtimeNs } = await handle.stat({ bigint: true })
  return {
    version: `${dev} ${ino} ${size} ${mtimeNs}`,
    size: Number(size),
    from: position => unchanged(context, handle, path, () => createReadStream('', { fd: handle, start: position, highWaterMark: READ_BYTES, autoClose: false, signal: context.signal })),
    [Symbol.asyncDispose]: async () => { await handle.close() }
  }
}

/** A file, or standard input for `-`. One that changes its size or time while it is read fails at its end. With `lend`, each piece is good until the next is asked for. */
export async function fileContent ({ stdin, signal }: Context, path: string, phase?: Phase, lend: boolean = false): Promise<FileContent> {
  if (path === '-') return { size: undefined, bytes: counted(stdin as AsyncIterable<Uint8Array>, phase) }
  const handle = await open(path, 'r').catch((error: unknown) => { throw atPath(error, path) })
  const before = await handle.stat({ bigint: true })
  if (!before.isFile() && !before.isBlockDevice()) {
    await handle.close()
    throw new RopewalkError('ERR_NOT_A_FILE', before.isDirectory() ? 'is a directory' : 'neither a file nor a block device', { text: path })
  }
  async function * read (): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield * unchanged({ signal }, handle, path, () => lend ? lent(handle, signal) : createReadStream('', { fd: handle, highWaterMark: READ_BYTES, autoClose: false, signal }))
    } finally {
      await handle.close().catch(() => {})
    }
  }
  const size = before.isFile() ? Number(before.size) : undefined
  if (size !== undefined) phase?.expect(size)
  return { size, bytes: counted(read(), phase) }
}

/** What somebody reads of a file; one that changes its size or time meanwhile fails at its end. */
async function * unchanged ({ signal }: Pick<Context, 'signal'>, handle: FileHandle, path: string, read: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const before = await handle.stat({ bigint: true })
    // A stream that is begun with a signal that has gone fails where nobody listens.
    signal.throwIfAborted()
    for await (const bytes of read()) yield bytes
    const after = await handle.stat({ bigint: true })
    if (after.mtimeNs !== before.mtimeNs || after.size !== before.size) throw new RopewalkError('ERR_FILE_CHANGED', 'it was written to while it was read', { text: path })
  } catch (error) {
    signal.throwIfAborted()
    throw atPath(error, path)
  }
}

export interface IndexContent extends AsyncDisposable {
  readonly header: IndexHeader
  readonly bytes: AsyncIterable<Uint8Array>
}

/** What an index describes, from its stores, in order. */
export async function indexContent (context: Context, text: string, flags: StoreFlags, onTrouble?: (text: string) => void, phase?: Phase): Promise<IndexContent> {
  const input = await openInput(context, text, flags, { onTrouble })
  try {
    const { header, items } = await openIndex(input.bytes)
    async function * bytes (): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const chunk of fetchChunks(input.chunks, { signal: context.signal })(items)) {
        phase?.add(chunk.bytes.length)
        yield chunk.bytes
      }
    }
    return { header, bytes: bytes(), [Symbol.asyncDispose]: async () => { await input[Symbol.asyncDispose]() } }
  } catch (error) {
    await input[Symbol.asyncDispose]()
    throw named(error, context)
  }
}

export async function * counted (source: AsyncIterable<Uint8Array>, phase: Phase | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const bytes of source) {
    phase?.add(bytes.length)
    yield bytes
  }
}

/** What the system said, in words, and of which file. */
export function named (error: unknown, { signal }: Context): unknown {
  if (signal.aborted) return signal.reason
  return error instanceof Error && 'syscall' in error ? atPath(error, 'path' in error && typeof error.path === 'string' ? error.path : undefined) : error
}

function atPath (error: unknown, path: string | undefined): RopewalkError {
  const said = fileError(error)
  return new RopewalkError(said.code, said.message, { cause: error, text: said.text ?? path, advice: said.advice })
}
