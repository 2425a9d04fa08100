/**
 * Where the bytes of a socket are read into. With `onread` the kernel writes into a buffer of ours instead of a fresh one for each read.
 *
 * @module
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import { LEAST_READ_BYTES, LENT_BUFFER_BYTES, LITTER_ITEMS, OWNED_BUFFER_BYTES } from './constants.ts'
import type { Inbound } from './inbound.ts'

/**
 * The buffer that is lent. On POSIX systems a read into it and the callback about that read are one step of the event loop,
 * so that all sockets of a thread share one; on Windows a read may be pending, so that every socket has its own.
 */
let shared: Uint8Array | undefined

/**
 * The young generation is collected when its own heap is full, whatever the buffers that hang on it weigh; what weighs calls for a
 * collection of everything, each 64 MiB. Bulk makes few objects and many buffers, so that it meets only the second, ten times as
 * dear. An array of no use beside each buffer fills the young heap in time, and the buffers that were used up go with it.
 * Measured in V8 13.6: 50 collections of everything in 2 GiB without it, 12 in 6 GiB with it, and half of the processor time.
 */
let litter: unknown[]

/** The `onread` of one socket, made before the socket is and told later who takes the bytes. */
export class ReadBuffer {
  readonly onread: OnReadOpts
  #inbound: Inbound | undefined
  #lent: Uint8Array | undefined
  /** Read into and given away piece by piece, for a consumer that keeps what it gets. */
  #owned: Uint8Array | undefined
  #used = 0
  #current: Uint8Array

  constructor () {
    this.#current = this.#lend()
    this.onread = {
      buffer: () => {
        this.#current = this.#inbound?.lends === false ? this.#give() : this.#lend()
        return this.#current
      },
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

  #receive (length: number): void {
    const inbound = this.#inbound
    const { buffer, byteOffset } = this.#current
    const bytes = new Uint8Array(buffer, byteOffset, length)

    if (buffer === this.#owned?.buffer) {
      this.#used += length
      inbound?.receive(bytes, false)
    } else {
      // Read before anybody had said what to do with it, or for somebody who has changed his mind since.
      const lent = inbound?.lends === true
      inbound?.receive(lent ? bytes : bytes.slice(), lent)
    }
  }

  #give (): Uint8Array {
    if (this.#owned === undefined || this.#owned.length - this.#used < LEAST_READ_BYTES) {
      this.#owned = Buffer.allocUnsafeSlow(OWNED_BUFFER_BYTES)
      litter = new Array(LITTER_ITEMS)
      void litter
      this.#used = 0
    }
    return this.#owned.subarray(this.#used)
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
