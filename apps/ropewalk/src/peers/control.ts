/**
 * What the commands of this user ask of the node that runs for him, over a unix socket in the state directory: one channel a request,
 * a line of JSON there, lines of JSON back. The socket is its owner's alone; who can open it is the node itself.
 *
 * @module
 */
import { ByteReader, JsonSplitter } from '@ropewalk/framing'
import type { Channel } from '@ropewalk/interface'
import { codeOf, messageOf, RopewalkError, type RopewalkErrorCode } from '../errors.ts'

export const CONTROL = '/ropewalk/control/1'

/** Most bytes of a line. Ours: lists of 100,000 names fit. */
export const MAX_LINE_BYTES: number = 64 * 1024 * 1024

/** Lines that wait for a command that does not read; after that it is disconnected. Ours. */
export const MAX_WAITING_LINES = 65_536

export type Line = Readonly<Record<string, unknown>>

/** An error as a line, and back. */
interface ErrorLine { readonly code: string, readonly message: string, readonly text?: string | undefined, readonly advice: readonly string[] }

/** Asks, and gives every line of the answer. Throws what the node has answered with. */
export async function * ask (channel: Channel, request: Line, signal: AbortSignal): AsyncGenerator<Line, void, undefined> {
  const stop = (): void => { channel.abort(signal.reason as Error) }
  signal.addEventListener('abort', stop)
  try {
    const sunk = channel.sink([encode(request)])
    sunk.catch(() => {})
    const reader = new ByteReader(channel.source)
    for (;;) {
      const line = await readLine(reader, signal)
      if (line === undefined) throw new RopewalkError('ERR_UNREACHABLE', 'the node has ended')
      if (line['error'] !== undefined) throw decodeError(line['error'] as ErrorLine)
      if (line['done'] === true) return
      yield line
    }
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof RopewalkError ? error : new RopewalkError('ERR_UNREACHABLE', 'the node has ended', { cause: error })
  } finally {
    signal.removeEventListener('abort', stop)
    channel.abort(new RopewalkError('ERR_STOPPED', 'the answer was read'))
  }
}

/** What answers a request, line by line. The signal is aborted when who asked has gone. */
export type Perform = (request: Line, tell: (line: Line) => void, signal: AbortSignal) => Promise<void> | void

/** The same of a node that runs in this very process. */
export async function * askHere (perform: Perform, request: Line, signal: AbortSignal): AsyncGenerator<Line, void, undefined> {
  const gone = new AbortController()
  const lines: Line[] = []
  let changed = Promise.withResolvers<void>()
  let over: { readonly error?: unknown } | undefined
  const wake = (): void => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  const tell = (line: Line): void => {
    if (lines.length >= MAX_WAITING_LINES) throw tooMany()
    if (lines.push(line) === 1) wake()
  }
  const end = (how: { readonly error?: unknown }): void => {
    over ??= how
    wake()
  }
  const stop = (): void => { end({ error: signal.reason }) }
  signal.addEventListener('abort', stop)
  try {
    signal.throwIfAborted()
    const work = async (): Promise<void> => { await perform(request, tell, AbortSignal.any([signal, gone.signal])) }
    work().then(() => { end({}) }, (error: unknown) => { end({ error }) })
    for (;;) {
      yield * lines.splice(0)
      if (lines.length > 0) continue
      signal.throwIfAborted()
      // An error is the same to who asks, wherever the node is: the exit code goes by that.
      if (over !== undefined && 'error' in over) throw over.error instanceof RopewalkError ? over.error : decodeError(encodeError(over.error), over.error)
      if (over !== undefined) return
      await changed.promise
    }
  } finally {
    signal.removeEventListener('abort', stop)
    gone.abort(new RopewalkError('ERR_STOPPED', 'the answer was read'))
  }
}

/** Reads one request, and writes what `answer` tells. The signal is aborted when who asked has gone. Never rejects. */
export async function answer (channel: Channel, work: Perform): Promise<void> {
  const gone = new AbortController()
  const lines = new Lines()
  const reader = new ByteReader(channel.source)
  const sunk = channel.sink(lines).catch((error: unknown) => { gone.abort(error) })
  try {
    const request = await readLine(reader, gone.signal)
    if (request === undefined) return
    await work(request, line => { lines.push(encode(line)) }, gone.signal)
    lines.push(encode({ done: true }))
  } catch (error) {
    lines.push(encode({ error: encodeError(error) }))
  } finally {
    lines.end()
    await sunk
  }
}

async function readLine (reader: ByteReader, signal: AbortSignal): Promise<Line | undefined> {
  const bytes = await reader.next(new JsonSplitter({ maxBytes: MAX_LINE_BYTES }), { signal })
  return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes)) as Line
}

function encode (line: Line): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(line)}\n`)
}

function encodeError (error: unknown): ErrorLine {
  const { text, advice = [] } = error instanceof RopewalkError ? error : {}
  return { code: codeOf(error), message: messageOf(error), text, advice }
}

function decodeError ({ code, message, text, advice }: ErrorLine, cause?: unknown): RopewalkError {
  return new RopewalkError(code as RopewalkErrorCode, message, { text, advice, cause })
}

function tooMany (): RopewalkError {
  return new RopewalkError('ERR_REFUSED', `${MAX_WAITING_LINES + 1} > ${MAX_WAITING_LINES} lines wait for a command that does not read them`)
}

/** Lines on their way out, bounded. */
class Lines implements AsyncIterable<Uint8Array> {
  readonly #lines: Uint8Array[] = []
  #ended = false
  #changed = Promise.withResolvers<void>()

  push (line: Uint8Array): void {
    if (this.#lines.length >= MAX_WAITING_LINES) throw tooMany()
    this.#lines.push(line)
    this.#wake()
  }

  end (): void {
    this.#ended = true
    this.#wake()
  }

  async * [Symbol.asyncIterator] (): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      for (let next = this.#lines.shift(); next !== undefined; next = this.#lines.shift()) yield next
      if (this.#ended) return
      await this.#changed.promise
    }
  }

  #wake (): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }
}
