import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Connection } from '@ropewalk/interface'
import { link } from '@ropewalk/testing'
import { spawn } from '@ropewalk/transport-stdio'
import * as tcp from '@ropewalk/transport-tcp'
import * as ws from '@ropewalk/transport-ws/node'
import { far, type Report } from './far.ts'
import type { MuxerEntry } from './muxers.ts'

/** A connection whose far end plays the far part, here or in another process. */
export interface Stage {
  readonly near: Connection
  /** The next report of the far end. */
  reported (): Promise<Report>
  /** Kills the connection from the far end, as a crash would. */
  die (): void
  dispose (): Promise<void>
}

export interface TransportEntry {
  readonly name: string
  connect (muxer: MuxerEntry): Promise<Stage>
}

/** A transport joins the matrix with one line. */
export const TRANSPORTS: readonly TransportEntry[] = [
  { name: 'memory', connect: overMemory },
  { name: 'tcp', connect: muxer => overSocket(muxer, { transport: 'tcp', host: '127.0.0.1', port: 0 }) },
  { name: 'tls', connect: overTls },
  { name: 'unix', connect: overUnix },
  { name: 'ws', connect: overWebSocket },
  { name: 'stdio', connect: overStdio }
]

/** Reports in the order in which they come, whoever is first. */
class Reports {
  readonly #reports: Report[] = []
  readonly #waiting: Array<(report: Report) => void> = []

  readonly put = (report: Report): void => {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#reports.push(report)
    else waiting(report)
  }

  readonly next = async (): Promise<Report> => this.#reports.shift() ?? await new Promise(resolve => { this.#waiting.push(resolve) })
}

async function overMemory (muxer: MuxerEntry): Promise<Stage> {
  const reports = new Reports()
  const { left, right, cut } = link()
  void far(right, muxer, reports.put)
  return { near: left, reported: reports.next, die: () => cut('reset'), dispose: async () => {} }
}

async function overListener (muxer: MuxerEntry, listener: AsyncIterable<Connection> & { close (): Promise<void> }, dial: () => Promise<Connection>): Promise<Stage> {
  const reports = new Reports()
  const accepted = listener[Symbol.asyncIterator]().next()
  const near = await dial()
  const { value: connection } = await accepted
  void far(connection, muxer, reports.put)
  return { near, reported: reports.next, die: () => connection.abort(new Error('the far end died')), dispose: () => listener.close() }
}

async function overSocket (muxer: MuxerEntry, address: tcp.TcpAddress | tcp.UnixAddress): Promise<Stage> {
  const listener = await tcp.listen(address)
  return await overListener(muxer, listener, () => tcp.dial(listener.address))
}

async function overTls (muxer: MuxerEntry): Promise<Stage> {
  const identity = await tcp.createIdentity()
  const listener = await tcp.listen({ transport: 'tls', host: '127.0.0.1', port: 0 }, { tls: { identity } })
  return await overListener(muxer, listener, () => tcp.dial({ ...listener.address, fingerprint: identity.fingerprint } as tcp.TlsAddress))
}

async function overUnix (muxer: MuxerEntry): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'matrix-'))
  const stage = await overSocket(muxer, { transport: 'unix', path: join(folder, 'socket') })
  return { ...stage, dispose: async () => { await stage.dispose(); await rm(folder, { recursive: true }) } }
}

async function overWebSocket (muxer: MuxerEntry): Promise<Stage> {
  const listener = await ws.listen('ws://127.0.0.1:0')
  return await overListener(muxer, listener, () => ws.dial(listener.address))
}

/** The far end is another process; what it reports comes over a socket beside. */
async function overStdio (muxer: MuxerEntry): Promise<Stage> {
  const reports = new Reports()
  const folder = await mkdtemp(join(tmpdir(), 'matrix-'))
  const path = join(folder, 'reports')
  const server = createServer(socket => {
    socket.on('data', data => { for (const line of data.toString().split('\n')) if (line !== '') reports.put(line as Report) })
    socket.on('error', () => {})
    socket.unref()
  }).listen(path)
  await once(server, 'listening')
  const near = await spawn(process.execPath, ['--conditions=@ropewalk/source', fileURLToPath(new URL('./stdio-far.ts', import.meta.url)), muxer.name, path])
  return {
    near,
    reported: reports.next,
    die: () => { process.kill(near.pid, 'SIGKILL') },
    async dispose () {
      near.abort(new Error('the case is over'))
      server.close()
      await rm(folder, { recursive: true })
    }
  }
}
