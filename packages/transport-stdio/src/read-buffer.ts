/**
 * Where the bytes of a child are read into: buffers of ours, instead of a fresh one for each read.
 *
 * @module
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import type { Readable } from 'node:stream'
import { LEAST_READ_BYTES, READ_BUFFER_BYTES } from './constants.ts'

/** The bytes of a stream, lent instead of pushed. */
export interface Lending {
  readonly stream: Readable
  /** From now on bytes go to `take`, which is done with them when it returns, and by no way else. `keeps` asks for bytes that may be kept. */
  lendTo? (take: (bytes: Uint8Array, lent: boolean) => void, keeps: boolean): void
}

/**
 * The stdout of a child, which nobody has read from yet. Node offers buffers of one's own only for sockets that one makes oneself, so the handle
 * moves into a new one. Where this Node has no such handle, the stream comes back as it was.
 */
export function withReadBuffer (stdout: Readable): Lending {
  const holder = stdout as unknown as { _handle?: { useUserBuffer?: unknown } | null }
  const handle = holder._handle
  if (typeof handle?.useUserBuffer !== 'function') return { stream: stdout }

  let owned: Buffer = Buffer.alloc(0)
  let lent: Buffer | undefined
  let current: Buffer = owned
  let taken: { take (bytes: Uint8Array, lent: boolean): void } | undefined
  const onread: OnReadOpts = {
    buffer () {
      if (lent !== undefined) return current = lent
      if (owned.length < LEAST_READ_BYTES) owned = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)
      return current = owned
    },
    callback (length) {
      const bytes = current.subarray(0, length)
      if (current === owned) owned = owned.subarray(length)
      if (taken === undefined) return socket.push(bytes)
      taken.take(bytes, current === lent)
      // Whoever wants no more has paused the socket.
      return true
    }
  }
  holder._handle = null
  const options: unknown = { handle, readable: true, writable: false, manualStart: true, onread }
  const socket = new Socket(options as SocketConstructorOpts)
  return {
    stream: socket,
    lendTo (take, keeps) {
      taken = { take }
      if (!keeps) lent = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)
    }
  }
}
