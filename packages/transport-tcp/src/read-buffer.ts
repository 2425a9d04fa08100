/**
 * Where the bytes of a socket are read into. With `onread` the kernel writes into a buffer of ours instead of a fresh one for each read.
 *
 * @module
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { LARGE_READ_BYTES, LENT_BUFFER_BYTES, LITTER_ITEMS, OWNED_BUFFER_BYTES, OWNED_RECORDS_BYTES, RECORDS_LITTER_ITEMS, SMALL_READS } from './constants.ts'
import type { Inbound } from './inbound.ts'

/**
 * The buffer that is lent. On POSIX systems a read into it and the callback about that read are one step of the event loop,
 * so that all sockets of a thread share one; on Windows a read may be pending, so that every socket has its own.
 */
let shared: Uint8Array | undefined

/**
 * The young generation is collected when its own heap is full, whatever the buffers that hang on it weigh; what weighs calls for a
 * collection of everything, each 64 MiB, and each 10 MiB where the heap is small. Bulk makes few objects and many buffers, so that
 * it meets only the second, ten times as dear. Arrays of no use beside each buffer fill the young heap in time, and the buffers that
 * were used up go with it. Measured in V8 13.6, over TLS in a node with a small heap: 98 collections of everything in 1 GiB without,
 * 4 with it, and half of the processor time.
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
  /** Reads without a large one. Memory of its own for each of a thousand connections that say little would be lost on them. */
  #small = SMALL_READS
  #current: Uint8Array
  readonly #sizes: { readonly ownedBytes: number, readonly litterItems: number }

  constructor (sizes: { readonly ownedBytes: number, readonly litterItems: number } = { ownedBytes: OWNED_BUFFER_BYTES, litterItems: LITTER_ITEMS }) {
    this.#sizes = sizes
    this.#current = this.#lend()
    this.onread = {
      buffer: () => {
        this.#current = this.#inbound?.lends === false && this.#small < SMALL_READS ? this.#give() : this.#lend()
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
    this.#small = length >= LARGE_READ_BYTES ? 0 : this.#small + 1
    // What was just read into it is copied below.
    if (this.#small === SMALL_READS) this.#owned = undefined

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
    const { ownedBytes, litterItems } = this.#sizes
    if (this.#owned === undefined || this.#owned.length - this.#used < ownedBytes / 4) {
      this.#owned = Buffer.allocUnsafeSlow(ownedBytes)
      litter = new Array(litterItems)
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

/** How a net.Socket keeps its `onread` to itself. */
interface Reading {
  _handle?: { useUserBuffer? (buffer: Uint8Array): unknown } | null
  [key: symbol]: unknown
}

/**
 * Makes the TLS socket read into a ReadBuffer from now on; what it had read before still comes as 'data'. Node offers that only for
 * TLS sockets that open their own TCP socket, so what `onread` does is done here; without it each record of 16 KiB costs a buffer.
 * Where this Node has other insides, nothing is changed.
 */
export function readIntoBuffer (socket: TLSSocket, inbound: Inbound): void {
  const reading = socket as unknown as Reading
  const [buffer, next, callback] = ['kBuffer', 'kBufferGen', 'kBufferCb'].map(name => Object.getOwnPropertySymbols(socket).find(({ description }) => description === name))
  const handle = reading._handle
  if (typeof handle?.useUserBuffer !== 'function' || buffer === undefined || next === undefined || callback === undefined) return

  const readBuffer = new ReadBuffer({ ownedBytes: OWNED_RECORDS_BYTES, litterItems: RECORDS_LITTER_ITEMS })
  readBuffer.serve(inbound)
  const { onread } = readBuffer
  const first = (onread.buffer as () => Uint8Array)()
  reading[buffer] = first
  reading[next] = onread.buffer
  reading[callback] = onread.callback
  handle.useUserBuffer(first)
}
