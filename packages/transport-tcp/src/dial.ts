/**
 * Opening connections.
 *
 * @module
 */
import { connect as connectSocket, isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls'
import type { AbortOptions, Connection } from '@ropewalk/interface'
import { type Address, checkAddress, formatHostPort, type TcpAddress, type TlsAddress, type UnixAddress } from './address.ts'
import { SocketConnection, type SocketOptions } from './connection.ts'
import { DIAL_TIMEOUT_MS } from './constants.ts'
import { TransportError, transportError } from './errors.ts'
import type { Identity } from './identity.ts'
import { ReadBuffer } from './read-buffer.ts'
import { peerFingerprint, requireTrust } from './trust.ts'

export interface DialOptions extends AbortOptions, SocketOptions {
  /** For everything until the connection is there and trusted. */
  timeoutMs?: number | undefined
  tls?: DialTlsOptions | undefined
}

export interface DialTlsOptions {
  /** Shown to a server that asks who we are. */
  identity?: Identity | undefined
  /** Decides about a peer that the address has no fingerprint for. Without it, and without `ca`, such a peer is refused. */
  verify?: ((fingerprint: string) => boolean | Promise<boolean>) | undefined
  /** PEM of the authorities whose certificates are trusted; the certificate must also name the host. */
  ca?: string | string[] | undefined
  /** Protocols that we speak, most wanted first. */
  alpn?: string[] | undefined
}

/** Opens a connection. Rejects with a TransportError, or with the signal's reason. */
export async function dial (address: Address, options: DialOptions = {}): Promise<Connection> {
  const { signal, timeoutMs = DIAL_TIMEOUT_MS } = options
  signal?.throwIfAborted()
  checkAddress(address)

  const attempt = new Attempt(signal, timeoutMs, describe(address))

  try {
    return address.transport === 'tls'
      ? await dialTls(address, options, attempt)
      : await dialPlain(address, options, attempt)
  } catch (error) {
    attempt.destroy()
    throw error
  } finally {
    attempt.finish()
  }
}

async function dialPlain (address: TcpAddress | UnixAddress, options: SocketOptions, attempt: Attempt): Promise<Connection> {
  const readBuffer = new ReadBuffer()
  const where = address.transport === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
  const socket = connectSocket({ ...where, allowHalfOpen: true, onread: readBuffer.onread })
  // Nothing is read until somebody asks for it.
  socket.pause()
  await attempt.until(socket, 'connect')

  return new SocketConnection(socket, { address: describe(address) }, options, { readBuffer })
}

async function dialTls (address: TlsAddress, options: DialOptions, attempt: Attempt): Promise<Connection> {
  const { host, port, fingerprint } = address
  const { identity, verify, ca, alpn } = options.tls ?? {}
  const carrier = connectSocket({ host, port, allowHalfOpen: true, noDelay: true })
  await attempt.until(carrier, 'connect')

  const socket = connectTls({
    socket: carrier,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    minVersion: 'TLSv1.3',
    // Peers sign their own certificates: whom to trust is decided below, before the connection is handed out.
    rejectUnauthorized: false,
    ...(ca == null ? {} : { ca, checkServerIdentity: checkNames }),
    ...(alpn == null ? {} : { ALPNProtocols: alpn }),
    ...(identity == null ? {} : { cert: identity.certificate, key: identity.privateKey })
  })
  await attempt.until(socket, 'secureConnect')

  const shown = peerFingerprint(socket)
  if (shown == null) throw new TransportError('ERR_UNTRUSTED', 'the peer has shown no certificate', { remote: true })
  if (ca != null) requireAuthority(socket, shown)
  await attempt.race(requireTrust(shown, { fingerprint, verify, authorized: ca != null }))

  return new SocketConnection(socket, { address: describe(address), fingerprint: shown }, options, { carrier })
}

/** Only alternative names count. Node would take the common name where there are none. */
function checkNames (host: string, certificate: PeerCertificate): Error | undefined {
  return certificate.subjectaltname == null
    ? Object.assign(new Error('the certificate names no host'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    : checkServerIdentity(host, certificate)
}

function requireAuthority (socket: TLSSocket, shown: string): void {
  if (socket.authorized) return
  throw new TransportError('ERR_UNTRUSTED', `no authority vouches for the peer's key sha256=${shown}: ${String(socket.authorizationError)}`, { remote: true })
}

function describe (address: Address): string {
  return address.transport === 'unix' ? `unix:${address.path}` : formatHostPort(address.host, address.port)
}

/** One attempt to connect: its deadline, its signal, and the sockets that go away when it fails. */
class Attempt {
  readonly #signal: AbortSignal | undefined
  readonly #name: string
  readonly #timer: NodeJS.Timeout
  #stopped: { error: unknown } | undefined
  #socket: Socket | undefined
  #reject: ((error: unknown) => void) | undefined

  constructor (signal: AbortSignal | undefined, timeoutMs: number, name: string) {
    this.#signal = signal
    this.#name = name
    this.#timer = setTimeout(() => {
      this.#stop(new TransportError('ERR_TIMEOUT', `no connection to ${name} within ${timeoutMs} ms`))
    }, timeoutMs)
    signal?.addEventListener('abort', this.#onAbort)
  }

  /** Resolves when `socket` emits `event`. */
  until (socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
    this.#socket = socket
    // Stays: an error may come when nobody waits any more.
    socket.on('error', ignore)

    let onEvent: () => void
    let onError: (error: Error) => void
    let onClose: () => void

    const settled = new Promise<void>((resolve, reject) => {
      onEvent = resolve
      onError = error => reject(this.#describe(error, event))
      onClose = () => reject(new TransportError('ERR_CONNECTION_LOST', `${this.#name} closed the connection before it was ready`, { remote: true }))
      socket.on(event, onEvent)
      socket.on('error', onError)
      socket.on('close', onClose)
    })

    return this.race(settled).finally(() => {
      socket.off(event, onEvent)
      socket.off('error', onError)
      socket.off('close', onClose)
    })
  }

  /** Settles as `promise` does, or rejects when time is up or the signal aborts. */
  race<T> (promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#reject = reject
      promise.then(resolve, reject)
      if (this.#stopped != null) reject(this.#stopped.error)
    })
  }

  /** Ends the attempt; the sockets live on. */
  finish (): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  destroy (): void {
    this.#socket?.destroy()
  }

  #describe (error: Error, event: 'connect' | 'secureConnect'): TransportError {
    const coded = transportError(error, event === 'connect' ? 'connect' : 'open')
    return new TransportError(coded.code, `${this.#name}: ${coded.message}`, { cause: error, remote: coded.remote })
  }

  #stop (error: unknown): void {
    this.#stopped ??= { error }
    this.#reject?.(error)
  }

  readonly #onAbort = (): void => this.#stop(this.#signal?.reason)
}

function ignore (): void {}
