/**
 * The library that opens sockets of packets, which Node itself cannot: optional, native, and loaded when somebody needs it.
 *
 * @module
 */
import { TransportError } from './errors.ts'

/** What is used of `node-unix-socket`. */
export interface Library {
  readonly SeqpacketSocket: new () => PacketSocket
  readonly SeqpacketServer: new () => PacketServer
}

export interface PacketSocket {
  on (event: 'data', listener: (packet: Uint8Array) => void): unknown
  on (event: 'error', listener: (error: Error) => void): unknown
  on (event: 'end' | 'close', listener: () => void): unknown
  connect (path: string, connected: () => void): void
  write (packet: Buffer, offset: number, length: number, written: () => void): void
  /** Ends our direction once everything is written. */
  end (ended: () => void): void
  setInternalReadBufferSize (bytes: number): void
  destroy (): void
}

export interface PacketServer {
  on (event: 'connection', listener: (socket: PacketSocket) => void): unknown
  on (event: 'error', listener: (error: Error) => void): unknown
  listen (path: string, backlog: number): void
  close (): void
}

/** Where the library comes from, and on what system; arguments for tests. */
export interface Place {
  readonly platform?: string | undefined
  readonly load?: (() => Promise<unknown>) | undefined
}

/** Loads it, or says in words that help why it is not to be had: `ERR_UNAVAILABLE`. */
export async function library ({ platform = process.platform, load = async () => await import('node-unix-socket') }: Place = {}): Promise<Library> {
  if (platform !== 'linux') throw new TransportError('ERR_UNAVAILABLE', `sockets of packets (SOCK_SEQPACKET) are there on Linux, not on ${platform}: use a unix socket of streams`)
  try {
    const loaded = await load() as Library & { readonly default?: Library }
    return loaded.default ?? loaded
  } catch (cause) {
    const advice = 'sockets of packets (SOCK_SEQPACKET) need the optional package node-unix-socket, which is made for x64 and arm64 with glibc or musl'
    throw new TransportError('ERR_UNAVAILABLE', `${advice}; it cannot be loaded: ${(cause as Error).message.split('\n')[0] ?? ''}`, { cause })
  }
}
