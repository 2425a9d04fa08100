/**
 * Servers of suite `transfer`: started, waited for, stopped.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { reasonIn } from '../reason.ts'
import { begin } from './watch.ts'

/** How long a server may take until it listens, and until it has ended. */
const START_MS = 15_000
const STOP_MS = 15_000

/** Starts a program that prints `{"event":"listening","address":…}`. */
export async function startNode (file: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<{ child: ChildProcess, address: string }> {
  const child = begin(file, args, { env })
  const complaint = complaintOf(child)
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const ended = once(child, 'close').then(() => { throw new Error(`${file} ended before it listened: ${complaint()}`) })
  const listening = (async () => {
    for await (const line of lines) {
      const fact = JSON.parse(line) as { event: string, address?: unknown }
      if (fact.event === 'listening') return String(fact.address)
    }
    return await ended
  })()
  ended.catch(() => {})
  const address = await listening
  // Whatever it prints later is of no use, and must not fill the pipe.
  child.stdout?.resume()
  return { child, address }
}

/** Starts a program that listens on `port`. */
export async function startDaemon (file: string, args: readonly string[], port: number): Promise<ChildProcess> {
  const child = begin(file, args)
  const complaint = complaintOf(child)
  child.stdout?.resume()
  const until = performance.now() + START_MS
  while (!await answers(port)) {
    if (child.exitCode !== null || performance.now() > until) throw new Error(`${file} does not listen: ${complaint()}`)
    await new Promise(resolve => { setTimeout(resolve, 20) })
  }
  return child
}

export async function stop (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await closed
  clearTimeout(timer)
}

export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function answers (port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => resolve(false))
  })
}

function complaintOf (child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (more: string) => { text = (text + more).slice(-2000) })
  return () => reasonIn(text)
}
