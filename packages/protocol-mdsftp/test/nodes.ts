/** Two nodes in memory, one serving. */
import { duplexPair, type PairOptions } from '@ropewalk/testing'
import { acceptNode, connectNode, serve, StorageNode, type NodeOptions, type ServeOptions, type StorageConnection, type WireOptions } from '../src/index.ts'
import { MemoryStore } from '@ropewalk/store-memory'

export const DIALER_ID = '11223344556647889 9aabbccddeeff01'.replace(' ', '')
export const TOKEN = 'T'.repeat(64)

export interface Nodes {
  client: StorageConnection
  server: StorageConnection
  store: MemoryStore
  node: StorageNode
  /** How `serve` ended: its error, or nothing. */
  served: Promise<Error | undefined>
}

export interface NodesOptions extends PairOptions {
  wire?: WireOptions
  node?: Partial<NodeOptions>
  serve?: Partial<ServeOptions>
  /** Serve at the side that dialled instead. */
  dialerServes?: boolean
}

export async function nodes (options: NodesOptions = {}): Promise<Nodes> {
  const store = new MemoryStore()
  const node = new StorageNode({ store, ...options.node })
  const [left, right] = duplexPair(options)
  const dialer = connectNode(left, { nodeId: DIALER_ID, ...options.wire })
  const acceptor = await acceptNode(right, options.wire)
  const [client, server] = options.dialerServes === true ? [acceptor, dialer] : [dialer, acceptor]
  const served = serve(server, { node, ...options.serve }).then(() => undefined, error => error as Error)
  return { client, server, store, node, served }
}
