/**
 * A node of its own: what is in the folder `argv[2]`, on a port that it says, until it is killed. For each line of its
 * standard input it says how much memory it has had at most.
 *
 *     listening PORT
 *     memory BYTES
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openSqliteLedger } from '@ropewalk/ledger-sqlite'
import { openFsStore } from '@ropewalk/store-fs'
import { listen } from '@ropewalk/transport-tcp'
import { acceptNode, serve, StorageNode } from '../src/index.ts'

const [directory = '', progress = '60000'] = process.argv.slice(2)
const store = await openFsStore(join(directory, 'store'))
const ledger = await openSqliteLedger(join(directory, 'ledger'))
const node = new StorageNode({ store, ledger, hasher: sha256 })
const { lost } = await node.ready
if (lost.length > 0) throw new Error(`the store has lost ${lost.join(' ')}`)
const listener = await listen({ transport: 'tcp', host: '127.0.0.1', port: 0 })
console.log(`listening ${(listener.address as { port: number }).port}`)
createInterface(process.stdin).on('line', () => console.log(`memory ${process.resourceUsage().maxRSS * 1024}`))
for await (const connection of listener) acceptNode(connection).then(async accepted => await serve(accepted, { node, progressMs: Number(progress) })).catch(() => {})

function sha256 (): { update (bytes: Uint8Array): void, digest (): Uint8Array } {
  const hash = createHash('sha256')
  return { update: bytes => { hash.update(bytes) }, digest: () => hash.digest() }
}
