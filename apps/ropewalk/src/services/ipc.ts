import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel, Connection, Listener } from '@ropewalk/interface'
import { yamux } from '@ropewalk/muxer-yamux'
import { handle } from '@ropewalk/negotiate'
import { serve, UploadNode } from '@ropewalk/protocol-ipc-upload'
import { nodeHashes, openUploadStore, openVerifier } from '@ropewalk/protocol-ipc-upload/node'
import { escapeName } from '@ropewalk/receive'
import { listen as listenPackets } from '@ropewalk/transport-seqpacket'
import { listen, loadIdentity, type Identity } from '@ropewalk/transport-tcp'
import type { Access } from '../grants/grants.ts'
import { keyFrom } from '../commands/token.ts'
import { codeOf, fileError, messageOf, RopewalkError } from '../errors.ts'
import { MAX_CONNECTIONS } from '../node-server.ts'
import { formatUploadAddress, UPLOAD_PROTOCOL, type UploadAddress } from '../upload-address.ts'
import type { Admitted } from './door.ts'
import { ReportedUploads } from './ipc-activity.ts'
import type { IpcOptions } from './ipc-options.ts'
import type { Host, Service } from './service.ts'

/** Blocks of one transfer: enough for the largest file in the 1000 bytes of the original. Ours. */
const BLOCK_BYTES = 1000

/** How long what is not whole is kept. From the specification, section 4, row 26. */
const KEEP_MS: number = 7 * 86_400_000

/** How often a service that stops looks whether it is idle. Ours. */
const LOOK_MS = 20

/** Takes uploads with a token, in both profiles: on unix sockets a connection each, over TLS a channel each. */
export async function startIpc (host: Host, { addresses, keyFile, root, maxFileBytes, audience }: IpcOptions): Promise<Service> {
  const verifyToken = await keyFrom(keyFile, async path => await openVerifier(path, { audience }))
  await warnOfReaders(host, keyFile)
  const store = await openUploadStore(root).catch((error: unknown) => { throw storeFailure(root, error) })
  // One process a folder: a socket says so as long as its process lives, and no longer.
  const lock = await listen({ transport: 'unix', path: join(root, 'lock') }).catch((error: unknown) => { throw storeFailure(root, error) })
  const reported = new ReportedUploads(store, host.board)
  const bounds = { verifyToken, hashes: nodeHashes, maxFileBytes, maxChunks: Math.ceil(maxFileBytes / BLOCK_BYTES) + 1 }
  const nodes = { write: new UploadNode({ store: reported, ...bounds }), read: new UploadNode({ store: reported.readOnly(), ...bounds }) }
  const service = new IpcService(host, root, reported, nodes, lock)
  host.muxed.offer(UPLOAD_PROTOCOL, async connection => { await service.take(connection) })
  try {
    await store.sweep(Date.now() - KEEP_MS)
    host.note(`Uploads are kept in ${escapeName(root)}`)
    const identity = addresses.some(({ transport }) => transport === 'tls') ? await loadIdentity(host.state) : undefined
    for (const address of addresses) {
      const listener = await listenOn(address, identity, error => { host.onTrouble('client', error) })
        .catch((error: unknown) => { throw new RopewalkError('ERR_LISTEN', `cannot listen on ${formatUploadAddress(address)}: ${messageOf(error)}`, { cause: error }) })
      service.add(listener)
      host.listening(formatUploadAddress(listener.address))
    }
  } catch (error) {
    await service.stop(0)
    throw error
  }
  return service
}

async function listenOn (address: UploadAddress, identity: Identity | undefined, onRefused: (error: Error) => void): Promise<Listener<UploadAddress>> {
  if (address.transport === 'seqpacket') return await listenPackets(address, { onRefused })
  return await listen(address, { tls: identity === undefined ? undefined : { identity }, onRefused })
}

class IpcService implements Service {
  readonly #host: Host
  readonly #uploads: ReportedUploads
  readonly #root: string
  /** One that takes files, and one that only gives them. */
  readonly #nodes: Readonly<Record<Access, UploadNode>>
  readonly #lock: Listener<unknown>
  readonly #listeners = new Set<Listener<UploadAddress>>()
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #connections = 0

  constructor (host: Host, root: string, uploads: ReportedUploads, nodes: Readonly<Record<Access, UploadNode>>, lock: Listener<unknown>) {
    this.#host = host
    this.#root = root
    this.#uploads = uploads
    this.#nodes = nodes
    this.#lock = lock
  }

  add (listener: Listener<UploadAddress>): void {
    this.#listeners.add(listener)
    this.#run('listener', this.#accept(listener))
  }

  /** Serves a channel of a connection that speaks more than this. */
  async take (connection: Connection): Promise<void> {
    const seen = await this.#host.door.admit(connection, { protocol: 'ipc', muxer: 'yamux', resource: this.#root })
    try {
      await this.#serve(seen.connection, seen, 'auto')
    } finally {
      seen.end()
    }
  }

  /** What is under way is kept block by block: it may finish within the grace, and is gone on with after the next start if it does not. */
  async stop (graceMs: number): Promise<boolean> {
    for (const listener of this.#listeners) await listener.close()
    const deadline = AbortSignal.timeout(graceMs)
    while (this.#nodes.write.unfinishedTransfers > 0 && !deadline.aborted) await sleep(LOOK_MS)
    const clean = this.#nodes.write.unfinishedTransfers === 0
    this.#stopping.abort(new RopewalkError('ERR_STOPPED', 'the node stops'))
    while (this.#running.size > 0) await Promise.all(this.#running)
    this.#uploads.interrupted()
    await this.#lock.close()
    return clean
  }

  async #accept (listener: Listener<UploadAddress>): Promise<void> {
    for await (const connection of listener) this.#run(connection.remote.address, this.#connection(connection, listener.address))
  }

  async #connection (connection: Connection, { transport }: UploadAddress): Promise<void> {
    this.#connections++
    let end: (() => void) | undefined
    try {
      if (this.#connections > MAX_CONNECTIONS) throw new RopewalkError('ERR_REFUSED', `${this.#connections} > ${MAX_CONNECTIONS} connections`)
      const seen = await this.#host.door.admit(connection, { protocol: 'ipc', muxer: transport === 'tls' ? 'yamux' : undefined, resource: this.#root })
      end = seen.end
      if (transport === 'tls') await this.#channels(seen)
      else await this.#serve(seen.connection, seen, transport === 'seqpacket' ? 'seqpacket' : 'auto')
    } catch (error) {
      connection.abort(error as Error)
      throw error
    } finally {
      end?.()
      this.#connections--
      // Whose client has gone may be gone on with; nobody does at the moment.
      if (this.#nodes.write.openTransfers === 0) this.#uploads.interrupted()
    }
  }

  async #channels (seen: Admitted): Promise<void> {
    const { connection } = seen
    const muxer = yamux(connection, { role: 'server' })
    seen.muxedBy(muxer)
    const ended = AbortSignal.any([this.#stopping.signal, seen.over])
    const onStop = (): void => { muxer.abort(ended.reason as Error) }
    ended.addEventListener('abort', onStop)
    // The node may have stopped while he was let in.
    if (ended.aborted) onStop()
    try {
      for await (const channel of muxer) this.#run(connection.remote.address, this.#negotiated(channel, seen))
    } finally {
      ended.removeEventListener('abort', onStop)
    }
  }

  async #negotiated (raw: Channel, seen: Admitted): Promise<void> {
    const { channel } = await handle(raw, [UPLOAD_PROTOCOL], { signal: this.#stopping.signal })
    await this.#serve(channel, seen, 'auto')
  }

  async #serve (channel: Channel, { access, over }: Admitted, framing: 'seqpacket' | 'auto'): Promise<void> {
    await serve(channel, { node: this.#nodes[access], profile: 'auto', framing, signal: AbortSignal.any([this.#stopping.signal, over]) })
  }

  #run (who: string, work: Promise<void>): void {
    const running: Promise<void> = work
      .catch((error: unknown) => { if (!NO_TROUBLE.has(codeOf(error))) this.#host.onTrouble(who, error) })
      .finally(() => { this.#running.delete(running) })
    this.#running.add(running)
  }
}

/** Stopping is ours, and a client that goes away is no trouble: it comes back for what is missing. */
const NO_TROUBLE: ReadonlySet<string> = new Set(['ERR_STOPPED', 'ERR_CONNECTION_RESET', 'ERR_CONNECTION_LOST', 'ERR_CHANNEL_RESET'])

/** A shared secret that others can read is no secret. */
async function warnOfReaders (host: Host, keyFile: string): Promise<void> {
  const { mode } = await stat(keyFile)
  if ((mode & 0o077) !== 0) host.note(`${escapeName(keyFile)} can be read by others; if it is a shared secret: chmod 600`)
}

function storeFailure (root: string, error: unknown): RopewalkError {
  const locked = codeOf(error) === 'ERR_ADDRESS_IN_USE'
  return new RopewalkError('ERR_STATE', locked ? 'another node has this folder of uploads open' : fileError(error).message, {
    cause: error,
    text: root,
    advice: locked ? ['--ipc-root DIRECTORY names another one.'] : []
  })
}
