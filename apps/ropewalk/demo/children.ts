/**
 * The command line as child processes, all of which are gone in the end.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

export type Fact = Readonly<Record<string, unknown>> & { readonly event: string }

export class Child {
  readonly #process: ChildProcess
  readonly #name: string
  readonly #facts: Fact[] = []
  readonly #closed: Promise<unknown>
  readonly #waiting = new Set<() => void>()
  #stderr = ''
  #over = false

  constructor (process: ChildProcess, name: string, onFact: (fact: Fact) => void) {
    this.#process = process
    this.#name = name
    this.#closed = once(process, 'close').then(() => { this.#over = true; this.#look() })
    process.stderr?.setEncoding('utf8').on('data', (text: string) => { this.#stderr += text })
    createInterface({ input: process.stdout as NodeJS.ReadableStream }).on('line', line => {
      const fact = JSON.parse(line) as Fact
      this.#facts.push(fact)
      onFact(fact)
      this.#look()
    })
  }

  facts (event: string): Fact[] {
    return this.#facts.filter(fact => fact.event === event)
  }

  /** Resolves when there are `count` facts of that name, with them. */
  async until (event: string, count: number = 1): Promise<Fact[]> {
    while (this.facts(event).length < count) {
      if (this.#over) throw this.#failure()
      await new Promise<void>(resolve => this.#waiting.add(resolve))
    }
    return this.facts(event)
  }

  /** Resolves when the process has ended well. */
  async finish (): Promise<void> {
    await this.#closed
    if (this.#process.exitCode !== 0) throw this.#failure()
  }

  async kill (signal: NodeJS.Signals): Promise<void> {
    this.#process.kill(signal)
    await this.#closed
  }

  /** Most bytes of memory so far, where the system tells. */
  async peakMemory (): Promise<number | undefined> {
    const status = await readFile(`/proc/${String(this.#process.pid)}/status`, 'latin1').catch(() => '')
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]
    return kib === undefined ? undefined : Number(kib) * 1024
  }

  #failure (): Error {
    return new Error(`ropewalk ${this.#name} ended with ${this.#process.exitCode ?? this.#process.signalCode ?? 'nothing'}\n${this.#stderr}`)
  }

  #look (): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

export interface StartOptions {
  readonly cwd?: string | undefined
  readonly onFact?: ((fact: Fact) => void) | undefined
}

/** Starts children, and ends them. */
export class Children {
  readonly #all = new Set<Child>()

  start (state: string, args: readonly string[], { cwd, onFact = () => {} }: StartOptions = {}): Child {
    const child = new Child(spawn(process.execPath, [MAIN, ...args, '--json'], {
      env: { ...process.env, ROPEWALK_STATE: state },
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C comes to us alone: we end them.
      detached: true
    }), args[0] ?? '', onFact)
    this.#all.add(child)
    return child
  }

  async killAll (): Promise<void> {
    await Promise.all(Array.from(this.#all, async child => { await child.kill('SIGKILL') }))
  }
}
