import type { AbortOptions, ByteFlow, ByteReceiver, Bytes, Connection, Source } from '@ropewalk/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

/** What bytes wait for: shared limits. */
export interface Gate {
  /** Bytes are to go out: resolves when they may; undefined: at once. */
  send (bytes: number, options: AbortOptions): Promise<void> | undefined
  /** Bytes came in: resolves when more may be read; undefined: at once. Never rejects. */
  receive (bytes: number): Promise<void> | undefined
}

export interface Meter {
  readonly received: (bytes: number) => void
  readonly sent: (bytes: number) => void
  readonly gate?: Gate | undefined
}

/** `connection`, with every byte counted, and held back where a gate says so. The fast lane stays one. */
export function metered (connection: Connection, meter: Meter): Connection {
  const { attach } = connection
  return {
    remote: connection.remote,
    get source () { return counted(connection.source, meter) },
    sink: (source, options = {}) => connection.sink(new Outgoing(source, meter, options), options),
    abort: reason => { connection.abort(reason) },
    [Symbol.asyncDispose]: async () => { await connection[Symbol.asyncDispose]() },
    ...attach === undefined ? {} : { attach: (receiver: ByteReceiver) => attached(attach.bind(connection), receiver, meter) }
  }
}

/** No generator: all that goes out passes here, and nothing waits where no gate holds it back. */
class Outgoing implements AsyncIterableIterator<Bytes> {
  readonly #source: AsyncIterator<Bytes> | Iterator<Bytes>
  readonly #meter: Meter
  readonly #options: AbortOptions

  constructor (source: Source<Bytes>, meter: Meter, options: AbortOptions) {
    this.#source = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
    this.#meter = meter
    this.#options = options
  }

  async next (): Promise<IteratorResult<Bytes>> {
    const result = await this.#source.next()
    if (result.done === true) return result
    const { byteLength } = result.value
    const wait = this.#meter.gate?.send(byteLength, this.#options)
    if (wait !== undefined) await wait.catch(async (error: unknown) => { await this.return(); throw error })
    this.#meter.sent(byteLength)
    return result
  }

  async return (): Promise<IteratorResult<Bytes>> {
    await this.#source.return?.()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator] (): this {
    return this
  }
}

async function * counted (source: AsyncIterable<Uint8ArrayList>, { received, gate }: Meter): AsyncGenerator<Uint8ArrayList, void, undefined> {
  for await (const bytes of source) {
    received(bytes.byteLength)
    const wait = gate?.receive(bytes.byteLength)
    yield bytes
    if (wait !== undefined) await wait
  }
}

/** What came is handed on at once, and then the transport is not read for as long as that was too much. */
function attached (attach: (receiver: ByteReceiver) => ByteFlow, receiver: ByteReceiver, { received, gate }: Meter): ByteFlow {
  let [held, paused] = [0, false]
  const flow = attach({
    get keeps () { return receiver.keeps === true },
    bytes: (bytes, lent) => {
      received(bytes.length)
      const wait = gate?.receive(bytes.length)
      if (wait !== undefined) {
        held++
        flow.pause()
        void wait.then(() => {
          held--
          if (held === 0 && !paused) flow.resume()
        })
      }
      receiver.bytes(bytes, lent)
    },
    end: error => { receiver.end(error) }
  })
  return {
    pause: () => {
      paused = true
      flow.pause()
    },
    resume: () => {
      paused = false
      if (held === 0) flow.resume()
    }
  }
}
