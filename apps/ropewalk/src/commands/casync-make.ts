import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { ChunkCompression, ChunkDigest, ChunkId, ChunkSource, Source } from '@ropewalk/interface'
import { chunk, cutInto, encodeIndex, identify, parseChunkSizes, storeMissing, type ChunkSizes, type CutChunk, type PlacedChunk } from '@ropewalk/protocol-casync'
import { escapeName } from '@ropewalk/receive'
import { MAX_INTAKE_CHUNK_BYTES, nodeCompression, type CastrStore } from '@ropewalk/store-castr'
import { fileContent, named } from '../casync/content.ts'
import { localStore, isRemote, storeLocators, type StoreFlags } from '../casync/input.ts'
import { kindToMake, type Kind } from '../casync/kind.ts'
import { formatLocator, parseLocator, type Locator } from '../casync/locator.ts'
import { NewFile } from '../casync/new-file.ts'
import { diskStore } from '../casync/open.ts'
import { withPhases } from '../casync/outcome.ts'
import { assertTogether, send } from '../casync/sending.ts'
import { featuresOf, folderBytes, type TreeFlags } from '../casync/trees.ts'
import type { Context } from '../context.ts'
import { messageOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import type { Phase, Phases } from '../progress/phases.ts'

export interface MakeFlags extends StoreFlags, TreeFlags {
  readonly what?: Kind | undefined
  /** As `parseChunkSizes` takes it. */
  readonly chunkSize: string
  readonly digest: ChunkDigest
  readonly compression: 'zstd' | 'gzip'
  readonly json: boolean
}

type Making = Omit<MakeFlags, 'chunkSize'> & { readonly chunkSize: ChunkSizes }

interface Made {
  readonly size: number
  readonly digest: string
  readonly chunks: number
  /** Chunks that the store, or the other end, did not have. */
  readonly fresh: number
}

/** Makes an index of a file or a folder, and puts its chunks into a store; or an archive of a folder. */
export async function casyncMake (context: Context, output: string, path: string | undefined, said: MakeFlags): Promise<Exit> {
  const flags: Making = { ...said, chunkSize: sizesOf(said.chunkSize) }
  const kind = kindToMake(output, flags.what)
  const locator = parseLocator(output)
  if (kind === 'blob-index' && path === undefined) throw new RopewalkError('ERR_USAGE', 'which file? - is standard input')
  const input = path ?? '.'
  return await withPhases(context, flags, async phases => {
    const made = kind === 'archive' ? await makeArchive(context, locator, input, flags, phases) : kind === 'archive-index' ? await makeTree() : await makeBlob()
    phases.result({
      record: { event: 'made', name: output, ...made },
      row: [made.digest],
      lines: [made.digest, `  ${escapeName(output)}: ${formatBytes(made.size)}${kind === 'archive' ? '' : ` in ${made.chunks} chunks, ${made.fresh} of them new`}`]
    })
    return Exit.done

    async function makeBlob (): Promise<Made> {
      if (isRemote(locator)) return await makeRemote(context, locator, input, flags, phases)
      const reading = phases.begin('reading')
      return await makeHere(context, locator, (await fileContent(context, input, reading, isThreaded(flags.chunkSize))).bytes, reading, flags)
    }

    async function makeTree (): Promise<Made> {
      if (isRemote(locator)) throw new RopewalkError('ERR_USAGE', 'an index of a tree is made here', { text: output, advice: ['Make it here, and push it: ropewalk casync push.'] })
      const features = featuresOf(flags, flags.digest)
      const reading = phases.begin('reading')
      return await makeHere(context, locator, folderBytes(context, input, features, flags, phases, reading, isThreaded(flags.chunkSize)), reading, flags, features)
    }
  }, { kept: kind === 'archive' ? 'nothing of the archive is kept; the same command begins anew' : 'the chunks that are in the store stay; the same command goes on with them' })
}

/** Here, and not where options are read: other commands need nothing of casync. */
function sizesOf (text: string): ChunkSizes {
  try {
    return parseChunkSizes(text)
  } catch (error) {
    throw new RopewalkError('ERR_USAGE', `--chunk-size: ${messageOf(error)}`, { cause: error })
  }
}

async function makeHere (context: Context, index: Locator, bytes: AsyncIterable<Uint8Array>, reading: Phase, flags: Making, features?: bigint): Promise<Made> {
  if (index.kind !== 'file') throw new RopewalkError('ERR_USAGE', 'nothing can be written there', { text: formatLocator(index) })
  const { signal, env } = context
  await using store = diskStore(localStore(index, flags, env), { env, signal, compression: compressionOf(flags.compression), lease: true })
  const cutting = new Cutting(bytes, flags)
  const file = await NewFile.open(index.path).catch((error: unknown) => { throw named(error, context) })
  let fresh = 0
  async function * stored (): AsyncGenerator<CutChunk, void, undefined> {
    for await (const chunk of isThreaded(flags.chunkSize) ? cutting.into(store) : storeMissing(store, { signal })(cutting.chunks(signal))) {
      if (chunk.fresh) fresh++
      yield chunk
    }
  }
  try {
    for await (const piece of encodeIndex({ sizes: flags.chunkSize, digest: flags.digest, features })(stored())) await file.write(piece)
    await store.sync()
    reading.end()
    await file.commit()
  } catch (error) {
    await file.discard()
    throw named(error, context)
  }
  return { ...cutting.result(), fresh }
}

/** Nothing is copied: what the other end asks for is read again where it is in the file. */
async function makeRemote (context: Context, index: Locator, path: string, flags: Making, phases: Phases): Promise<Made> {
  const [store] = storeLocators(index, flags, context.env)
  assertTogether(index, store as Locator)
  if (path === '-') throw new RopewalkError('ERR_USAGE', 'standard input cannot be read twice', { advice: ['Make the index here, and push it: ropewalk casync push.'] })
  const reading = phases.begin('reading')
  const sending = phases.begin('chunks')
  const { bytes } = await fileContent(context, path, reading)
  const cutting = new Cutting(bytes, flags)
  const handle = await open(path, 'r')
  const places = new Map<ChunkId, readonly [start: number, length: number]>()
  async function * placed (): AsyncGenerator<PlacedChunk, void, undefined> {
    for await (const chunk of cutting.chunks(context.signal)) {
      places.set(chunk.id, [chunk.start, chunk.end - chunk.start])
      yield chunk
    }
    reading.end()
  }
  const chunks: ChunkSource = {
    async get (id) {
      const place = places.get(id)
      if (place === undefined) return undefined
      const bytes = Buffer.allocUnsafeSlow(place[1])
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, place[0])
      if (bytesRead < bytes.length || nameOfChunk(flags.digest, bytes) !== id) throw new RopewalkError('ERR_FILE_CHANGED', 'it was written to while it was read', { text: path })
      sending.add(bytes.length)
      return { id, bytes }
    }
  }
  try {
    const pushed = await send(context, {
      index: { locator: index, bytes: encodeIndex({ sizes: flags.chunkSize, digest: flags.digest })(placed()) },
      store: { locator: store as Locator, chunks },
      rateLimitBps: flags.rateLimitBps
    })
    sending.end()
    return { ...cutting.result(), fresh: pushed.chunks }
  } finally {
    await handle.close()
  }
}

/** A .catar, here or there. */
async function makeArchive (context: Context, archive: Locator, path: string, flags: Making, phases: Phases): Promise<Made> {
  const reading = phases.begin('reading')
  const hash = createHash(HASHES[flags.digest])
  let size = 0
  async function * bytes (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of folderBytes(context, path, featuresOf(flags, flags.digest), flags, phases, reading, !isRemote(archive))) {
      hash.update(piece)
      size += piece.length
      yield piece
    }
    reading.end()
  }
  if (isRemote(archive)) {
    await send(context, { archive: { locator: archive, bytes: bytes() }, rateLimitBps: flags.rateLimitBps })
  } else {
    if (archive.kind !== 'file') throw new RopewalkError('ERR_USAGE', 'nothing can be written there', { text: formatLocator(archive) })
    const file = await NewFile.open(archive.path).catch((error: unknown) => { throw named(error, context) })
    try {
      for await (const piece of bytes()) await file.write(piece)
      await file.commit()
    } catch (error) {
      await file.discard()
      throw named(error, context)
    }
  }
  return { size, digest: hash.digest('hex'), chunks: 0, fresh: 0 }
}

/** Bytes to chunks with their ids, and the digest of all of them. */
class Cutting {
  readonly #bytes: AsyncIterable<Uint8Array>
  readonly #flags: Making
  readonly #hash: ReturnType<typeof createHash>
  #digest: string | undefined
  #chunks = 0
  #size = 0

  constructor (bytes: AsyncIterable<Uint8Array>, flags: Making) {
    this.#bytes = bytes
    this.#flags = flags
    this.#hash = createHash(HASHES[flags.digest])
  }

  async * chunks (signal: AbortSignal): AsyncGenerator<PlacedChunk, void, undefined> {
    const { digest, chunkSize } = this.#flags
    for await (const chunk of identify(hasher, { digest, signal })(chunkOf(chunkSize)(this.#read()))) {
      this.#chunks++
      this.#size = chunk.end
      yield chunk
    }
  }

  /** The same straight into a store, on several threads. */
  async * into (store: CastrStore): AsyncGenerator<CutChunk, void, undefined> {
    const { digest, chunkSize, compression } = this.#flags
    const intake = await store.intake({ digest, maxChunkBytes: chunkSize.max, format: compression, whole: true })
    try {
      for await (const chunk of cutInto(intake, chunkSize)(this.#bytes)) {
        this.#chunks++
        this.#size = chunk.end
        yield chunk
      }
      this.#digest = intake.digest
    } finally {
      await intake.close()
    }
  }

  result (): Omit<Made, 'fresh'> {
    return { size: this.#size, digest: this.#digest ?? this.#hash.digest('hex'), chunks: this.#chunks }
  }

  async * #read (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const bytes of this.#bytes) {
      this.#hash.update(bytes)
      yield bytes
    }
  }
}

/** Longer chunks would take too much memory when there are several on their way. */
function isThreaded ({ max }: ChunkSizes): boolean {
  return max <= MAX_INTAKE_CHUNK_BYTES
}

export const HASHES: Readonly<Record<ChunkDigest, string>> = { 'sha512-256': 'sha512-256', sha256: 'sha256' }

const deflate = promisify<Uint8Array, Buffer>(gzip)

function compressionOf (name: MakeFlags['compression']): ChunkCompression {
  return name === 'zstd' ? nodeCompression() : { ...nodeCompression(), compress: async bytes => await deflate(bytes) }
}

function hasher (digest: ChunkDigest, bytes: Uint8Array): Uint8Array {
  return createHash(HASHES[digest]).update(bytes).digest()
}

function nameOfChunk (digest: ChunkDigest, bytes: Uint8Array): ChunkId {
  return createHash(HASHES[digest]).update(bytes).digest('hex')
}

function chunkOf (sizes: ChunkSizes): (source: Source<Uint8Array>) => AsyncGenerator<Uint8Array, void, undefined> {
  return source => chunk(sizes)(source)
}
