/**
 * Runs a command and keeps the books: seconds, CPU seconds and memory, of it and of the server that it speaks to.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { reasonIn } from '../reason.ts'
import type { Command } from './mover.ts'
import { cpuSecondsOf, descendantsOf, peakBytesBelow } from './proc.ts'

/** How often memory is looked at: what a process had most is told until it ends. */
const LOOK_MS = 20

/** How long the children of a server may take to end after the client has. */
const REST_MS = 2000

/** The longest that a command may take. */
const COMMAND_TIMEOUT_MS = 600_000

/** Runs its arguments, says how that ended, and waits: what they used can be read as long as it lives. */
const KEEPER = '"$@" 3>&- 4<&-; echo $? >&3; read _ <&4'

export interface Watched {
  readonly stdout: string
  readonly wholeSeconds: number
  /** Of both sides. */
  readonly cpuSeconds: number
  /** The most at one moment of the client's processes together, and of the server's together: of each that lives then, what it has had most. */
  readonly clientBytes: number
  readonly serverBytes: number
  /** Of the one process that had most. */
  readonly largestBytes: number
}

const living = new Set<ChildProcess>()
process.on('exit', () => { for (const child of living) child.kill('SIGKILL') })

/** A child that does not outlive us. */
export function begin (file: string, args: readonly string[], options: { env?: NodeJS.ProcessEnv | undefined, extra?: number } = {}): ChildProcess {
  const { env, extra = 0 } = options
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe', ...Array.from({ length: extra }, () => 'pipe' as const)] })
  living.add(child)
  child.once('close', () => { living.delete(child) })
  return child
}

export async function watch (command: Command, server: number | undefined): Promise<Watched> {
  const before = server === undefined ? 0 : cpuSecondsOf(server)
  const peaks: Record<'client' | 'server', Peak> = { client: { together: 0, largest: 0 }, server: { together: 0, largest: 0 } }
  const began = performance.now()
  const child = begin('/bin/sh', ['-c', KEEPER, 'sh', command.file, ...command.args], { env: command.env, extra: 2 })
  const pid = child.pid as number
  const said = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => { said.stdout += text })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { said.stderr = (said.stderr + text).slice(-4000) })
  const looking = setInterval(look, LOOK_MS)
  const tooLong = setTimeout(() => { for (const each of descendantsOf(pid)) process.kill(each, 'SIGKILL') }, COMMAND_TIMEOUT_MS)

  try {
    const [code] = await once(child.stdio[3] as NodeJS.ReadableStream, 'data') as [Buffer]
    const wholeSeconds = (performance.now() - began) / 1000
    look()
    const clientCpu = cpuSecondsOf(pid)
    const closed = once(child, 'close')
    ;(child.stdio[4] as NodeJS.WritableStream).end('\n')
    await closed
    if (String(code).trim() !== '0') throw new Error(`${command.file} ended with ${String(code).trim()}: ${reasonIn(said.stderr)}`)
    if (server !== undefined) await rested(server)
    return {
      stdout: said.stdout,
      wholeSeconds,
      cpuSeconds: clientCpu + (server === undefined ? 0 : cpuSecondsOf(server) - before),
      clientBytes: peaks.client.together,
      serverBytes: peaks.server.together,
      largestBytes: Math.max(peaks.client.largest, peaks.server.largest)
    }
  } finally {
    clearInterval(looking)
    clearTimeout(tooLong)
  }

  function look (): void {
    // The keeper itself is none of it.
    keep(peaks.client, peakBytesBelow(pid).slice(1))
    if (server !== undefined) keep(peaks.server, peakBytesBelow(server))
  }
}

interface Peak { together: number, largest: number }

/** A process that has ended has no memory any more, and one that comes after it may have as much. */
function keep (peak: Peak, bytes: readonly number[]): void {
  peak.together = Math.max(peak.together, bytes.reduce((sum, each) => sum + each, 0))
  peak.largest = Math.max(peak.largest, ...bytes)
}

/** Resolves when a server has no children left: only then it counts what they used. */
async function rested (server: number): Promise<void> {
  const until = performance.now() + REST_MS
  while (descendantsOf(server).length > 0 && performance.now() < until) await new Promise(resolve => { setTimeout(resolve, 10) })
}
