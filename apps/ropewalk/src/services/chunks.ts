/**
 * A web server that gives chunks and indexes to whoever asks, as casync and desync ask for them. It writes nothing.
 *
 * @module
 */
import { constants, createReadStream } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { castr, nodeCompression, type CastrStore } from '@ropewalk/store-castr'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { ServedChunks } from './chunks-activity.ts'
import type { Host, Service } from './service.ts'

export interface ChunksOptions {
  /** Indexes, archives and stores lie below it. */
  readonly root: string
  readonly host: string
  readonly port: number
}

/** Connections, requests under way, and how long a client may be silent. Ours. */
const MAX_CONNECTIONS = 256
const HEADERS_TIMEOUT_MS = 10_000
const IDLE_TIMEOUT_MS = 30_000

/** `/…/abcd/abcd….cacnk`: a chunk of the store that the folders before it name. */
const CHUNK = /^(.*)\/([\da-f]{4})\/(\2[\da-f]{60})\.cacnk$/
const FILE = /\.(caibx|caidx|catar)$/

export async function startChunks (host: Host, { root, host: address, port }: ChunksOptions): Promise<Service> {
  const top = await realpath(root).catch((error: unknown) => { throw new RopewalkError('ERR_FILE', 'no such folder', { text: root, cause: error }) })
  const chunks = new ChunkServer(top, host)
  const server = createServer((request, response) => { void chunks.serve(request, response) })
  server.maxConnections = MAX_CONNECTIONS
  server.on('connection', socket => { void chunks.come(socket) })
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.keepAliveTimeout = IDLE_TIMEOUT_MS
  server.setTimeout(IDLE_TIMEOUT_MS, socket => { socket.destroy() })
  await listening(server, address, port)
  const { port: bound } = server.address() as AddressInfo
  host.listening(`http://${address.includes(':') ? `[${address}]` : address}:${bound}/`)
  return {
    async stop (graceMs) {
      const closed = new Promise<void>(resolve => { server.close(() => { resolve() }) })
      server.closeIdleConnections()
      let clean = true
      const timer = setTimeout(() => {
        clean = false
        server.closeAllConnections()
      }, graceMs)
      await closed
      clearTimeout(timer)
      return clean
    }
  }
}

class ChunkServer {
  readonly #root: string
  readonly #onTrouble: Host['onTrouble']
  readonly #served: ServedChunks
  readonly #compression = nodeCompression()

  constructor (root: string, { onTrouble, board, door }: Host) {
    this.#root = root
    this.#onTrouble = onTrouble
    this.#served = new ServedChunks(board, door)
  }

  /** Takes a place among the connections of the node; who finds none is sent away. */
  async come (socket: Socket): Promise<void> {
    await this.#served.come(socket).catch((error: unknown) => {
      this.#onTrouble(socket.remoteAddress ?? 'client', error)
      socket.destroy()
    })
  }

  async serve (request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') return plain(response.setHeader('allow', 'GET, HEAD'), 405)
      const path = pathOf(request.url ?? '')
      const chunk = path === undefined ? null : CHUNK.exec(path)
      if (path === undefined) plain(response, 400)
      else if (chunk !== null) await this.#chunk(request, response, chunk[1] as string, chunk[3] as string)
      else if (FILE.test(path)) await this.#file(request, response, path)
      else plain(response, 404)
    } catch (error) {
      if (codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE') return
      this.#onTrouble(request.socket.remoteAddress ?? 'client', error)
      if (response.headersSent) response.destroy()
      else plain(response, 500)
    }
  }

  /** Each is verified before a byte of it goes out; one that is damaged is as good as none. */
  async #chunk (request: IncomingMessage, response: ServerResponse, folder: string, id: string): Promise<void> {
    const directory = await this.#inside(folder)
    if (directory === undefined) return plain(response, 404)
    const store: CastrStore = castr(directory, { durable: false })
    const chunk = await store.get(id)
    if (chunk === undefined) return plain(response, 404)
    const body = chunk.compressed ?? await this.#compression.compress(chunk.bytes)
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length, 'cache-control': 'public, max-age=31536000, immutable', etag: `"${id}"` })
    if (request.method !== 'HEAD') await this.#served.chunk(request.socket, folder, body.length)
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  async #file (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const real = await this.#inside(path)
    const handle = real === undefined ? undefined : await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined)
    if (handle === undefined) return plain(response, 404)
    try {
      const stats = await handle.stat()
      if (!stats.isFile()) return plain(response, 404)
      const etag = `"${stats.ino.toString(16)}-${stats.size.toString(16)}-${stats.mtimeMs.toString(16)}"`
      const whole = { start: 0, end: stats.size }
      // A range of a file that is another by now would be of no use.
      const known = request.headers['if-range']
      const range = known === undefined || known === etag ? rangeOf(request.headers.range, stats.size) : whole
      if (range === undefined) return plain(response.setHeader('content-range', `bytes */${stats.size}`), 416)
      const { start, end } = range
      const partial = end - start < stats.size
      if (partial) response.setHeader('content-range', `bytes ${start}-${end - 1}/${stats.size}`)
      response.writeHead(partial ? 206 : 200, { 'content-type': 'application/octet-stream', 'content-length': end - start, 'accept-ranges': 'bytes', 'cache-control': 'no-cache', etag })
      if (request.method === 'HEAD' || end === start) {
        response.end()
        return
      }
      await pipeline(createReadStream('', { fd: handle, start, end: end - 1, autoClose: false }), this.#served.file(request.socket, path, end - start), response)
    } finally {
      await handle.close()
    }
  }

  /** The real path, where it lies below the root. */
  async #inside (path: string): Promise<string | undefined> {
    const real = await realpath(join(this.#root, path)).catch(() => undefined)
    return real !== undefined && (real === this.#root || real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep)) ? real : undefined
  }
}

/** Decoded once; `undefined` for what no client of good will asks for. */
function pathOf (url: string): string | undefined {
  try {
    const path = decodeURIComponent(url.replace(/[?#].*$/s, ''))
    return path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..') ? path : undefined
  } catch {
    return undefined
  }
}

/** One range; several, or none that is understood, mean the whole. `undefined`: nothing of it is there. */
function rangeOf (header: string | undefined, size: number): { start: number, end: number } | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === '' && last === '') return { start: 0, end: size }
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  return start < end ? { start, end } : undefined
}

function plain (response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${status}\n`)
}

async function listening (server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    throw new RopewalkError('ERR_LISTEN', `cannot listen on ${host}:${port}: ${messageOf(error)}`, { cause: error })
  }
}
