/**
 * A child process: what it said last, how it ended, and its end when it must.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import type { Peer } from './connection.ts'
import { CLOSE_TIMEOUT_MS, EXIT_GRACE_MS, KILL_TIMEOUT_MS, MESSAGE_CHARACTERS, STDERR_BYTES, STDERR_GRACE_MS } from './constants.ts'
import { type Exit, TransportError } from './errors.ts'
import { Tail } from './tail.ts'

export interface ChildOptions {
  /** How long a child that was told to end has before it is made to. */
  killTimeoutMs?: number | undefined
  /** How long to wait for the exit of a child that has ended its stdout, after we have ended its stdin. */
  closeTimeoutMs?: number | undefined
  /** Told of what the child writes to stderr, beside its last 64 KiB being kept. Must not throw. */
  onStderr?: ((bytes: Uint8Array) => void) | undefined
}

export class Child implements Peer {
  /** How it ended. Never rejects. */
  readonly exited: Promise<Exit>
  readonly #process: ChildProcess
  readonly #name: string
  readonly #options: ChildOptions
  readonly #tail: Tail = new Tail(STDERR_BYTES)
  readonly #exit: Promise<Pick<Exit, 'code' | 'signal'>>
  #killing: NodeJS.Timeout | undefined
  #killed = false

  constructor (process: ChildProcess, name: string, options: ChildOptions) {
    this.#process = process
    this.#name = name
    this.#options = options
    this.#exit = new Promise(resolve => { process.once('exit', (code, signal) => resolve({ code, signal })) })
    this.exited = this.#watch()
  }

  async judge (sending: boolean): Promise<void> {
    const exit = await this.#exitWithin(sending ? EXIT_GRACE_MS : this.#options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS)
    if (exit != null && exit.code !== 0) throw this.error(exit)
  }

  async explain (error: TransportError): Promise<TransportError> {
    const exit = await this.#exitWithin(EXIT_GRACE_MS)
    if (exit == null) return new TransportError('ERR_CONNECTION_RESET', `${this.#name} closed its stdin: ${error.message}`, { cause: error, remote: true })
    return this.error(exit)
  }

  /** Tells it to end, and after a while makes it. */
  abort (): void {
    if (this.#killed || this.#process.exitCode != null || this.#process.signalCode != null) return
    this.#killed = true
    this.#process.kill('SIGTERM')
    this.#killing = setTimeout(() => this.#process.kill('SIGKILL'), this.#options.killTimeoutMs ?? KILL_TIMEOUT_MS)
  }

  async gone (): Promise<void> {
    await this.exited
  }

  /** What an exit means to somebody who still wanted something. */
  error (exit: Exit): TransportError {
    const how = exit.signal != null ? `was ended by ${exit.signal}` : `exited with code ${exit.code}`
    const said = lastLine(exit.stderr)
    const code = exit.code === 0 ? 'ERR_CONNECTION_RESET' : 'ERR_EXITED'
    return new TransportError(code, said === '' ? `${this.#name} ${how}` : `${this.#name} ${how}: ${said}`, { exit, remote: true })
  }

  /** How it ended, where it ends within `ms`. What it said last may take longer. */
  async #exitWithin (ms: number): Promise<Exit | undefined> {
    return await within(this.#exit, ms) == null ? undefined : await this.exited
  }

  async #watch (): Promise<Exit> {
    const { stderr } = this.#process
    const quiet = new Promise<void>(resolve => {
      stderr?.on('data', (bytes: Uint8Array) => {
        this.#tail.push(bytes)
        this.#options.onStderr?.(bytes)
      })
      stderr?.on('error', () => {})
      stderr?.once('close', resolve)
    })

    const { code, signal } = await this.#exit
    clearTimeout(this.#killing)
    await within(quiet, STDERR_GRACE_MS)
    stderr?.destroy()
    return { code, signal, stderr: new TextDecoder().decode(this.#tail.bytes()) }
  }
}

/** The last line that says something, fit to be shown. */
function lastLine (text: string): string {
  const line = text.trimEnd().split('\n').at(-1) ?? ''
  const shown = line.replace(/[\p{Cc}\p{Cf}]/gu, '�').trim()
  return shown.length > MESSAGE_CHARACTERS ? `…${shown.slice(-MESSAGE_CHARACTERS)}` : shown
}

/** What `promise` resolves to, or undefined when that takes longer than `ms`. */
async function within<T> (promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => { timer = setTimeout(() => resolve(undefined), ms) })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
