/**
 * The command line as real processes.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Every process would strip the types of every module anew: with this, only the first one does. */
const COMPILED = mkdtempSync(join(tmpdir(), 'ropewalk-compiled-'))
process.on('exit', () => rmSync(COMPILED, { recursive: true, force: true }))

/** A fact that `--json` has printed. */
export type Fact = Record<string, unknown> & { readonly event: string }

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly state: string
  readonly input?: string | Uint8Array | undefined
  readonly cwd?: string | undefined
}

/** A folder that is removed after the test. */
export async function folder (t: { teardown (work: () => Promise<void>): unknown }): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'ropewalk-test-'))
  t.teardown(async () => { await rm(path, { recursive: true, force: true }) })
  return path
}

/** Begins the command line. */
export function begin (args: readonly string[], { state, cwd }: Pick<RunOptions, 'state' | 'cwd'>): ChildProcess {
  const env: NodeJS.ProcessEnv = { ...process.env, ROPEWALK_STATE: state, NODE_COMPILE_CACHE: COMPILED }
  delete env['NODE_OPTIONS']
  return spawn(process.execPath, ['--conditions=@ropewalk/source', MAIN, ...args], { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] })
}

/** Runs the command line to its end. */
export async function run (args: readonly string[], options: RunOptions): Promise<Ended> {
  const child = begin(args, options)
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.input ?? '')
  return await end(child)
}

export async function end (child: ChildProcess): Promise<Ended> {
  const [stdout, stderr, [code, signal]] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  ])
  return { code, signal, stdout, stderr }
}

export function facts (stdout: string): Fact[] {
  return stdout.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Fact)
}

export function factsOf (stdout: string, event: string): Fact[] {
  return facts(stdout).filter(fact => fact.event === event)
}

export interface Node {
  readonly child: ChildProcess
  /** Of its listeners, in their order. */
  readonly addresses: readonly string[]
  /** Ends it with a signal, and waits for its end. */
  stop (signal: NodeJS.Signals): Promise<Ended>
}

/** Starts a node and waits until it says where it listens. */
export async function startNode (t: { teardown (work: () => void): unknown }, state: string, args: readonly string[] = ['--listen', 'mdsftp+tls://127.0.0.1:0']): Promise<Node> {
  const child = begin(['serve', '--json', ...args], { state })
  t.teardown(() => { child.kill('SIGKILL') })
  const ended = end(child)
  const wanted = args.filter(arg => arg === '--listen').length
  const addresses: string[] = []

  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const fact = JSON.parse(line) as Fact
    if (fact.event === 'listening') addresses.push(String(fact['address']))
    if (addresses.length === wanted) break
  }
  if (addresses.length < wanted) throw new Error(`the node does not listen: ${(await ended).stderr}`)
  return {
    child,
    addresses,
    stop: async signal => {
      child.kill(signal)
      return await ended
    }
  }
}

/** Resolves when the child has printed an event of that name, with it. */
export async function until (child: ChildProcess, event: string): Promise<Fact> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  return await new Promise<Fact>((resolve, reject) => {
    lines.on('line', line => {
      const fact = JSON.parse(line) as Fact
      if (fact.event === event) resolve(fact)
    })
    lines.on('close', () => reject(new Error(`ended without ${event}`)))
  })
}
