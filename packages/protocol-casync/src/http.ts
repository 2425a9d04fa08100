/**
 * Requests to web servers: repeated where that may help, resumed where they broke off.
 *
 * @module
 */
import type { AbortOptions } from '@ropewalk/interface'
import { systemClock, type Clock } from './clock.ts'
import { HTTP_ATTEMPTS, HTTP_BACKOFF_MS, HTTP_MAX_BACKOFF_MS, HTTP_TIMEOUT_MS } from './constants.ts'
import { CasyncError } from './errors.ts'

export interface HttpOptions {
  /** Sent with each request, `authorization` say. */
  headers?: Readonly<Record<string, string>> | undefined
  /** Tries of one request. Default 5. */
  attempts?: number | undefined
  /** The wait before the second try; it doubles before each further, up to 10 s. A server that says `retry-after` is waited for up to that. Default 250 ms. */
  backoffMs?: number | undefined
  /** How long the server may take for its first byte, and between two. Default 30 s. */
  timeoutMs?: number | undefined
  /** Default: that of the platform. */
  fetch?: typeof globalThis.fetch | undefined
  /** For tests. */
  clock?: Clock | undefined
}

export interface HttpBytesOptions extends HttpOptions, AbortOptions {
  /** First byte that is wanted. Default 0. */
  start?: number | undefined
}

/** The server's answer, still to be read. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  /** Each piece comes in time, or the request fails. */
  readonly body: AsyncGenerator<Uint8Array, void, undefined>
  /** Of a body that was not begun to be read: lets go of it. */
  discard (): Promise<void>
}

/** What a request is made of that is repeated. */
export class HttpClient {
  readonly #fetch: typeof globalThis.fetch
  readonly #headers: Readonly<Record<string, string>>
  readonly #attempts: number
  readonly #backoffMs: number
  readonly #timeoutMs: number
  readonly #clock: Clock

  constructor (options: HttpOptions) {
    const { fetch = globalThis.fetch, headers = {}, attempts = HTTP_ATTEMPTS, backoffMs = HTTP_BACKOFF_MS, timeoutMs = HTTP_TIMEOUT_MS, clock = systemClock } = options
    if (!(Number.isInteger(attempts) && attempts >= 1)) throw new RangeError(`attempts ${attempts}`)
    this.#fetch = fetch
    this.#headers = headers
    this.#attempts = attempts
    this.#backoffMs = backoffMs
    this.#timeoutMs = timeoutMs
    this.#clock = clock
  }

  /** Runs `attempt` until it succeeds, fails for good, or has failed too often. `progressed` says that the next failure is a first one again. */
  async retry<T> (attempt: (progressed: () => void) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    for (let failures = 0; ;) {
      signal?.throwIfAborted()
      try {
        return await attempt(() => { failures = 0 })
      } catch (error) {
        signal?.throwIfAborted()
        failures++
        if (!(error instanceof PassingTrouble)) throw error
        if (failures >= this.#attempts) throw error.trouble
        const wait = Math.min(HTTP_MAX_BACKOFF_MS, this.#backoffMs * 2 ** (failures - 1))
        await this.#sleep(Math.min(HTTP_MAX_BACKOFF_MS, Math.max(wait, error.retryAfterMs)), signal)
      }
    }
  }

  /** One request. Whatever passes by itself throws `PassingTrouble`; the status of the answer is otherwise for the caller to judge. */
  async get (url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    const stop = new AbortController()
    let cancel = (): void => {}
    const watch = (): void => {
      cancel = this.#clock.after(this.#timeoutMs, () => { stop.abort(new CasyncError('ERR_TIMEOUT', 'transfer', `${url}: no byte within ${this.#timeoutMs} ms`)) })
    }
    /** While somebody waits, and not while nobody reads. */
    const watched = async <T>(wait: () => Promise<T>): Promise<T> => {
      watch()
      try {
        return await wait()
      } catch (error) {
        throw passing(url, stop.signal.aborted ? stop.signal.reason : error)
      } finally {
        cancel()
      }
    }
    const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
    const response = await watched(() => this.#fetch(url, { headers: { ...this.#headers, ...headers }, signal: either }))
    const discard = async (): Promise<void> => { await response.body?.cancel().catch(() => {}) }
    const { status } = response
    if (PASSING.has(status)) {
      await discard()
      throw new PassingTrouble(httpError(url, status), retryAfterMs(response.headers))
    }
    return { status, headers: response.headers, body: read(), discard }

    async function * read (): AsyncGenerator<Uint8Array, void, undefined> {
      const reader = response.body?.getReader()
      try {
        while (reader !== undefined) {
          const { done, value } = await watched(() => reader.read())
          if (done) return
          yield value
        }
      } finally {
        await reader?.cancel().catch(() => {})
      }
    }
  }

  async #sleep (ms: number, signal: AbortSignal | undefined): Promise<void> {
    let cancel: (() => void) | undefined
    let onAbort: (() => void) | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        cancel = this.#clock.after(ms, resolve)
        onAbort = () => { reject(signal?.reason as Error) }
        signal?.addEventListener('abort', onAbort)
      })
    } finally {
      cancel?.()
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
    }
  }
}

/** What may be better next time. */
export class PassingTrouble extends Error {
  readonly trouble: CasyncError
  readonly retryAfterMs: number

  constructor (trouble: CasyncError, retryAfterMs: number = 0) {
    super(trouble.message, { cause: trouble })
    this.trouble = trouble
    this.retryAfterMs = retryAfterMs
  }
}

export function httpError (url: string, status: number): CasyncError {
  return new CasyncError('ERR_HTTP', 'transfer', `${url}: status ${status}`, { status })
}

/** Too early, too often, or broken for the moment. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

function passing (url: string, cause: unknown): PassingTrouble {
  return new PassingTrouble(cause instanceof CasyncError ? cause : new CasyncError('ERR_HTTP', 'transfer', `${url}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause }))
}

function retryAfterMs (headers: Headers): number {
  const seconds = Number(headers.get('retry-after') ?? 0)
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0
}

/**
 * The bytes of a file, from `start` on. What breaks off is taken up where it broke off; if the file has become another meanwhile, that is an
 * error. `ERR_HTTP` with the status, for one that cannot be had.
 */
export async function * httpBytes (url: string, options: HttpBytesOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
  const { start = 0, signal } = options
  yield * readOn(new HttpClient(options), url, begunAt(start), undefined, signal)
}

/** A file behind a web server, which has begun to answer. */
export interface HttpFile {
  /**
   * As long as it is the same, so are the bytes: a strong ETag, or when the file was changed, where that was a minute before the answer or more, and its length.
   * Undefined where the server says neither.
   */
  readonly version: string | undefined
  /** Bytes; undefined where the server does not say. */
  readonly size: number | undefined
  /** Its bytes from there on, as those of `httpBytes`. To be asked for once. */
  from (position: number): AsyncGenerator<Uint8Array, void, undefined>
  /** Lets go of it, where nobody asked for its bytes. */
  discard (): Promise<void>
}

/** Asks for a file, and says which it is before its bytes are read. `ERR_HTTP` with the status, for one that cannot be had. */
export async function httpFile (url: string, options: Omit<HttpBytesOptions, 'start'> = {}): Promise<HttpFile> {
  const { signal } = options
  const client = new HttpClient(options)
  const state = begunAt(0)
  let first: Answer | undefined = await client.retry(async () => await begin(client, url, state, signal), signal)
  const discard = async (): Promise<void> => {
    const answer = first
    first = undefined
    await answer?.discard()
  }
  return {
    version: versionOf(first.headers),
    size: lengthOf(first.headers),
    async * from (position) {
      if (position > 0) await discard()
      state.at = position
      const answer = first
      first = undefined
      yield * readOn(client, url, state, answer?.pieces, signal)
    },
    discard
  }
}

async function * readOn (client: HttpClient, url: string, state: Progress, begun: Pieces | undefined, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  let pieces = begun
  try {
    for (;;) {
      const next = await client.retry(async progressed => {
        pieces ??= (await begin(client, url, state, signal)).pieces
        try {
          const result = await pieces.next()
          progressed()
          return result
        } catch (error) {
          pieces = undefined
          throw error
        }
      }, signal)
      if (next.done === true) return
      state.at += next.value.length
      yield next.value
    }
  } finally {
    await pieces?.return()
  }
}

type Pieces = AsyncGenerator<Uint8Array, void, undefined>

interface Answer {
  readonly headers: Headers
  readonly pieces: Pieces
  /** Where no piece was asked for. */
  discard (): Promise<void>
}

async function begin (client: HttpClient, url: string, state: Progress, signal: AbortSignal | undefined): Promise<Answer> {
  const answer = await client.get(url, state.at === 0 ? {} : { range: `bytes=${state.at}-` }, signal)
  try {
    return { headers: answer.headers, pieces: judge(answer, url, state), discard: answer.discard }
  } catch (error) {
    await answer.discard()
    throw error
  }
}

interface Progress {
  at: number
  /** What the first answer said that tells the file from another. */
  stamp: string | undefined
  begun: boolean
}

function begunAt (at: number): Progress {
  return { at, stamp: undefined, begun: false }
}

function judge ({ status, headers, body }: HttpAnswer, url: string, state: Progress): Pieces {
  const { at, stamp } = state
  // Nothing follows what was read already.
  if (status === 416 && at > 0) return nothing()
  if (status !== 200 && status !== 206) throw httpError(url, status)
  const now = headers.get('etag') ?? headers.get('last-modified') ?? undefined
  if (state.begun && stamp !== now) throw new CasyncError('ERR_HTTP', 'transfer', `${url}: became another file while it was read: ${stamp} is now ${now}`, { status })
  state.begun = true
  state.stamp = now
  if (status === 200) return skip(expecting(body, lengthOf(headers), url), at)
  const from = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1]
  if (Number(from) !== at) throw new CasyncError('ERR_HTTP', 'transfer', `${url}: gives bytes from ${from}, not from ${at}`, { status })
  return expecting(body, lengthOf(headers), url)
}

/** Of what is compressed on its way, positions are others. */
function versionOf (headers: Headers): string | undefined {
  const [etag, changed, length] = [headers.get('etag'), headers.get('last-modified'), lengthOf(headers)]
  if (headers.has('content-encoding')) return undefined
  if (etag !== null && !etag.startsWith('W/')) return `etag ${etag}`
  const settledMs = Date.parse(headers.get('date') ?? '') - Date.parse(changed ?? '')
  return settledMs >= SETTLED_MS && length !== undefined ? `changed ${changed}, ${length} bytes` : undefined
}

/** The times that servers tell have no parts of seconds: two files of one second have the same. From RFC 7232, section 2.2.2. */
const SETTLED_MS = 60_000

async function * nothing (): AsyncGenerator<Uint8Array, void, undefined> {}

/** A connection that is cut may look like an end. */
async function * expecting (body: AsyncGenerator<Uint8Array, void, undefined>, bytes: number | undefined, url: string): AsyncGenerator<Uint8Array, void, undefined> {
  let got = 0
  for await (const piece of body) {
    got += piece.length
    yield piece
  }
  if (bytes !== undefined && got < bytes) throw new PassingTrouble(new CasyncError('ERR_HTTP', 'transfer', `${url}: ended early: ${got} < ${bytes} bytes`))
}

/** A server without ranges begins again. */
async function * skip (body: AsyncGenerator<Uint8Array, void, undefined>, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  let left = bytes
  for await (const piece of body) {
    if (piece.length > left) yield piece.subarray(left)
    left = Math.max(0, left - piece.length)
  }
}

/** Of a body that is compressed on its way the length says nothing. */
function lengthOf (headers: Headers): number | undefined {
  const length = headers.get('content-length')
  return length === null || headers.has('content-encoding') ? undefined : Number(length)
}
