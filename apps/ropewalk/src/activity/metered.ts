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
    sink: (source, options = {}) => connection.sink(outgoing(source, meter, options), options),
    abort: reason => { connection.abort(reason) },
    [Symbol.asyncDispose]: async () => { await connection[Symbol.asyncDispose]() },
    ...attach === undefined ? {} : { attach: (receiver: ByteReceiver) => attached(attach.bind(connection), receiver, meter) }
  }
}

async function * outgoing (source: Source<Bytes>, { sent, gate }: Meter, options: AbortOptions): AsyncGenerator<Bytes, void, undefined> {
  for await (const bytes of source) {
    const wait = gate?.send(bytes.byteLength, options)
    if (wait !== undefined) await wait
    sent(bytes.byteLength)
    yield bytes
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
