/**
 * A shell into which commands are typed, one after the other.
 *
 * @module
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'

export interface Done {
  readonly exit: number
  readonly output: string
}

/** How long a command may take. Ours. */
const COMMAND_MS = 120_000

/** Commands end with a zero byte; they find nothing on their own standard input, and their exit codes are told between two bytes that nothing else prints. */
const SHELL = 'while IFS= read -r -d "" command; do eval "$command" < /dev/null; printf "\\036%s\\036" $?; done'

export class Terminal {
  readonly #shell: ChildProcessWithoutNullStreams
  readonly #waiting = new Set<() => void>()
  #output = ''

  constructor (cwd: string, env: NodeJS.ProcessEnv) {
    this.#shell = spawn('bash', ['--norc', '--noprofile', '-c', SHELL], { cwd, env, detached: true })
    this.#shell.once('close', () => { this.#look() })
    for (const stream of [this.#shell.stdout, this.#shell.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
        this.#look()
      })
    }
    this.#shell.stdin.on('error', () => {})
  }

  /** Types `command`, and waits for its end; for one that goes on, until `enough` of what it has printed. */
  async type (command: string, enough?: (output: string) => boolean): Promise<Done> {
    this.#output = ''
    this.#shell.stdin.write(`${command}\0`)
    const end = /\x1e(\d+)\x1e/
    const late = AbortSignal.timeout(COMMAND_MS)
    while (!end.test(this.#output) && enough?.(this.#output) !== true) {
      if (late.aborted || this.#shell.exitCode !== null) return { exit: -1, output: this.#output }
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.add(resolve)
      late.addEventListener('abort', () => { resolve() }, { once: true })
      await promise
    }
    const exit = Number(end.exec(this.#output)?.[1] ?? 0)
    return { exit, output: this.#output.replace(end, '') }
  }

  /** Ctrl-C to whatever runs, and the end of the shell. Resolves to what was still printed. */
  async interrupt (): Promise<string> {
    this.#output = ''
    const closed = once(this.#shell, 'close')
    this.#shell.stdin.end()
    if (this.#shell.pid !== undefined && this.#shell.exitCode === null) process.kill(-this.#shell.pid, 'SIGINT')
    await closed
    return this.#output
  }

  #look (): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
