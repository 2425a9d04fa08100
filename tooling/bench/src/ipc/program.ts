/**
 * One side of an upload under measurement: `node program.ts server|client SUBJECT PATH BYTES`. Prints a line of JSON for each thing that is to be known.
 *
 * @module
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { serve, upload, uploadFinal, UploadNode, type UploadFile } from '@ropewalk/protocol-ipc-upload'
import { issueToken, nodeHashes, verifyWithKey } from '@ropewalk/protocol-ipc-upload/node'
import { dial, listen } from '@ropewalk/transport-tcp'
import { now } from '../orders.ts'
import { Discard } from './discard.ts'

const [role, subject, path = '', size = '0'] = process.argv.slice(2)
const bytes = Number(size)
let before: NodeJS.CpuUsage | undefined
const KEY: Uint8Array = new TextEncoder().encode('the key of a measurement')
/** Bytes of one write of the plain socket, and of the content that is sent over and over. */
const PIECE_BYTES: number = 65_536
const CONTENT: Uint8Array = Uint8Array.from({ length: 2 * 1_048_576 }, (_, at) => Math.imul(at + 1, 2_654_435_761) >>> 13)

if (role === 'server') await (subject === 'raw' ? pipeServer() : uploadServer())
else await (subject === 'raw' ? pipeClient() : uploadClient())

async function pipeServer (): Promise<void> {
  const server = createServer(socket => {
    let taken = 0
    socket.on('data', chunk => { taken += chunk.length })
    socket.on('end', () => {
      if (taken !== bytes) throw new Error(`${taken} of ${bytes} bytes`)
      server.close()
      ended()
    })
  }).listen(path)
  await once(server, 'listening')
  before = process.cpuUsage()
  tell({ ready: true })
}

async function pipeClient (): Promise<void> {
  const socket = connect(path)
  await once(socket, 'connect')
  began()
  for (let sent = 0; sent < bytes; sent += PIECE_BYTES) {
    if (!socket.write(CONTENT.subarray(0, Math.min(PIECE_BYTES, bytes - sent)))) await once(socket, 'drain')
  }
  socket.end()
  await once(socket, 'close')
  usage()
}

async function uploadServer (): Promise<void> {
  const store = new Discard()
  const node = new UploadNode({ store, verifyToken: verifyWithKey({ key: KEY }), hashes: nodeHashes, maxFileBytes: bytes, maxChunks: Math.ceil(bytes / 1000) })
  const listener = await listen({ transport: 'unix', path })
  before = process.cpuUsage()
  tell({ ready: true })
  for await (const connection of listener) {
    await serve(connection, { node, profile: 'auto' })
    if (store.taken !== bytes) throw new Error(`${store.taken} of ${bytes} bytes`)
    ended()
    await listener.close()
  }
}

async function uploadClient (): Promise<void> {
  const options = { token: await issueToken({ key: KEY, login: 'bench', uid: 1 }), hashes: nodeHashes }
  const channel = await dial({ transport: 'unix', path })
  const file: UploadFile = { name: 'content', size: bytes, read: (position, length) => CONTENT.subarray(position % 1_048_576, position % 1_048_576 + length) }
  began()
  if (subject === 'original') await uploadFinal(channel, [{ ...file, digest: 'ab'.repeat(32) }], options).catch(refused)
  else await upload(channel, [file], options)
  usage()
}

/** The content is nobody's: of its digest the server thinks what it must, once everything is there. */
function refused (error: { readonly reason?: string }): void {
  if (error.reason !== 'digest mismatch') throw error
}

function began (): void {
  before = process.cpuUsage()
  tell({ began: now() })
}

function ended (): void {
  tell({ ended: now() })
  usage()
}

function usage (): void {
  const { user, system } = process.cpuUsage(before)
  tell({ cpuSeconds: (user + system) / 1e6, rssBytes: process.resourceUsage().maxRSS * 1024 })
}

function tell (fact: object): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`)
}
