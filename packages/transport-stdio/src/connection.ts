/**
 * Two pipes, one to read and one to write, as a Connection.
 *
 * @module
 */
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { AbortOptions, ByteFlow, ByteReceiver, Bytes, Connection, RemoteInfo, Source } from '@ropewalk/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { CLOSE_TIMEOUT_MS } from './constants.ts'
import { closedHere, pipeError, TransportError } from './errors.ts'
import { Inbound } from './inbound.ts'
import { Outbound } from './outbound.ts'
import type { Lending } from './read-buffer.ts'

export interface PipeOptions {
  /** How long a graceful close waits for the peer's end, and for a child's exit, before it is broken off. */
  closeTimeoutMs?: number | undefined
}

/** Whoever the pipes lead to. */
export interface Peer {
  /** The pipe that we read has ended: resolves where that was the peer's end of data, and rejects where it was not. */
  judge (sending: boolean): Promise<void>
  /** The pipe that we write is broken: what of. */
  explain (error: TransportError): Promise<TransportError>
  /** The connection is broken off. */
  abort (): void
  /** Resolves once there is nothing more to wait for, both pipes being over. */
  gone (): Promise<void>
}

export class PipeConnection implements Connection {
  readonly remote: RemoteInfo
  readonly #input: Readable
  readonly #output: Writable
  readonly #peer: Peer
  readonly #closeTimeoutMs: number
  readonly #inbound: Inbound
  readonly #outbound: Outbound
  readonly #over: PromiseWithResolvers<void> = Promise.withResolvers<void>()
  #inputOver = false
  #outputOver = false
  #aborted = false
  #closing: NodeJS.Timeout | undefined

  constructor (input: Lending, output: Writable, remote: RemoteInfo, peer: Peer, options: PipeOptions) {
    this.remote = remote
    this.#input = input.stream
    this.#output = output
    this.#peer = peer
    this.#closeTimeoutMs = options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS
    this.#inbound = new Inbound(input, {
      judge: () => peer.judge(!this.#outbound.finished),
      left: () => { if (this.#outbound.finished) this.#limitClose() },
      over: () => {
        this.#inputOver = true
        this.#settle()
      }
    })
    this.#outbound = new Outbound(output, reason => this.abort(reason))

    // Stays for good: an 'error' that nobody listens to ends the process.
    output.on('error', error => { void this.#broken(pipeError(error)) })
    output.on('drain', this.#onDrain)
    output.on('finish', this.#onFinish)
    output.on('close', this.#onClose)
    if (output.destroyed || output.writableEnded) queueMicrotask(this.#onClose)
  }

  /** Of a stream that somebody else has made, nobody knows when it has done with what it was given. */
  get releases (): boolean {
    return this.#output instanceof Socket
  }

  get source (): AsyncIterable<Uint8ArrayList> {
    return this.#inbound
  }

  attach (receiver: ByteReceiver): ByteFlow {
    return this.#inbound.attach(receiver)
  }

  sink (source: Source<Bytes>, options?: AbortOptions): Promise<void> {
    return this.#outbound.sink(source, options)
  }

  abort (reason: Error = closedHere()): void {
    this.#inbound.abort(reason)
    this.#outbound.fail(reason)
    if (this.#aborted) return

    this.#aborted = true
    clearTimeout(this.#closing)
    this.#input.destroy()
    this.#output.destroy()
    this.#peer.abort()
  }

  /** Ends our direction, lets a running sink finish, drops what the peer still sends, and waits for its end. */
  async [Symbol.asyncDispose] (): Promise<void> {
    this.#inbound.abort(closedHere())
    this.#outbound.end()
    this.#limitClose()
    await this.#over.promise
    await this.#peer.gone()
    this.#settled()
  }

  readonly #onDrain = (): void => this.#outbound.drained()

  readonly #onFinish = (): void => {
    this.#outbound.finish()
    this.#endOutput()
    if (this.#inbound.left) this.#limitClose()
  }

  readonly #onClose = (): void => {
    const { writableEnded, writableLength, errored } = this.#output
    // Everything is with the kernel; only whether the peer was told of the end is not known.
    if (writableEnded && writableLength === 0 && errored == null) this.#onFinish()
    this.#endOutput()
    if (!this.#outbound.finished) void this.#broken(new TransportError('ERR_CONNECTION_LOST', 'the pipe was closed before all was written'))
  }

  async #broken (error: TransportError): Promise<void> {
    this.#endOutput()
    // It is closed: waiting to know why must not keep a source going.
    this.#outbound.fail(await this.#peer.explain(error))
  }

  #endOutput (): void {
    this.#outputOver = true
    this.#output.off('drain', this.#onDrain)
    this.#output.off('finish', this.#onFinish)
    this.#output.off('close', this.#onClose)
    this.#settle()
  }

  #settle (): void {
    if (this.#inputOver && this.#outputOver) this.#over.resolve()
  }

  #settled (): void {
    clearTimeout(this.#closing)
    this.#input.destroy()
  }

  /** From now on the connection has a bounded time to come to its end by itself. */
  #limitClose (): void {
    if (this.#aborted) return
    this.#closing ??= setTimeout(() => this.abort(closedHere()), this.#closeTimeoutMs)
  }
}
