/**
 * Commands that go on, and the page of a node, within the process of the test.
 *
 * @module
 */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Context } from '../src/context.ts'
import { run } from '../src/program.ts'
import { factsOf, type Fact } from './processes.ts'

/** A command that runs in this process. */
export class Live {
  stdout = ''
  stderr = ''
  /** Reads the configuration again. */
  hangup = (): void => {}
  readonly ended: Promise<number>
  readonly #stopping = new AbortController()
  readonly #waiting = new Set<() => void>()

  constructor (t: { teardown (work: () => Promise<void>): unknown }, args: readonly string[], env: NodeJS.ProcessEnv) {
    const out = this.#collect(text => { this.stdout += text })
    const err = this.#collect(text => { this.stderr += text })
    const context: Context = {
      stdin: Readable.from([]), stdout: out, stderr: err, env, signal: this.#stopping.signal, now: () => performance.now(),
      onHangup: listener => {
        this.hangup = listener
        return () => {}
      }
    }
    this.ended = run(args, context).finally(() => { this.#look() })
    t.teardown(async () => { await this.stop() })
  }

  async stop (): Promise<number> {
    this.#stopping.abort(Object.assign(new Error('interrupted'), { code: 'ERR_USER_INTERRUPT' }))
    return await this.ended
  }

  /** Resolves with the first fact of that kind; rejects when the command ends without it. */
  async fact (event: string, is: (fact: Fact) => boolean = () => true): Promise<Fact> {
    const [first] = await this.told(event, 1, is)
    return first as Fact
  }

  /** Resolves once `count` facts of that kind were told, with all of them. */
  async told (event: string, count: number = 1, is: (fact: Fact) => boolean = () => true): Promise<Fact[]> {
    let over = false
    void this.ended.then(() => { over = true })
    for (;;) {
      const found = factsOf(this.stdout, event).filter(is)
      if (found.length >= count) return found
      if (over) throw new Error(`ended without ${event}: ${this.stdout}${this.stderr}`)
      await new Promise<void>(resolve => this.#waiting.add(resolve))
    }
  }

  #collect (take: (text: string) => void): Context['stdout'] {
    const stream = new PassThrough()
    stream.setEncoding('utf8').on('data', (text: string) => {
      take(text)
      this.#look()
    })
    return Object.assign(stream, { isTTY: false, columns: 80 }) as unknown as Context['stdout']
  }

  #look (): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface AskOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** One request to a page, with whatever headers, `Host` among them. */
export async function ask (page: string, path: string, { method = 'GET', headers = {}, body }: AskOptions = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const request = httpRequest(new URL(path, page), { method, headers: { ...body === undefined || 'transfer-encoding' in headers ? {} : { 'content-length': Buffer.byteLength(body) }, ...headers }, agent: false }, response => {
    text(response).then(body => { resolve({ status: response.statusCode ?? 0, headers: response.headers, body }) }, reject)
  })
  request.on('error', reject)
  request.end(body)
  return await promise
}

/** What a page is told, until it is closed. */
export class Events {
  readonly told: Array<Record<string, unknown>> = []
  text = ''
  readonly #waiting = new Set<() => void>()
  readonly #request

  constructor (t: { teardown (work: () => void): unknown }, page: string, headers: Readonly<Record<string, string>> = {}) {
    this.#request = httpRequest(new URL('/events', page), { headers, agent: false }, response => {
      response.setEncoding('utf8').on('data', (text: string) => {
        this.text += text
        const whole = this.text.lastIndexOf('\n\n') + 2
        this.told.splice(0, Infinity, ...this.text.slice(0, whole).split('\n\n').filter(event => event.startsWith('data: ')).map(event => JSON.parse(event.slice(6)) as Record<string, unknown>))
        for (const resolve of this.#waiting) resolve()
        this.#waiting.clear()
      })
      response.on('error', () => {})
    })
    this.#request.on('error', () => {})
    this.#request.end()
    t.teardown(() => { this.#request.destroy() })
  }

  /** Resolves with the first of all `part`s so far, and to come, for which `is` is true. */
  async part<T> (part: string, is: (value: T) => boolean): Promise<T> {
    for (;;) {
      const found = this.told.map(told => told[part] as T | undefined).find(value => value !== undefined && is(value))
      if (found !== undefined) return found
      await new Promise<void>(resolve => this.#waiting.add(resolve))
    }
  }
}
