// Pulls an index and its chunks from another machine through ssh, as casync does; the other side may be casync, desync or ropewalk-casync.
// Run: node casync-over-ssh.ts HOST /path/to/image.caibx /path/to/store.castr > image
// Without a host it starts the serving side itself, as a child: what ssh would start there.
import { fileURLToPath } from 'node:url'
import { chain, decodeIndex, fetchChunks, MemoryStore, pull, type PullSession } from '@ropewalk/protocol-casync'
import { nodeCompression, nodeHash } from '@ropewalk/store-castr'
import { spawn } from '@ropewalk/transport-stdio'
import { pipe } from 'it-pipe'

const [host, index, store] = process.argv.slice(2)
const remote = host === undefined
  ? await spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL('casync-server.ts', import.meta.url))])
  : await spawn('ssh', [host, 'casync', 'pull', '-', index ?? '-', '-', ...store === undefined ? [] : [store]])

const session: PullSession = await pull(remote, { hash: nodeHash, compression: nodeCompression() })
const source = chain([session], { cache: new MemoryStore(nodeHash) })
let size = 0
for await (const { bytes } of pipe(session.index, decodeIndex(), fetchChunks(source))) {
  size += bytes.length
  if (host !== undefined) process.stdout.write(bytes)
}
await session.close()
console.error(`${size} bytes`)
if (host === undefined) console.log(size) // 1000000
