/**
 * Files that may have some of the chunks: each is cut as the index was, and the result is kept for whoever has to begin again.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ChunkSource } from '@ropewalk/interface'
import { chunk, cutInto, decodeIndex, encodeIndex, identify, seed, type CutChunk, type IndexHeader, type PlacedChunk } from '@ropewalk/protocol-casync'
import { identifier, MAX_INTAKE_CHUNK_BYTES, nodeHash, type Onto } from '@ropewalk/store-castr'
import { fileError, RopewalkError } from '../errors.ts'
import type { Phase } from '../progress/phases.ts'
import { lent } from './lent.ts'
import { NewFile } from './new-file.ts'
import { READ_BYTES } from './open.ts'
import { OpenFile } from './output.ts'

export interface Seeds extends AsyncDisposable {
  readonly sources: readonly ChunkSource[]
}

export interface SeedFile {
  readonly path: string
  readonly size: number
  readonly handle: FileHandle
  /** Changes with the file. */
  readonly identity: string
}

/** Opens seeds before anything is read: the sum of their sizes is known then. */
export async function openSeed (path: string): Promise<SeedFile> {
  const handle = await open(path, 'r').catch((error: unknown) => { throw new RopewalkError('ERR_FILE', fileError(error).message, { text: path, cause: error }) })
  try {
    const stats = await handle.stat({ bigint: true })
    if (!stats.isFile() && !stats.isBlockDevice()) throw new RopewalkError('ERR_NOT_A_FILE', 'a seed of a blob is a file or a block device', { text: path })
    const size = stats.isFile() ? Number(stats.size) : await deviceSize(handle)
    return { path, size, handle, identity: [resolve(path), stats.dev, stats.ino, stats.rdev, size, stats.mtimeNs].join(' ') }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Bytes of a block device, of which `stat` says nothing: where reading ends. */
async function deviceSize (handle: FileHandle): Promise<number> {
  const byte = new Uint8Array(1)
  const has = async (position: number): Promise<boolean> => (await handle.read(byte, 0, 1, position)).bytesRead > 0
  let end = 1
  while (await has(end)) end *= 2
  let start = await has(0) ? Math.floor(end / 2) : 0
  // What is before `start` is there, what is at `end` is not.
  while (start < end) {
    const middle = Math.floor((start + end) / 2)
    if (await has(middle)) start = middle + 1
    else end = middle
  }
  return start
}

/** Cuts and identifies what was not cut before, keeping what came of it in `directory`. What `onto` lacks goes there at once, which spares reading and hashing it again. */
export async function readSeeds (files: readonly SeedFile[], header: IndexHeader, directory: string, phase: Phase, signal: AbortSignal, onto?: Onto): Promise<Seeds> {
  const sources: ChunkSource[] = []
  for (const file of files) {
    const { min, avg, max } = header.sizes
    const name = createHash('sha256').update([file.identity, header.digest, min, avg, max].join(' ')).digest('hex').slice(0, 16)
    const path = join(directory, `seed-${name}`)
    const kept = await readFile(path).catch(() => undefined)
    if (kept === undefined) await cut(file, header, path, phase, signal, onto)
    else phase.add(file.size)
    sources.push(await seed(new OpenFile(file.handle), decodeIndex()(kept === undefined ? createReadStream(path) : [kept]), nodeHash))
  }
  return {
    sources,
    async [Symbol.asyncDispose] () {
      await Promise.allSettled(files.map(({ handle }) => handle.close()))
    }
  }
}

async function cut (file: SeedFile, { sizes, digest }: IndexHeader, path: string, phase: Phase, signal: AbortSignal, onto: Onto | undefined): Promise<void> {
  const index = await NewFile.open(path)
  // They copy what they are given.
  const threads = sizes.max <= MAX_INTAKE_CHUNK_BYTES ? identifier({ digest, maxChunkBytes: sizes.max, onto }) : undefined
  async function * read (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const bytes of threads === undefined ? createReadStream(file.path, { highWaterMark: READ_BYTES, signal }) : lent(file.handle, signal)) {
      phase.add((bytes as Uint8Array).length)
      yield bytes as Uint8Array
    }
  }
  const places: AsyncIterable<CutChunk | PlacedChunk> = threads === undefined ? identify(nodeHash, { digest, signal })(chunk(sizes)(read())) : cutInto(threads, sizes)(read())
  try {
    for await (const bytes of encodeIndex({ sizes, digest })(places)) await index.write(bytes)
    await index.commit()
  } catch (error) {
    await index.discard()
    throw error
  } finally {
    await threads?.close()
  }
}
