// The other side of casync-over-ssh.ts: serves one blob on standard input and output. Not a program to look at by itself.
import { chunk, encodeIndex, identify, MemoryStore, servePull, storeMissing } from '@ropewalk/protocol-casync'
import { nodeCompression, nodeHash } from '@ropewalk/store-castr'
import { stdio } from '@ropewalk/transport-stdio'
import { pipe } from 'it-pipe'

const store = new MemoryStore(nodeHash)
const index: Uint8Array[] = []
for await (const bytes of pipe([new Uint8Array(1_000_000)], chunk(), identify(nodeHash), storeMissing(store), encodeIndex())) index.push(bytes)
await servePull(stdio(), { index, store, compression: nodeCompression() })
