/**
 * Indexes, archives and stores that need no session: on this machine, or behind a web server.
 *
 * @module
 */
import { createReadStream } from 'node:fs'
import type { ChunkCompression, ChunkDigest, ChunkSource } from '@ropewalk/interface'
import { httpBytes, httpStore, type HttpBytesOptions } from '@ropewalk/protocol-casync'
import { castr, nodeCompression, nodeHash, type CastrStore } from '@ropewalk/store-castr'
import { RopewalkError } from '../errors.ts'
import { formatLocator, type Locator } from './locator.ts'
import { throttledFetch, type Throttle } from './throttle.ts'

export interface StoreOptions {
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly digest?: ChunkDigest | undefined
  readonly maxChunkBytes?: number | undefined
  readonly compression?: ChunkCompression | undefined
  readonly throttle?: Throttle | undefined
  /** Of a store that is written to: a collection beside us spares what we find. */
  readonly lease?: boolean | undefined
  /** Chunks are read while everything else stands still: for whoever serves one peer. */
  readonly readAtOnce?: boolean | undefined
}

/** Bytes read from a file at a time. Ours. */
export const READ_BYTES: number = 1024 * 1024

/** The bytes of an index or an archive. Fails with what the system says, which is what a peer is told. */
export function fileBytes (locator: Locator, { signal, throttle }: StoreOptions): AsyncIterable<Uint8Array> {
  if (locator.kind === 'file') return bytesOf(locator.path, signal)
  if (locator.kind === 'http') return httpBytes(locator.url, httpOptions({ signal, throttle }))
  throw new RopewalkError('ERR_USAGE', 'this needs a session', { text: formatLocator(locator) })
}

export function httpOptions ({ signal, throttle }: Pick<StoreOptions, 'signal' | 'throttle'>): HttpBytesOptions {
  return { signal, fetch: throttle === undefined ? undefined : throttledFetch(throttle) }
}

/** Opened when somebody reads: what goes wrong before would be nobody's to catch. */
async function * bytesOf (path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  yield * createReadStream(path, { highWaterMark: READ_BYTES, signal }) as AsyncIterable<Uint8Array>
}

/** The store on this machine. */
export function diskStore (path: string, { env, digest, maxChunkBytes, compression, lease, readAtOnce }: StoreOptions): CastrStore {
  const suffix = env['CASYNC_COMPRESSED_CHUNK_SUFFIX']
  return castr(path, { digest, maxChunkBytes, compression, lease, readAtOnce, suffix: suffix === '' ? undefined : suffix })
}

/** A store that gives. */
export function storeSource (locator: Locator, options: StoreOptions): ChunkSource {
  if (locator.kind === 'file') return diskStore(locator.path, options)
  if (locator.kind !== 'http') throw new RopewalkError('ERR_USAGE', 'this needs a session', { text: formatLocator(locator) })
  const { digest, maxChunkBytes, throttle, env } = options
  const suffix = env['CASYNC_COMPRESSED_CHUNK_SUFFIX']
  return httpStore(locator.url, {
    hash: nodeHash,
    compression: nodeCompression(),
    digest,
    maxChunkBytes,
    suffix: suffix === '' ? undefined : suffix,
    fetch: throttle === undefined ? undefined : throttledFetch(throttle)
  })
}
