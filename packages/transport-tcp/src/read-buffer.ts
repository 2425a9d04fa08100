/**
 * Where the bytes of a socket are read into. With `onread` the kernel writes into a buffer of ours instead of a fresh one for each read.
 *
 * @module
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import { LENT_BUFFER_BYTES, OWNED_BUFFER_BYTES } from './constants.ts'
import type { Inbound } from './inbound.ts'

/**
 * The buffer that is lent. On POSIX systems a read into it and the callback about that read are one step of the event loop,
 * so that all sockets of a thread share one; on Windows a read may be pending, so that every socket has its own.
 */
let shared: Uint8Array | undefined

/** The `onread` of one socket, made before the socket is and told later who takes the bytes. */
export class ReadBuffer {
  readonly onread: OnReadOpts
  #inbound: Inbound | undefined
  #lent: Uint8Array | undefined
  /** Read into and then given away, for a consumer that keeps what it gets. */
  #owned: Uint8Array | undefined
  #current: Uint8Array

  constructor () {
    this.#current = this.#lend()
    this.onread = {
      buffer: () => this.#next(),
      callback: length => {
        this.#receive(length)
        // False would stop the reading behind the socket's back: whoever wants that pauses the socket.
        return true
      }
    }
  }

  serve (inbound: Inbound): void {
    this.#inbound = inbound
  }

  #next (): Uint8Array {
    this.#current = this.#inbound == null || this.#inbound.lends
      ? this.#lend()
      : this.#owned ??= Buffer.allocUnsafeSlow(OWNED_BUFFER_BYTES)
    return this.#current
  }

  #receive (length: number): void {
    const bytes = new Uint8Array(this.#current.buffer, this.#current.byteOffset, length)
    const inbound = this.#inbound

    if (inbound?.lends === true) {
      inbound.receive(bytes)
    } else if (this.#current === this.#owned && length >= OWNED_BUFFER_BYTES / 2) {
      // Full enough to be kept as it is.
      this.#owned = undefined
      inbound?.receive(bytes)
    } else {
      inbound?.receive(bytes.slice())
    }
  }

  #lend (): Uint8Array {
    if (process.platform === 'win32') return this.#lent ??= Buffer.allocUnsafeSlow(LENT_BUFFER_BYTES)
    return shared ??= Buffer.allocUnsafeSlow(LENT_BUFFER_BYTES)
  }
}

/**
 * The accepted, still paused `socket` as one that reads into a ReadBuffer. Node offers that only for sockets that one makes oneself,
 * so its handle moves into a new socket. Where this Node has no such handle, the socket comes back as it was.
 */
export function withReadBuffer (accepted: Socket): { socket: Socket, readBuffer?: ReadBuffer } {
  const holder = accepted as unknown as { _handle?: { useUserBuffer?: unknown } | null }
  const handle = holder._handle
  if (typeof handle?.useUserBuffer !== 'function') return { socket: accepted }

  const readBuffer = new ReadBuffer()
  holder._handle = null
  const options: unknown = { handle, allowHalfOpen: true, onread: readBuffer.onread }
  const socket = new Socket(options as SocketConstructorOpts)
  socket.pause()
  return { socket, readBuffer }
}
