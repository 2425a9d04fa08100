import type { AbortOptions, Connection } from '@ropewalk/interface'
import { checkAddress, formatAddress, type SeqpacketAddress } from './address.ts'
import { PacketConnection, type SocketOptions } from './connection.ts'
import { TransportError } from './errors.ts'
import { library } from './library.ts'
import { probe } from './probe.ts'

export interface DialOptions extends AbortOptions, SocketOptions {}

/** Opens a connection. Rejects with a TransportError, or with the signal's reason. */
export async function dial (address: SeqpacketAddress, options: DialOptions = {}): Promise<Connection> {
  const { signal } = options
  signal?.throwIfAborted()
  checkAddress(address)
  const { SeqpacketSocket } = await library()
  signal?.throwIfAborted()

  const socket = new SeqpacketSocket()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onAbort = (): void => { reject(signal?.reason) }
  signal?.addEventListener('abort', onAbort)
  try {
    socket.on('error', reject)
    try {
      socket.connect(address.path, resolve)
    } catch (error) {
      throw await connectError(error, address)
    }
    // Before a packet can come: it listens from here on.
    const connection = new PacketConnection(socket, { address: formatAddress(address) }, options)
    await promise
    return connection
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

async function connectError (cause: unknown, address: SeqpacketAddress): Promise<TransportError> {
  const code = await probe(address.path)
  const remote = code === 'ECONNREFUSED'
  return new TransportError('ERR_CONNECT', `${formatAddress(address)}: ${WORDS[code] ?? code}`, { cause: Object.assign(new Error(code), { code, cause }), remote })
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ECONNREFUSED: 'nobody listens there',
  connected: 'the socket there is one of streams, not of packets',
  EPROTOTYPE: 'it takes nobody now'
}
