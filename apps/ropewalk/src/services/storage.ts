import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import type { RunningHash } from '@ropewalk/interface'
import { openSqliteLedger } from '@ropewalk/ledger-sqlite'
import { maintain, StorageNode } from '@ropewalk/protocol-mdsftp'
import { escapeName } from '@ropewalk/receive'
import { openFsStore } from '@ropewalk/store-fs'
import { loadIdentity, type Identity } from '@ropewalk/transport-tcp'
import { formatAddress, type NodeAddress } from '../address.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { STORAGE_PROTOCOL } from '../muxed-route.ts'
import { NodeServer } from '../node-server.ts'
import { listenAddress } from '../transports.ts'
import type { ProfileName } from '../wire.ts'
import { wireOptions } from '../wire-options.ts'
import type { Host, Service } from './service.ts'

export interface StorageOptions {
  readonly addresses: readonly NodeAddress[]
  readonly directory: string
  readonly capacity: number | undefined
  readonly maxConnections?: number | undefined
  /** What TLS listeners show, instead of this machine's own key. */
  readonly certificate: Identity | undefined
  /** Web pages that may open a WebSocket. */
  readonly origins: readonly string[] | undefined
  /** Of listeners whose address names none. */
  readonly profile: ProfileName
}

/** What the node has promised, beside the objects it is about. */
export const LEDGER_FILE = 'ledger'

/** Starts a storage node, which speaks MDSFTP. */
export async function startStorage (host: Host, { addresses, directory, capacity, maxConnections, certificate, origins, profile }: StorageOptions): Promise<Service> {
  const { onTrouble } = host
  const identity = addresses.some(({ transport }) => transport === 'tls') ? certificate ?? await loadIdentity(host.state) : undefined
  const store = await openFsStore(directory).catch((error: unknown) => { throw storeFailure(directory, error) })
  // Nobody else has it open: the store is ours, and the file lies in it.
  const ledger = await openSqliteLedger(join(directory, LEDGER_FILE)).catch(async (error: unknown) => {
    await store.close()
    throw storeFailure(directory, error)
  })
  const node = new StorageNode({ store, ledger, hasher: sha256Hash, maxBytes: capacity })
  const server = new NodeServer({ node, board: host.board, door: host.door, directory, policy: host.policy, maxConnections, onTrouble })

  host.note(`Storing in ${escapeName(directory)}`)
  const maintaining = new AbortController()
  const maintained = maintain(node, { signal: maintaining.signal, onVerified: ({ chunkId, outcome }) => { if (outcome === 'damaged') onTrouble('store', damaged(chunkId)) } })

  const stop = async (graceMs: number): Promise<boolean> => {
    const clean = await server.stop(graceMs)
    maintaining.abort()
    await maintained
    await ledger.close()
    await store.close()
    return clean
  }

  host.muxed.offer(STORAGE_PROTOCOL, async connection => { await server.take(connection, wireOptions({}, profile)) })
  try {
    const { lost } = await node.ready.catch((error: unknown) => { throw storeFailure(directory, error) })
    for (const chunkId of lost) onTrouble('store', new RopewalkError('ERR_STATE', `${chunkId} was committed and is gone from the store`))
    for (const address of addresses) {
      const listener = await listenAddress(address, { identity, origins, onRefused: error => { onTrouble('client', error) } })
      if (address.mux === undefined) server.add(listener, wireOptions(address, profile))
      else host.muxed.add(listener)
      host.listening(formatAddress(listener.address))
    }
  } catch (error) {
    await stop(0)
    throw error
  }
  return { stop, shown: { store: { name: basename(directory), directory, node, capacity } } }
}

/** The digest that a node keeps of what it has. */
export function sha256Hash (): RunningHash {
  const hash = createHash('sha256')
  return { update: bytes => { hash.update(bytes) }, digest: () => hash.digest() }
}

function damaged (chunkId: string): RopewalkError {
  return new RopewalkError('ERR_STATE', `${chunkId} is not what was stored, and not served any more`)
}

function storeFailure (directory: string, error: unknown): RopewalkError {
  const locked = codeOf(error) === 'ERR_LOCKED'
  return new RopewalkError('ERR_STATE', locked ? 'another node has this store open' : messageOf(error), {
    cause: error,
    text: directory,
    advice: locked ? ['--store DIRECTORY names another one.'] : []
  })
}
