// An upload endpoint with JWT on a unix socket: a block is acknowledged when it is on the disk, with its digest.
// Run: node upload-endpoint.ts
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve, upload, UploadNode } from '@ropewalk/protocol-ipc-upload'
import { issueToken, nodeHashes, openUploadFile, openUploadStore, verifyWithKey } from '@ropewalk/protocol-ipc-upload/node'
import { dial, listen } from '@ropewalk/transport-tcp'

const directory = await mkdtemp(join(tmpdir(), 'endpoint-'))
const key = crypto.getRandomValues(new Uint8Array(32))
const node = new UploadNode({ store: await openUploadStore(join(directory, 'root')), verifyToken: verifyWithKey({ key }), hashes: nodeHashes })

const listener = await listen({ transport: 'unix', path: join(directory, 'upload.sock') })
void (async () => {
  for await (const connection of listener) void serve(connection, { node }).catch(() => {})
})()

await writeFile(join(directory, 'rope.txt'), 'laid into one rope\n'.repeat(5_000))
const file = await openUploadFile(join(directory, 'rope.txt'))
const token = await issueToken({ key, login: 'ada', uid: 1002, ttlMs: 60_000 })
const { blocks, complete } = await upload(await dial(listener.address), [file], { token, hashes: nodeHashes, fid: crypto.randomUUID() })
console.log(blocks, complete) // 6 true

// A token that somebody else has made opens nothing.
const forged = await issueToken({ key: crypto.getRandomValues(new Uint8Array(32)), login: 'ada', uid: 1002, ttlMs: 60_000 })
await upload(await dial(listener.address), [file], { token: forged, hashes: nodeHashes, fid: crypto.randomUUID() })
  .catch((error: { code: string }) => console.log(error.code)) // ERR_TOKEN

await file[Symbol.asyncDispose]()
await listener.close()
