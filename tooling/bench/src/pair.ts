/**
 * A server and a client process, started for one measurement and ended with it.
 *
 * @module
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Latencies, Moment, Order, Usage } from './orders.ts'
import { profile } from './profile.ts'
import { reasonIn } from './reason.ts'
import { SUBJECTS } from './registry.ts'
import type { Service } from './subject.ts'

/** The longest that one order may take. */
const ORDER_TIMEOUT_MS = 120_000

const PLAYER: string = fileURLToPath(new URL('player.ts', import.meta.url))

interface Answers {
  taken: Moment
  send: Moment
  pressed: number
  ping: Latencies
  echo: { seconds: number }
  usage: Usage
}

type AnswerTo<O extends Order> = O['do'] extends keyof Answers ? Answers[O['do']] : unknown

export class Player {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #waiting = new Map<number, { resolve: (value: never) => void, reject: (error: Error) => void }>()
  #id = 0
  #complaint = ''

  constructor (subject: string, role: 'server' | 'client') {
    const [file, ...args] = SUBJECTS[subject]?.command?.(role) ?? [process.execPath, '--expose-gc', ...profile(subject, role), PLAYER, subject]
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child = child
    child.stderr.on('data', text => { this.#complaint = (this.#complaint + String(text)).slice(-4000) })
    child.on('error', error => this.#fail(error))
    child.on('close', code => this.#fail(new Error(`the ${role} of ${subject} ended with ${String(code)}: ${reasonIn(this.#complaint)}`)))
    child.stdin.on('error', () => {})
    createInterface({ input: child.stdout }).on('line', line => this.#answered(line))
  }

  order<const O extends Order> (order: O): Promise<AnswerTo<O>> {
    const id = this.#id++
    const answer = new Promise<AnswerTo<O>>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${order.do} took more than ${ORDER_TIMEOUT_MS} ms`)), ORDER_TIMEOUT_MS)
      this.#waiting.set(id, {
        resolve: value => { clearTimeout(timer); resolve(value) },
        reject: error => { clearTimeout(timer); reject(error) }
      })
    })
    this.#child.stdin.write(`${JSON.stringify({ id, ...order })}\n`)
    return answer
  }

  async end (): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise(resolve => { this.#child.once('close', resolve) })
    this.#child.stdin.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 2000)
    await ended
    clearTimeout(timer)
  }

  #answered (line: string): void {
    const { id, ok, failed } = JSON.parse(line) as { id: number, ok?: unknown, failed?: string }
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (failed === undefined) waiting?.resolve(ok as never)
    else waiting?.reject(new Error(failed))
  }

  #fail (error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

export class Pair {
  readonly server: Player
  readonly client: Player
  #openedStreams = 0
  #takenBytes = 0

  constructor (subject: string) {
    this.server = new Player(subject, 'server')
    this.client = new Player(subject, 'client')
  }

  /** Starts both; the n-th stream is served as `services[n]`, those beyond as the last. */
  async begin (services: Service[], channels: number): Promise<void> {
    const address = await this.server.order({ do: 'listen', services, channels })
    await this.client.order({ do: 'connect', address, channels })
  }

  /** Sends, and waits until the other side has read it all. Resolves to the seconds from the first write to the last read. */
  async send (streams: number, bytes: number, messageBytes: number): Promise<number> {
    this.#takenBytes += bytes
    const [{ at: began }, { at: ended }] = await Promise.all([
      this.client.order({ do: 'send', streams, bytes, messageBytes }),
      this.server.order({ do: 'taken', bytes: this.#takenBytes })
    ])
    return (ended - began) / 1e9
  }

  async hold (streams: number): Promise<void> {
    this.#openedStreams += streams
    await this.client.order({ do: 'hold', streams })
    await this.server.order({ do: 'opened', streams: this.#openedStreams })
  }

  /** Server first. */
  usage (collect = false): Promise<[Usage, Usage]> {
    return Promise.all([this.server.order({ do: 'usage', collect }), this.client.order({ do: 'usage', collect })])
  }

  async end (): Promise<void> {
    await Promise.all([this.client.end(), this.server.end()])
  }
}
