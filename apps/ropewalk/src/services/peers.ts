import { hostname } from 'node:os'
import { join } from 'node:path'
import { openSqliteState } from '@ropewalk/protocol-warpdrive/node'
import { escapeName } from '@ropewalk/receive'
import { listen, loadIdentity, type ListenOptions, type TlsAddress } from '@ropewalk/transport-tcp'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { Announcer } from '../peers/announcer.ts'
import { Discovery } from '../peers/discovery.ts'
import { makeInbox } from '../peers/inboxes.ts'
import { WARPDRIVE } from '../peers/links.ts'
import { formatPeerAddress } from '../peers/peer-address.ts'
import { PeerBook } from '../peers/peer-book.ts'
import { LAST_WORD_MS, PeerNode } from '../peers/peer-node.ts'
import { Requests } from '../peers/requests.ts'
import { makeStateDirectory } from '../state-directory.ts'
import type { Host, Service } from './service.ts'

export interface PeersOptions {
  /** Where peers come in; none: they do not, but what was dialled works both ways. */
  readonly addresses: readonly TlsAddress[]
  readonly inbox: string | undefined
  /** Tell the local network, and listen to it. */
  readonly discover: boolean
  /** How long a peer may take to answer, and how long nothing may come of what is received. Default: those of the protocol. */
  readonly replyMs?: number | undefined
  readonly progressMs?: number | undefined
}

/** Offers and peers. */
const STATE_FILE = 'peers.sqlite'

/** What this machine calls itself: `ROPEWALK_NAME`, or its host name. */
export function machineName (env: NodeJS.ProcessEnv): string {
  const name = env['ROPEWALK_NAME'] ?? ''
  // At most 64 bytes go over the wire.
  return new TextDecoder().decode(new TextEncoder().encode(name === '' ? hostname() : name).subarray(0, 63)).replace(/\ufffd+$/, '')
}

/** Starts what offers, receives and pairs. */
export async function startPeers (host: Host, options: PeersOptions): Promise<Service & { readonly node: PeerNode }> {
  const { state, onTrouble, context, control } = host
  await makeStateDirectory(state)
  const identity = await loadIdentity(state)
  if (options.inbox !== undefined) await makeInbox(options.inbox)
  if (control === undefined) throw new RopewalkError('ERR_STATE', 'another node of this user runs with this state', { text: state, advice: ['Stop it first, or name another directory with ROPEWALK_STATE.'] })
  const store = await openSqliteState(join(state, STATE_FILE)).catch((error: unknown) => {
    throw new RopewalkError('ERR_STATE', messageOf(error), { cause: error, text: join(state, STATE_FILE) })
  })
  const discovery = new Discovery(options.discover ? { onTrouble, multicast: (await import('multicast-dns')).default() } : undefined)
  const node = await PeerNode.open({
    board: host.board, door: host.door, state, identity, store, book: await PeerBook.open(state), name: machineName(context.env), inbox: options.inbox, policy: host.policy,
    replyMs: options.replyMs, progressMs: options.progressMs,
    nearby: fingerprint => discovery.addressesOf(fingerprint), onTrouble
  })
  const requests = new Requests(node, discovery)
  const announcer = options.inbox === undefined ? undefined : new Announcer(host, node.warpdrive, requests)
  control.otherwise((request, tell, signal) => requests.perform(request, tell, signal))
  host.muxed.offer(WARPDRIVE, async (connection, carrier) => { await node.links.take(WARPDRIVE, connection, carrier) })
  // Who can open the socket is this user: the node itself, in the words of the protocol.
  control.speak(WARPDRIVE, async channel => { await node.warpdrive.serve(channel, node.identity, 'warpdrive') })

  const stop = async (graceMs: number): Promise<boolean> => {
    // Nobody asks for what is about to end.
    await control.close()
    await discovery.close()
    await announcer?.close()
    await node.close(Math.min(graceMs, LAST_WORD_MS))
    await store.close()
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
    await stop(0)
    throw error
  }
  return { stop, node, shown: { peers: { node, requests } } }
}

function isInUse (error: unknown): boolean {
  return codeOf(error) === 'ERR_ADDRESS_IN_USE'
}
