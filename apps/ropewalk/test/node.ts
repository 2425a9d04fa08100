/**
 * A node, and commands, in this process: starting one takes longer than most of them run.
 *
 * @module
 */
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { turn } from '@ropewalk/testing'
import type { Test } from 'tap'
import { run } from '../src/program.ts'
import type { Fact } from './processes.ts'

export interface Said { readonly code: number, readonly stdout: string, readonly stderr: string }

export interface HereOptions {
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly signal?: AbortSignal | undefined
}

/** A command. */
export async function here (args: readonly string[], state: string, { env, signal = new AbortController().signal }: HereOptions = {}): Promise<Said> {
  const [stdin, stdout, stderr] = [new PassThrough().end(), new PassThrough(), new PassThrough()]
  const code = await run(args, { stdin, stdout, stderr, env: { ROPEWALK_STATE: state, ...env }, signal, now: () => performance.now() })
  // Lines are written together, at the end of a turn.
  await turn()
  return { code, stdout: await text(stdout.end()), stderr: await text(stderr.end()) }
}

export function factsIn (text: string): Fact[] {
  return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Fact)
}

/** `ropewalk serve --json`, which is stopped after the test. */
export class HereNode {
  /** Reads the configuration again. */
  hangup = (): void => {}
  readonly ended: Promise<number>
  readonly #stop = new AbortController()
  readonly #waiting = new Set<() => void>()
  #stdout = ''

  constructor (t: Test, args: readonly string[], state: string, env: NodeJS.ProcessEnv = {}) {
    const [stdin, stdout, stderr] = [new PassThrough().end(), new PassThrough(), new PassThrough().resume()]
    stdout.on('data', (bytes: Buffer) => {
      this.#stdout += String(bytes)
      for (const look of this.#waiting) look()
    })
    this.ended = run(['serve', '--json', ...args], {
      stdin, stdout, stderr, env: { ROPEWALK_STATE: state, ...env }, signal: this.#stop.signal, now: () => performance.now(),
      onHangup: listener => {
        this.hangup = listener
        return () => {}
      }
    })
    t.teardown(async () => { await this.stop() })
  }

  facts (event: string): Fact[] {
    return factsIn(this.#stdout.slice(0, this.#stdout.lastIndexOf('\n') + 1)).filter(fact => fact.event === event)
  }

  /** Resolves once `count` facts of that kind were told. */
  async told (event: string, count: number = 1): Promise<Fact[]> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (this.facts(event).length < count) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
      void this.ended.then(code => { reject(new Error(`the node has ended with ${code}: ${this.#stdout}`)) })
    })
    return this.facts(event)
  }

  async stop (): Promise<number> {
    this.#stop.abort(new Error('enough'))
    return await this.ended
  }
}
