import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Connection, Listener } from '@ropewalk/interface'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { handle } from '@ropewalk/negotiate'
import { openSqliteState } from '@ropewalk/protocol-warpdrive/node'
import { escapeName } from '@ropewalk/receive'
import { listen, loadIdentity, MAX_UNIX_PATH_BYTES, type ListenOptions, type TlsAddress } from '@ropewalk/transport-tcp'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { answer, CONTROL } from '../peers/control.ts'
import { Discovery } from '../peers/discovery.ts'
import { WARPDRIVE } from '../peers/links.ts'
import { formatPeerAddress } from '../peers/peer-address.ts'
import { PeerBook } from '../peers/peer-book.ts'
import { PeerNode } from '../peers/peer-node.ts'
import { Requests } from '../peers/requests.ts'
import { makeStateDirectory } from '../state-directory.ts'
import type { Host, Service } from './service.ts'

export interface PeersOptions {
  /** Where peers come in; none: they do not, but what was dialled works both ways. */
  readonly addresses: readonly TlsAddress[]
  readonly inbox: string | undefined
  readonly autoAccept: boolean
  readonly anyone: boolean
  /** Tell the local network, and listen to it. */
  readonly discover: boolean
}

/** Offers and peers. */
const STATE_FILE = 'peers.sqlite'

/** The socket by which the commands of this user reach his node. */
export function controlPath (state: string): string {
  return join(state, 'node.sock')
}

/** What this machine calls itself: `ROPEWALK_NAME`, or its host name. */
export function machineName (env: NodeJS.ProcessEnv): string {
  const name = env['ROPEWALK_NAME'] ?? ''
  // At most 64 bytes go over the wire.
  return new TextDecoder().decode(new TextEncoder().encode(name === '' ? hostname() : name).subarray(0, 63)).replace(/\ufffd+$/, '')
}

/** Starts what offers, receives and pairs. */
export async function startPeers (host: Host, options: PeersOptions): Promise<Service & { readonly node: PeerNode }> {
  const { state, onTrouble, context } = host
  await makeStateDirectory(state)
  const identity = await loadIdentity(state)
  const control = await listenForCommands(state)
  const store = await openSqliteState(join(state, STATE_FILE)).catch(async (error: unknown) => {
    await control.close()
    throw new RopewalkError('ERR_STATE', messageOf(error), { cause: error, text: join(state, STATE_FILE) })
  })
  const discovery = new Discovery(options.discover ? { onTrouble } : undefined)
  const node = await PeerNode.open({
    board: host.board, state, identity, store, book: await PeerBook.open(state), name: machineName(context.env), inbox: options.inbox, autoAccept: options.autoAccept, anyone: options.anyone,
    nearby: fingerprint => discovery.addressesOf(fingerprint), onTrouble
  })
  const stopping = new AbortController()
  const requests = new Requests(node, discovery)
  const commands = serveCommands(control, node, requests, stopping.signal)

  const stop = async (): Promise<boolean> => {
    stopping.abort(new RopewalkError('ERR_STOPPED', 'the node stops'))
    await control.close()
    await discovery.close()
    await node.close()
    await store.close()
    await commands
    return true
  }

  try {
    for (const address of options.addresses) {
      const options: ListenOptions = { tls: { identity, requestClientCertificate: true }, onRefused: error => { onTrouble('peer', error) } }
      // A machine without IPv6 has all its addresses at the older one.
      const listener = await listen(address, options).catch((error: unknown) => {
        if (address.host === '::' && !isInUse(error)) return listen({ ...address, host: '0.0.0.0' }, options)
        throw error
      }).catch((error: unknown) => {
        throw new RopewalkError('ERR_LISTEN', `cannot listen on ${formatPeerAddress(address)}: ${messageOf(error)}`, { cause: error, advice: isInUse(error) ? ['--peers HOST:PORT names another place, and port 0 any that is free.'] : [] })
      })
      const bound = listener.address as TlsAddress
      node.port = bound.port
      node.host = bound.host
      node.links.listen(listener)
      host.listening(`${formatPeerAddress(bound)}#sha256=${identity.fingerprint}`)
    }
    if (options.discover) discovery.announce(() => ({ name: node.name, fingerprint: identity.fingerprint, port: node.port, plate: node.codes.plate(Date.now()) }))
    if (options.inbox !== undefined) host.note(`Receiving in ${escapeName(options.inbox)}`)
  } catch (error) {
    await stop()
    throw error
  }
  return { stop, node, shown: { peers: { node, requests } } }
}

function isInUse (error: unknown): boolean {
  return codeOf(error) === 'ERR_ADDRESS_IN_USE'
}

async function listenForCommands (state: string): Promise<Listener<unknown>> {
  const path = controlPath(state)
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_UNIX_PATH_BYTES) {
    throw new RopewalkError('ERR_STATE', `the path of the node's socket is too long: ${bytes} > ${MAX_UNIX_PATH_BYTES} bytes`, { text: path, advice: ['ROPEWALK_STATE names another directory, with a shorter path.'] })
  }
  return await listen({ transport: 'unix', path }).catch((error: unknown) => {
    if (!isInUse(error)) throw error
    throw new RopewalkError('ERR_STATE', 'another node of this user runs with this state', { cause: error, text: state, advice: ['Stop it first, or name another directory with ROPEWALK_STATE.'] })
  })
}

async function serveCommands (listener: Listener<unknown>, node: PeerNode, requests: Requests, signal: AbortSignal): Promise<void> {
  const running = new Set<Promise<void>>()
  const run = (work: Promise<void>): void => {
    const settled: Promise<void> = work.catch(() => {}).finally(() => running.delete(settled))
    running.add(settled)
  }
  for await (const connection of listener) run(serveCommand(connection, node, requests, signal))
  await Promise.all(running)
}

async function serveCommand (connection: Connection, node: PeerNode, requests: Requests, signal: AbortSignal): Promise<void> {
  const muxer = mdsftp(connection, { role: 'acceptor' })
  const stop = (): void => { muxer.abort(signal.reason as Error) }
  signal.addEventListener('abort', stop)
  const running = new Set<Promise<unknown>>()
  try {
    for await (const channel of muxer) {
      running.add((async () => {
        const { protocol, channel: agreed } = await handle(channel, [CONTROL, WARPDRIVE])
        // Who can open the socket is this user: the node itself, in the words of the protocol.
        if (protocol === WARPDRIVE) await node.warpdrive.serve(agreed, node.identity, 'warpdrive')
        else await answer(agreed, (request, tell, gone) => requests.perform(request, tell, AbortSignal.any([gone, signal])))
      })().catch(() => {}))
    }
  } finally {
    await Promise.all(running)
    signal.removeEventListener('abort', stop)
    muxer.abort(new RopewalkError('ERR_STOPPED', 'the command is over'))
  }
}
