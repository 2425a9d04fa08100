/**
 * A connection to an address, and a listener at one, whatever carries their bytes: TLS, tcp, a unix socket, or a WebSocket over one of the first two.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto'
import type { Connection, Listener } from '@ropewalk/interface'
import { dial, type DialOptions, fingerprintOf, type Identity, listen, requireTrust, TransportError } from '@ropewalk/transport-tcp'
import { formatAddress, formatHostPort, type NodeAddress } from './address.ts'
import { codeOf, messageOf, RopewalkError } from './errors.ts'

export interface ListenerOptions {
  /** What TLS shows. */
  readonly identity: Identity | undefined
  /** Which web pages may open a WebSocket, by their `Origin`: none where nothing is said. */
  readonly origins?: readonly string[] | undefined
  readonly onRefused: (error: Error) => void
}

/** Dials. Over TLS the peer is who `tls` and the fingerprint of the address say, or the connection does not come about: `ERR_UNTRUSTED`. */
export async function dialAddress (address: NodeAddress, options: DialOptions): Promise<Connection> {
  const { signal, timeoutMs, tls: { identity, verify, ca } = {} } = options
  if (address.web === undefined) return await dial(address, options)
  const { dial: dialWeb } = await webTransport()
  if (address.transport !== 'tls') return await dialWeb(urlOf(address), { signal, timeoutMs })
  const identify = async (certificate: Uint8Array): Promise<string> => {
    const shown = fingerprintOf(certificate)
    // As everywhere: only alternative names count, and Node would take the common name where there are none.
    if (ca !== undefined && new X509Certificate(certificate).subjectAltName === undefined) throw new TransportError('ERR_UNTRUSTED', 'the certificate names no host', { remote: true })
    await requireTrust(shown, { fingerprint: address.fingerprint, verify, authorized: ca !== undefined })
    return shown
  }
  try {
    return await dialWeb(urlOf(address), { signal, timeoutMs, tls: { ca, cert: identity?.certificate, key: identity?.privateKey, identify } })
  } catch (error) {
    if (ca !== undefined && codeOf(error) === 'ERR_TLS') throw new TransportError('ERR_UNTRUSTED', messageOf(error), { cause: error, remote: true })
    throw error
  }
}

/** Listens. Clients that show a key over TLS have its fingerprint in `remote`. `ERR_LISTEN` says what is in the way. */
export async function listenAddress (address: NodeAddress, { identity, origins = [], onRefused }: ListenerOptions): Promise<Listener<NodeAddress>> {
  try {
    if (address.web === undefined) return await listen(address, { tls: identity === undefined ? undefined : { identity, requestClientCertificate: true }, onRefused })
    const tls = address.transport !== 'tls' || identity === undefined ? undefined : { cert: identity.certificate, key: identity.privateKey, identify: fingerprintOf }
    const { listen: listenWeb } = await webTransport()
    const listener = await listenWeb(urlOf(address), { tls, origins, onRefused })
    const { port } = new URL(listener.address)
    const bound = address.transport === 'unix' || port === '' ? address : { ...address, port: Number(port) }
    return {
      address: bound.transport === 'tls' ? { ...bound, fingerprint: identity?.fingerprint } : bound,
      close: async () => { await listener.close() },
      [Symbol.asyncDispose]: async () => { await listener.close() },
      [Symbol.asyncIterator]: () => listener[Symbol.asyncIterator]()
    }
  } catch (error) {
    throw new RopewalkError('ERR_LISTEN', `cannot listen on ${formatAddress(address)}: ${messageOf(error)}`, { cause: error })
  }
}

/** Loaded where it is used: with it come HTTP and 14 MB of memory. */
async function webTransport (): Promise<typeof import('@ropewalk/transport-ws/node')> {
  return await import('@ropewalk/transport-ws/node')
}

function urlOf (address: NodeAddress): string {
  if (address.transport === 'unix') throw new TypeError('a WebSocket has a host')
  return `${address.transport === 'tls' ? 'wss' : 'ws'}://${formatHostPort(address)}${address.web ?? '/'}`
}
