/**
 * One operation on one channel: what comes, what may take how long, and how it ends.
 *
 * @module
 */
import type { AbortOptions } from '@ropewalk/interface'
import { MdsftpError, type ControlPacket, type Packet, type PacketChannel } from '@ropewalk/muxer-mdsftp'
import { Deadline, systemClock, type Clock } from './clock.ts'
import { HOLDS_ITS_LOCK, type Courtesy } from './courtesy.ts'
import { StorageError } from './errors.ts'

export interface ExchangeOptions extends AbortOptions {
  /** What a node of the original cannot bear meanwhile. */
  courtesy?: Courtesy | undefined
  clock?: Clock | undefined
}

/** Whatever answers a request. */
export type Reply = Extract<ControlPacket, { type: 'ReserveOk' | 'ReserveErr' | 'LockAcquire' | 'LockErr' | 'PutOk' | 'PutErr' | 'CommitOk' | 'CommitErr' | 'QueryResponse' }>

/** A channel of its own for one operation. */
export function openExchange (connection: { open (): PacketChannel, readonly courtesy?: Courtesy | undefined }, options: ExchangeOptions): Exchange {
  options.signal?.throwIfAborted()
  try {
    return new Exchange(connection.open(), { clock: options.clock, signal: options.signal, courtesy: connection.courtesy })
  } catch (error) {
    throw interrupted(error)
  }
}

export class Exchange {
  readonly channel: PacketChannel
  readonly #clock: Clock
  readonly #deadline: Deadline
  readonly #signal: AbortSignal | undefined
  readonly #courtesy: Courtesy | undefined
  #failed: ((error: Error) => void) | undefined
  #failure: Error | undefined

  constructor (channel: PacketChannel, { clock = systemClock, signal, courtesy }: ExchangeOptions) {
    this.channel = channel
    this.#clock = clock
    this.#courtesy = courtesy
    this.#signal = signal
    this.#deadline = new Deadline(clock, (what, ms) => this.fail(new StorageError('ERR_TIMEOUT', 'channel', `no ${what} within ${ms} ms`)))
    signal?.addEventListener('abort', this.#aborted)
    if (signal?.aborted === true) this.#aborted()
  }

  /** Milliseconds, by the clock of the operation. */
  now (): number {
    return this.#clock.now()
  }

  /** `what` must come within `ms`, or the channel is closed and whoever waits gets `ERR_TIMEOUT`. */
  within (ms: number, what: string): void {
    if (this.#failure === undefined) this.#deadline.set(ms, what)
  }

  /** Nothing is awaited from the peer for now. */
  pause (): void {
    this.#deadline.clear()
  }

  /** The next packet; `undefined` once the peer has closed the channel. */
  async next (): Promise<Packet | undefined> {
    let packet: Packet | undefined
    try {
      packet = await this.channel.next()
    } catch (error) {
      throw interrupted(error)
    }
    // A channel that the peer has closed before does not know why we gave it up.
    if (packet === undefined && this.#failure !== undefined) throw this.#failure
    return packet
  }

  /** Sends an answer, or what cannot disturb anybody: it never waits. */
  send (packet: ControlPacket): void {
    this.channel.send(packet)
  }

  /** Sends a request, when the peer can take it. */
  async request (packet: ControlPacket): Promise<void> {
    if (HOLDS_ITS_LOCK.has(packet.type)) await this.courteous()
    this.channel.send(packet)
  }

  /** Waits while a node of the original waits for an answer of ours (finding 5). */
  async courteous (): Promise<void> {
    const courtesy = this.#courtesy
    if (courtesy === undefined || courtesy.clear) return
    if (this.#failure !== undefined) throw this.#failure
    await new Promise<void>((resolve, reject) => {
      this.#failed = reject
      courtesy.turn().then(resolve, reject)
    })
  }

  /** True where fragments have to be handed over one by one, so that they can still be held back. */
  get heedful (): boolean {
    return this.#courtesy !== undefined
  }

  /** Waits for one of `types`. Other replies were not asked for and are ignored (specification section 3.6). */
  async reply<Type extends Reply['type']> (ms: number, ...types: Type[]): Promise<Extract<Reply, { type: Type }>> {
    this.within(ms, types[0] ?? 'reply')
    for (;;) {
      const packet = await this.next()
      if (packet === undefined) throw closedEarly(`waiting for ${types[0] ?? 'a reply'}`)
      if ((types as string[]).includes(packet.type)) {
        this.pause()
        return packet as Extract<Reply, { type: Type }>
      }
      if (packet.type === 'RecvAck') this.violation(packet.type)
    }
  }

  /** A packet that has no business here: the connection ends (specification section 3.7, finding 13). */
  violation (type: string): void {
    this.channel.violation(new StorageError('ERR_UNEXPECTED_PACKET', 'connection', `${type} on channel ${this.channel.id}, where none is due`))
  }

  /** The operation is over. The close goes out ahead of whatever is opened from now on. */
  end (): void {
    this.fail(OVER)
  }

  /** Ends the operation with `error` for whoever waits. Idempotent. */
  fail (error: Error): void {
    if (this.#failure === undefined) {
      this.#failure = error
      this.#deadline.stop()
      this.#signal?.removeEventListener('abort', this.#aborted)
      this.#failed?.(error)
    }
    this.channel.abort(error)
  }

  readonly #aborted = (): void => {
    const reason: unknown = this.#signal?.reason
    this.fail(reason instanceof Error ? reason : new Error(String(reason)))
  }
}

/** The peer closed the channel when more was due from it. */
export function closedEarly (doing: string): StorageError {
  return new StorageError('ERR_INTERRUPTED', 'channel', `the peer closed the channel, ${doing}`)
}

/** What a channel failed with, as an error of this package. Reasons of signals stay what they are, and so does a limit of our own. */
function interrupted (error: unknown): unknown {
  if (!(error instanceof MdsftpError) || error.code === 'ERR_MAX_CHANNELS') return error
  return new StorageError('ERR_INTERRUPTED', error.scope, error.message, { cause: error, remote: error.remote })
}

const OVER = new StorageError('ERR_INTERRUPTED', 'channel', 'the operation is over', { remote: false })
