import type { Chunk, ChunkCompression, ChunkDigest, ChunkGetOptions, ChunkId, ChunkSource, Hasher } from '@ropewalk/interface'
import { MAX_CHUNK_BYTES } from './constants.ts'
import { CasyncError } from './errors.ts'
import { HttpClient, httpError, PassingTrouble, type HttpOptions } from './http.ts'
import { Verifier } from './identify.ts'
import { mostPackedBytes, unpack } from './unpack.ts'

export interface HttpStoreOptions extends HttpOptions {
  readonly hash: Hasher
  readonly compression: ChunkCompression
  /** What ids are made of. Default: either, SHA-512/256 tried first. */
  readonly digest?: ChunkDigest | undefined
  /** Longest chunk that is taken. Default 128 MiB; give the maximum of the index. */
  readonly maxChunkBytes?: number | undefined
  /** What names of chunks end with; empty for chunks that are not compressed. Default `.cacnk`. */
  readonly suffix?: string | undefined
}

/** The store behind a URL, in the layout that casync's own has. Read only; ask for as many chunks at a time as you like to have connections. */
export function httpStore (url: string, options: HttpStoreOptions): ChunkSource {
  const { suffix = '.cacnk', maxChunkBytes = MAX_CHUNK_BYTES, compression } = options
  const base = url.endsWith('/') ? url : `${url}/`
  const client = new HttpClient(options)
  const verifier = new Verifier(options.hash, options.digest)

  return {
    async get (id: ChunkId, { length, signal }: ChunkGetOptions = {}): Promise<Chunk | undefined> {
      if (!/^[0-9a-f]{64}$/.test(id)) throw new RangeError(`not the id of a chunk: ${JSON.stringify(id.slice(0, 128))}`)
      const path = `${base}${id.slice(0, 4)}/${id}${suffix}`
      const maxBytes = Math.min(length ?? maxChunkBytes, maxChunkBytes)
      const data = await client.retry(async () => await download(client, path, id, mostPackedBytes(maxBytes), signal), signal)
      return data === undefined ? undefined : await unpack({ id, compressed: suffix !== '', data }, compression, verifier, maxChunkBytes, length)
    }
  }
}

/** The whole file, bounded; `undefined` when there is none. */
async function download (client: HttpClient, url: string, id: ChunkId, maxBytes: number, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
  const { status, headers, body, discard } = await client.get(url, {}, signal)
  try {
    if (status === 404 || status === 410) return undefined
    if (status !== 200) throw httpError(url, status)
    const announced = headers.has('content-encoding') ? NaN : Number(headers.get('content-length') ?? NaN)
    if (announced > maxBytes) throw tooLong(announced)
    const pieces: Uint8Array[] = []
    let bytes = 0
    for await (const piece of body) {
      bytes += piece.length
      if (bytes > maxBytes) throw tooLong(bytes)
      pieces.push(piece)
    }
    if (bytes < announced) throw new PassingTrouble(new CasyncError('ERR_HTTP', 'transfer', `${url}: ended early: ${bytes} < ${announced} bytes`))
    return join(pieces, bytes)
  } finally {
    await discard()
  }

  function tooLong (bytes: number): CasyncError {
    return new CasyncError('ERR_CHUNK_SIZE', 'transfer', `${url}: ${bytes} > ${maxBytes} bytes`, { id })
  }
}

function join (pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
