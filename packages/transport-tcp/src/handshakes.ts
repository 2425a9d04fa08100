/**
 * TLS handshakes of clients: bounded in number and in time, and each on its own, so that a bad one harms nobody else.
 *
 * @module
 */
import type { Socket } from 'node:net'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { remoteAddress } from './connection.ts'
import { TransportError, transportError } from './errors.ts'
import type { ListenTlsOptions } from './listen.ts'
import { peerFingerprint } from './trust.ts'

export class Handshakes {
  readonly #options: ListenTlsOptions
  readonly #context: SecureContext
  readonly #max: number
  readonly #timeoutMs: number
  readonly #underWay = new Set<Socket>()

  constructor (options: ListenTlsOptions, max: number, timeoutMs: number) {
    this.#options = options
    this.#max = max
    this.#timeoutMs = timeoutMs
    this.#context = createSecureContext({
      cert: options.identity.certificate,
      key: options.identity.privateKey,
      minVersion: 'TLSv1.3',
      // OpenSSL wants one wherever clients are asked for certificates, or it fails those that resume a session.
      sessionIdContext: 'ropewalk'
    })
  }

  /** Either `done` or `failed` is called, once. */
  begin (carrier: Socket, done: (socket: TLSSocket, fingerprint: string | undefined) => void, failed: (error: TransportError) => void): void {
    const address = remoteAddress(carrier)

    if (this.#underWay.size >= this.#max) {
      carrier.destroy()
      failed(new TransportError('ERR_TLS', `${address} refused: ${this.#max} handshakes are under way`))
      return
    }

    const { requestClientCertificate = false, alpn } = this.#options
    const socket = new TLSSocket(carrier, {
      isServer: true,
      secureContext: this.#context,
      requestCert: requestClientCertificate,
      // Clients sign their own certificates; the handshake still proves that they hold the key.
      rejectUnauthorized: false,
      ...(alpn == null ? {} : { ALPNProtocols: alpn })
    })
    let error: TransportError | undefined

    const settle = (): void => {
      clearTimeout(timer)
      this.#underWay.delete(socket)
      socket.off('secure', onSecure)
      socket.off('end', onEnd)
      socket.off('error', onError)
      socket.off('close', onClose)
    }
    const onSecure = (): void => {
      settle()
      done(socket, requestClientCertificate ? peerFingerprint(socket) : undefined)
    }
    // Half-open is for those who have shaken hands.
    const onEnd = (): void => { socket.destroy() }
    const onError = (cause: Error): void => {
      error ??= new TransportError('ERR_TLS', `${address}: ${cause.message}`, { cause, remote: transportError(cause).remote })
    }
    const onClose = (): void => {
      settle()
      failed(error ?? new TransportError('ERR_CONNECTION_LOST', `${address} left during the handshake`, { remote: true }))
    }
    const timer = setTimeout(() => {
      error = new TransportError('ERR_TIMEOUT', `${address}: no handshake within ${this.#timeoutMs} ms`, { remote: true })
      socket.destroy()
    }, this.#timeoutMs)

    this.#underWay.add(socket)
    socket.on('error', ignore)
    socket.on('error', onError)
    socket.on('secure', onSecure)
    socket.on('end', onEnd)
    socket.on('close', onClose)
  }

  close (): void {
    for (const socket of this.#underWay) socket.destroy()
  }
}

function ignore (): void {}
