import type { AbortOptions, Connection } from '@ropewalk/interface'
import { join } from './bytes.ts'
import { TestingError } from './errors.ts'
import { dump } from './hexdump.ts'
import { Script } from './script.ts'

/** Whatever a peer sent before it was gone, and how it went: no error means a clean end. */
export interface LastWords {
  readonly bytes: Uint8Array
  readonly error?: Error
}

/** Speaks raw bytes by hand. Whatever waits fails with `ERR_TIMEOUT` when its signal, or the one of `scriptedPeer`, aborts. */
export interface ScriptedPeer {
  /** Sends `bytes` as they are. Resolves once the connection has taken them. */
  send (bytes: Uint8Array, options?: AbortOptions): Promise<void>
  /** Exactly `length` bytes; `ERR_UNEXPECTED_END` when the peer ends before. */
  read (length: number, options?: AbortOptions): Promise<Uint8Array>
  /** The next bytes must be these; fails at the first that is not, without waiting for the rest. */
  expect (bytes: Uint8Array, options?: AbortOptions): Promise<void>
  /** Everything up to the peer's clean end. */
  readUntilEnd (options?: AbortOptions): Promise<Uint8Array>
  /** Everything until the peer has ended or broken the connection off; never fails for the peer's sake. */
  readUntilGone (options?: AbortOptions): Promise<LastWords>
  /** Ends what is sent; what is received goes on. Resolves once the connection has taken it. */
  end (options?: AbortOptions): Promise<void>
  /** Breaks the connection off. */
  die (reason?: Error): void
}

/** A peer that says exactly what a test wants said, right or wrong. `maxBytes` (64 MiB) bounds what `readUntilEnd` keeps. */
export function scriptedPeer (connection: Connection, defaults: AbortOptions & { maxBytes?: number } = {}): ScriptedPeer {
  const script = new Script()
  const sent = connection.sink(script)
  sent.catch(() => {})
  const inbox = new Inbox(connection, defaults.maxBytes ?? 64 * 1024 * 1024)

  async function within<T> (wait: Promise<T>, options: AbortOptions, doing: () => string): Promise<T> {
    const signals = [defaults.signal, options.signal].filter(signal => signal != null)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const expire = (): void => {
      reject(new TestingError('ERR_TIMEOUT', `${doing()}\nheld:\n${dump(inbox.peek())}`, { cause: signals.find(signal => signal.aborted)?.reason }))
    }
    wait.then(resolve, reject)
    for (const signal of signals) signal.addEventListener('abort', expire)
    if (signals.some(signal => signal.aborted)) expire()
    try {
      return await promise
    } finally {
      for (const signal of signals) signal.removeEventListener('abort', expire)
    }
  }

  async function read (length: number, options: AbortOptions = {}): Promise<Uint8Array> {
    while (inbox.length < length) {
      if (!await within(inbox.more(), options, () => `read ${inbox.length} of ${length} bytes in time`)) {
        throw new TestingError('ERR_UNEXPECTED_END', `the peer ended after ${inbox.length} of ${length} bytes:\n${dump(inbox.peek())}`, { remote: true })
      }
    }
    return inbox.take(length)
  }

  async function readUntilEnd (options: AbortOptions = {}): Promise<Uint8Array> {
    while (await within(inbox.more(), options, () => `${inbox.length} bytes came, but no end in time`)) continue
    return inbox.take(inbox.length)
  }

  return {
    read,
    readUntilEnd,
    async readUntilGone (options = {}): Promise<LastWords> {
      try {
        return { bytes: await readUntilEnd(options) }
      } catch (error) {
        if (error instanceof TestingError && (error.code === 'ERR_TIMEOUT' || error.code === 'ERR_TOO_LONG')) throw error
        return { bytes: inbox.take(inbox.length), error: error as Error }
      }
    },
    async expect (wanted, options = {}): Promise<void> {
      let matched = 0
      while (matched < wanted.byteLength) {
        if (inbox.length === 0) {
          const more = await within(inbox.more(), options, () => `${matched} of ${wanted.byteLength} expected bytes came in time\nwanted:\n${dump(wanted)}`)
          if (!more) throw new TestingError('ERR_UNEXPECTED_END', `the peer ended after ${matched} of ${wanted.byteLength} expected bytes\nwanted:\n${dump(wanted)}`, { remote: true })
        }
        const came = inbox.take(Math.min(inbox.length, wanted.byteLength - matched))
        const wrong = came.findIndex((byte, index) => byte !== wanted[matched + index])
        if (wrong >= 0) {
          const at = matched + wrong
          throw new TestingError('ERR_UNEXPECTED_BYTES', `byte ${at} differs; from there on wanted:\n${dump(wanted.subarray(at))}\ncame:\n${dump(came.subarray(wrong))}`, { remote: true })
        }
        matched += came.byteLength
      }
    },
    async send (bytes, options = {}): Promise<void> {
      await within(Promise.race([script.say(bytes), sent]), options, () => `the peer did not take ${bytes.byteLength} bytes in time`)
    },
    async end (options = {}): Promise<void> {
      script.close()
      await within(sent, options, () => 'the peer did not take the end in time')
    },
    die (reason = new TestingError('ERR_RESET', 'the script says: die')): void {
      connection.abort(reason)
    }
  }
}

/** What has come and was not read yet. A wait that was given up loses nothing. */
class Inbox {
  readonly #iterator: AsyncIterator<Iterable<Uint8Array>>
  readonly #maxBytes: number
  #held: Uint8Array[] = []
  #pending: Promise<boolean> | undefined
  length = 0

  constructor (connection: Connection, maxBytes: number) {
    this.#iterator = connection.source[Symbol.asyncIterator]()
    this.#maxBytes = maxBytes
  }

  /** Waits for more bytes; false at the end. */
  more (): Promise<boolean> {
    this.#pending ??= this.#receive().finally(() => { this.#pending = undefined })
    return this.#pending
  }

  /** Everything held, without taking it. */
  peek (): Uint8Array {
    if (this.#held.length !== 1) this.#held = [join(this.#held, this.length)]
    return this.#held[0] as Uint8Array
  }

  take (length: number): Uint8Array {
    const held = this.peek()
    this.#held = [held.subarray(length)]
    this.length -= length
    return held.subarray(0, length)
  }

  async #receive (): Promise<boolean> {
    const result = await this.#iterator.next()
    if (result.done === true) return false
    for (const piece of result.value) {
      this.#held.push(piece)
      this.length += piece.byteLength
    }
    if (this.length > this.#maxBytes) throw new TestingError('ERR_TOO_LONG', `${this.length} > ${this.#maxBytes} bytes`)
    return true
  }
}
