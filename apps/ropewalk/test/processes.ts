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
import { MAIN } from './programs.ts'

/** Every process would strip the types of every module anew: with this, only the first one does. A run of all tests has one for all of them. */
const COMPILED = process.env['NODE_COMPILE_CACHE'] ?? ownCache()

/** A fact that `--json` has printed. */
export type Fact = Record<string, unknown> & { readonly event: string }

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface BeginOptions {
  readonly state: string
  readonly cwd?: string | undefined
  /** On top of the environment of the tests. */
  readonly env?: NodeJS.ProcessEnv | undefined
  /** What starts it: words of a command that come before its own. */
  readonly within?: readonly string[] | undefined
  /** Read no more of standard output than its first chunk, so that the process cannot go on when it has much to write. */
  readonly unread?: boolean | undefined
}

export interface RunOptions extends BeginOptions {
  readonly input?: string | Uint8Array | undefined
}

/** A folder that is removed after the test. */
export async function folder (t: { teardown (work: () => Promise<void>): unknown }): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'ropewalk-test-'))
  t.teardown(async () => { await rm(path, { recursive: true, force: true }) })
  return path
}

/** The command line, running. */
export class Command {
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  readonly #child: ChildProcess
  readonly #waiting = new Set<() => void>()

  constructor (args: readonly string[], { state, cwd, unread = false, within = [], env: more }: BeginOptions) {
    const env: NodeJS.ProcessEnv = { ...process.env, ROPEWALK_STATE: state, NODE_COMPILE_CACHE: COMPILED, ...more }
    delete env['NODE_OPTIONS']
    const [program, ...words] = [...within, process.execPath, '--conditions=@ropewalk/source', MAIN, ...args] as [string, ...string[]]
    const child = spawn(program, words, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child = child
    child.stdin.on('error', () => {})
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      if (unread) child.stdout.pause()
      this.#look()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { this.stderr += text; this.#look() })
    this.ended = (once(child, unread ? 'exit' : 'close') as Promise<[number | null, NodeJS.Signals | null]>).then(([code, signal]) => {
      this.#look()
      return { code, signal, stdout: this.stdout, stderr: this.stderr }
    })
  }

  get pid (): number {
    return this.#child.pid as number
  }

  /** Ends standard input with `text`. */
  input (text: string | Uint8Array): void {
    this.#child.stdin?.end(text)
  }

  kill (signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves as soon as `condition` is true of what was printed; rejects when the process ends without it. */
  async until (condition: (command: this) => boolean): Promise<void> {
    while (!condition(this)) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error(`ended too early: ${this.stdout}${this.stderr}`)
      await new Promise<void>(resolve => this.#waiting.add(resolve))
    }
  }

  #look (): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

/** Runs the command line to its end. */
export async function run (args: readonly string[], options: RunOptions): Promise<Ended> {
  const command = new Command(args, options)
  command.input(options.input ?? '')
  return await command.ended
}

function ownCache (): string {
  const path = mkdtempSync(join(tmpdir(), 'ropewalk-compiled-'))
  process.on('exit', () => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Those lines of a text that are whole and hold a fact. */
export function facts (stdout: string): Fact[] {
  return stdout.split('\n').slice(0, -1).filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Fact)
}

export function factsOf (stdout: string, event: string): Fact[] {
  return facts(stdout).filter(fact => fact.event === event)
}

export interface Node {
  readonly command: Command
  /** Of its listeners, in their order. */
  readonly addresses: readonly string[]
  /** Ends it with a signal, and waits for its end. */
  stop (signal: NodeJS.Signals): Promise<Ended>
}

/** Starts a node and waits until it says where it listens. */
export async function startNode (t: { teardown (work: () => void): unknown }, state: string, args: readonly string[] = ['--listen', 'mdsftp+tls://127.0.0.1:0']): Promise<Node> {
  const command = new Command(['serve', '--json', ...args], { state })
  t.teardown(() => { command.kill('SIGKILL') })
  const wanted = args.filter(arg => arg === '--listen').length
  await command.until(({ stdout }) => factsOf(stdout, 'listening').length === wanted)
  return {
    command,
    addresses: factsOf(command.stdout, 'listening').map(({ address }) => String(address)),
    stop: async signal => {
      command.kill(signal)
      return await command.ended
    }
  }
}
