/**
 * Two nodes that know each other's names: a connection with its preamble done, ready for channels in both directions.
 *
 * @module
 */
import type { AbortOptions, Connection, RemoteInfo } from '@ropewalk/interface'
import { mdsftpPackets, UPSTREAM, type PacketChannel, type PacketMuxer, type Profile } from '@ropewalk/muxer-mdsftp'
import type { Arrivals } from './arrivals.ts'
import { Deadline, systemClock, type Clock } from './clock.ts'
import { PREAMBLE_TIMEOUT_MS } from './constants.ts'
import { Courtesy } from './courtesy.ts'
import { StorageError } from './errors.ts'
import { readPreamble, withPreamble } from './preamble.ts'
import { decodePreamble, encodePreamble, preambleBytes } from './preamble-codec.ts'
import { Watch } from './watch.ts'

/** What both sides may say about the packets on a connection. There is no negotiation: both must say the same of `profile`. */
export interface WireOptions {
  /**
   * Who is at the other end. Towards `upstream`, the original, content and requests wait while it waits for an answer of ours,
   * because it would stop for good (finding 5). Default `own`.
   */
  peer?: 'upstream' | 'own' | undefined
  /** For tests. */
  clock?: Clock | undefined
  /** The generation of the wire. Default `UPSTREAM`. */
  profile?: Profile | undefined
  /** Channels that each side may have open. Default 1024. */
  maxChannels?: number | undefined
  /** Refuse fragments with more content. Default 16 MiB. */
  maxFragmentBytes?: number | undefined
  /** Unread content on all channels together, above which reading stops. Default 32 MiB. */
  maxBufferedBytes?: number | undefined
}

export interface ConnectOptions extends WireOptions {
  /** Our own id, as 32 hex digits. */
  nodeId: string
  /** 64 letters and digits, where the cluster uses access tokens. */
  token?: string | undefined
}

export interface AcceptOptions extends WireOptions, AbortOptions {
  /** Where the cluster uses access tokens: whether this one belongs to this node. Compare in constant time. Without it no token is read. */
  verifyToken?: ((token: string, nodeId: string, options: AbortOptions) => Promise<boolean> | boolean) | undefined
  /** One for all connections that are accepted: no more than it allows may be without a name at once. Without it nobody counts them. */
  arrivals?: Arrivals | undefined
  /** How long the preamble and its verification may take. Default 10 s. */
  deadlineMs?: number | undefined
}

/** Channels of packets to a node that has introduced itself. Whoever dialled, both sides may ask, and both should `serve`. */
export interface StorageConnection extends PacketMuxer {
  readonly remote: RemoteInfo
  readonly profile: Profile
  /** The id that the dialer claimed; at the dialer, unknown: the wire does not tell it. */
  readonly peerId: string | undefined
  /** True when what is sent is copied before it arrives, as through a socket: buffers may then be used again. */
  readonly copies: boolean
  /** What has to be held back towards a node of the original; undefined towards our own. */
  readonly courtesy?: Courtesy | undefined
  /** When something was last read, by the clock of the connection; the start at first. */
  readonly readAt?: number | undefined
  /** From now on every channel that the peer opens is closed at once: for a client that serves nothing. */
  refuse (): void
}

/** Introduces us on a connection that we dialled. Nothing comes back: whether the peer accepts us, the first request tells. */
export function connectNode (connection: Connection, options: ConnectOptions): StorageConnection {
  return new Node(withPreamble(connection, encodePreamble(options)), 'dialer', options, undefined)
}

/**
 * Reads who dialled. Fails, and breaks the connection off, with `ERR_TRUNCATED`, `ERR_TOKEN`, `ERR_TIMEOUT`, `ERR_MAX_CONNECTIONS`,
 * or the signal's reason. Accept connections side by side: one silent dialer must not keep the others waiting.
 */
export async function acceptNode (connection: Connection, options: AcceptOptions = {}): Promise<StorageConnection> {
  const { verifyToken, arrivals, signal, deadlineMs = PREAMBLE_TIMEOUT_MS, clock = systemClock } = options
  const over = new AbortController()
  const deadline = new Deadline(clock, (what, ms) => over.abort(new StorageError('ERR_TIMEOUT', 'connection', `no ${what} within ${ms} ms`)))
  const aborted = (): void => over.abort(signal?.reason)
  signal?.addEventListener('abort', aborted)
  let left: (() => void) | undefined

  try {
    left = arrivals?.enter()
    deadline.set(deadlineMs, 'preamble')
    if (signal?.aborted === true) aborted()
    const withToken = verifyToken !== undefined
    const { preamble, rest } = await unlessAborted(readPreamble(connection, preambleBytes(withToken)), over.signal)
    const { nodeId, token } = decodePreamble(preamble, withToken)
    if (verifyToken !== undefined && !await unlessAborted(Promise.resolve(verifyToken(token as string, nodeId, { signal: over.signal })), over.signal)) {
      throw new StorageError('ERR_TOKEN', 'connection', `the token of node ${nodeId} was not accepted`)
    }
    return new Node(rest, 'acceptor', options, nodeId)
  } catch (error) {
    connection.abort(error as Error)
    throw error
  } finally {
    left?.()
    deadline.stop()
    signal?.removeEventListener('abort', aborted)
  }
}

class Node implements StorageConnection {
  readonly remote: RemoteInfo
  readonly profile: Profile
  readonly peerId: string | undefined
  readonly copies: boolean
  readonly courtesy: Courtesy | undefined
  readonly #muxer: PacketMuxer
  readonly #watch: Watch

  constructor (connection: Connection, role: 'dialer' | 'acceptor', options: WireOptions, peerId: string | undefined) {
    const { profile = UPSTREAM, peer = 'own', clock = systemClock, maxChannels, maxFragmentBytes, maxBufferedBytes } = options
    this.remote = connection.remote
    this.profile = profile
    this.peerId = peerId
    // What offers the fast lane lends its memory, so it cannot be handing over ours.
    this.copies = connection.attach !== undefined
    this.courtesy = peer === 'upstream' ? new Courtesy(clock) : undefined
    this.#watch = new Watch(connection, clock)
    this.#muxer = mdsftpPackets(this.#watch, { role, profile, maxChannels, maxFragmentBytes, maxBufferedBytes })
  }

  get size (): number {
    return this.#muxer.size
  }

  get readAt (): number {
    return this.#watch.readAt
  }

  open (): PacketChannel {
    return this.#muxer.open()
  }

  refuse (): void {
    void this.#muxer[Symbol.asyncIterator]().return?.()
  }

  close (options?: AbortOptions): Promise<void> {
    return this.#muxer.close(options)
  }

  abort (reason: Error): void {
    this.#muxer.abort(reason)
  }

  [Symbol.asyncIterator] (): AsyncIterator<PacketChannel> {
    const channels = this.#muxer[Symbol.asyncIterator]()
    const { courtesy } = this
    if (courtesy === undefined) return channels
    return {
      next: async () => {
        const next = await channels.next()
        if (next.done !== true) courtesy.asked(next.value)
        return next
      },
      return: async () => await channels.return?.() ?? { done: true, value: undefined }
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#muxer[Symbol.asyncDispose]()
  }
}

/** `wait`, or the signal's reason, whichever is first. */
function unlessAborted<T> (wait: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    wait.then(resolve, reject)
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
