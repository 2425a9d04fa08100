/**
 * The web page of a node, its metrics, and whether it is well: plain HTTP, and nothing from elsewhere.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { MAX_PAGES, tellPage } from './events.ts'
import { MAX_TOKEN_BYTES, type Guard } from './guard.ts'
import type { Scene } from './scene.ts'
import { takeFile, type Places } from './take-file.ts'

/** Connections at once. Ours. */
const MAX_CONNECTIONS = 64

/** Files that are taken at once. Ours. */
const MAX_FILES = 8

export interface PageOptions {
  readonly guard: Guard
  readonly scene: Scene
  readonly log: Log
  readonly metrics: Metrics
  readonly places: Places
  /** Why the node is not ready; undefined when it is. */
  readonly notReady: () => string | undefined
  /** Accepts or declines an offer; resolves when that has begun. */
  readonly answerOffer: (id: string, answer: 'accept' | 'decline') => Promise<void>
  readonly onTrouble: (error: unknown) => void
  readonly signal: AbortSignal
}

/** The page needs nothing but these; what is not here is not there. */
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html'],
  '/page.css': ['page.css', 'text/css'],
  '/page.js': ['page.js', 'text/javascript'],
  '/draw.js': ['draw.js', 'text/javascript'],
  '/parts.js': ['parts.js', 'text/javascript'],
  '/format.js': ['format.js', 'text/javascript'],
  '/icon.svg': ['icon.svg', 'image/svg+xml']
}

const HEADERS = {
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store'
}

export function pageServer (options: PageOptions): Server {
  const page = new Page(options)
  const server = createServer((request, response) => { void page.answer(request, response) })
  server.maxConnections = MAX_CONNECTIONS
  return server
}

class Page {
  readonly #options: PageOptions
  #pages = 0
  #files = 0

  constructor (options: PageOptions) {
    this.#options = options
  }

  async answer (request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {})
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    try {
      const refused = this.#options.guard.refuse(request)
      if (refused === undefined) await this.#route(request, response)
      else plain(response, ...refused)
    } catch (error) {
      this.#fail(request, response, error)
    }
  }

  async #route (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { guard, metrics, scene, log, notReady, signal } = this.#options
    const { pathname } = new URL(request.url ?? '/', 'http://page')
    const route = `${request.method === 'HEAD' ? 'GET' : request.method ?? ''} ${pathname}`
    const file = request.method === 'GET' || request.method === 'HEAD' ? FILES[pathname] : undefined
    // What is the same on every node asks for no token: the page has to ask for it.
    if (file !== undefined) return await sendFile(response, ...file)
    if (route === 'GET /healthz') return plain(response, 200, 'ok')
    if (route === 'GET /readyz') return plain(response, notReady() === undefined ? 200 : 503, notReady() ?? 'ready')
    if (route === 'POST /session') return await this.#admit(request, response)
    if (!guard.knows(request)) {
      response.setHeader('www-authenticate', 'Bearer')
      return plain(response, 401, 'A token is wanted.')
    }
    if (route === 'GET /session') return plain(response, 200, 'known')
    if (route === 'GET /metrics') {
      response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.text())
      return
    }
    if (route === 'GET /events') {
      if (this.#pages >= MAX_PAGES) return plain(response, 503, `${MAX_PAGES} pages look already.`)
      this.#pages++
      return await tellPage(response, scene, log, signal).finally(() => { this.#pages-- })
    }
    const [, id, answer] = /^POST \/offers\/([^/]+)\/(accept|decline)$/.exec(route) ?? []
    if (id !== undefined) {
      await this.#options.answerOffer(decode(id), answer as 'accept' | 'decline')
      return json(response, 202, {})
    }
    const [, name] = /^PUT \/files\/([^/]+)$/.exec(route) ?? []
    if (name !== undefined) return await this.#take(request, response, decode(name))
    plain(response, 404, 'Nothing is here.')
  }

  async #admit (request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (Number(request.headers['content-length'] ?? Infinity) > MAX_TOKEN_BYTES) return plain(response, 413, 'No token is so long.')
    const cookie = this.#options.guard.admit((await text(request)).trim())
    if (cookie === undefined) return plain(response, 401, 'It is another token.')
    response.writeHead(204, { 'set-cookie': cookie }).end()
  }

  async #take (request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    if (this.#files >= MAX_FILES) return json(response, 503, { code: 'ERR_REFUSED', message: `${MAX_FILES} files are being taken already.` })
    this.#files++
    try {
      json(response, 201, await takeFile(request, name, this.#options.places))
    } finally {
      this.#files--
    }
  }

  #fail (request: IncomingMessage, response: ServerResponse, error: unknown): void {
    this.#options.onTrouble(error)
    const code = codeOf(error)
    const status = code === 'ERR_NOT_FOUND' ? 404 : code === 'ERR_NO_ROOM' ? 507 : code === 'ERR_EXISTS' ? 409 : /^ERR_(USAGE|NAME|DANGEROUS)$/.test(code) ? 400 : 500
    if (response.headersSent) return void response.destroy()
    // The rest of a file that is refused is not waited for.
    if (!request.complete) response.setHeader('connection', 'close')
    json(response, status, { code, message: messageOf(error) })
  }
}

async function sendFile (response: ServerResponse, file: string, type: string): Promise<void> {
  // The same folder beside `src` and `dist`.
  const body = await readFile(new URL(`../../page/${file}`, import.meta.url))
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body)
}

function plain (response: ServerResponse, status: number, line: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${line}\n`)
}

function json (response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw new RopewalkError('ERR_USAGE', 'the address cannot be read', { cause: error })
  }
}
