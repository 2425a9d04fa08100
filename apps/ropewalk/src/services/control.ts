/**
 * The socket by which the commands of this user reach his node. Services say what they answer; who can open the socket is this user.
 *
 * @module
 */
import { join } from 'node:path'
import type { Channel, Connection, Listener } from '@ropewalk/interface'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { handle } from '@ropewalk/negotiate'
import { listen, MAX_UNIX_PATH_BYTES } from '@ropewalk/transport-tcp'
import { codeOf, RopewalkError } from '../errors.ts'
import { answer, CONTROL, type Line, type Perform } from '../peers/control.ts'
import { makeStateDirectory } from '../state-directory.ts'

export function controlPath (state: string): string {
  return join(state, 'node.sock')
}

export class Control {
  readonly #listener: Listener<unknown>
  readonly #stopping = new AbortController()
  readonly #commands = new Map<string, Perform>()
  readonly #protocols = new Map<string, (channel: Channel) => Promise<void>>()
  #others: Perform = () => { throw new RopewalkError('ERR_USAGE', 'the node that runs does not know this command', { advice: ['It runs without an inbox, or is another version of ropewalk.'] }) }
  readonly #served: Promise<void>
  #closed: Promise<void> | undefined

  private constructor (listener: Listener<unknown>) {
    this.#listener = listener
    this.#served = this.#serve()
  }

  /** Rejects with `ERR_STATE` where another node of this user has the socket. */
  static async open (state: string): Promise<Control> {
    await makeStateDirectory(state)
    const path = controlPath(state)
    const bytes = Buffer.byteLength(path)
    if (bytes > MAX_UNIX_PATH_BYTES) {
      throw new RopewalkError('ERR_STATE', `the path of the node's socket is too long: ${bytes} > ${MAX_UNIX_PATH_BYTES} bytes`, { text: path, advice: ['ROPEWALK_STATE names another directory, with a shorter path.'] })
    }
    return new Control(await listen({ transport: 'unix', path }).catch((error: unknown) => {
      if (codeOf(error) !== 'ERR_ADDRESS_IN_USE') throw error
      throw new RopewalkError('ERR_STATE', 'another node of this user runs with this state', { cause: error, text: state, advice: ['Stop it first, or name another directory with ROPEWALK_STATE.'] })
    }))
  }

  /** What requests that `do` this are answered by. */
  on (command: string, perform: Perform): void {
    this.#commands.set(command, perform)
  }

  /** What all other requests are answered by. */
  otherwise (perform: Perform): void {
    this.#others = perform
  }

  /** Answers one request, until the signal is aborted or the node stops. */
  async perform (request: Line, tell: (line: Line) => void, signal: AbortSignal): Promise<void> {
    const perform = this.#commands.get(String(request['do'])) ?? this.#others
    await perform(request, tell, AbortSignal.any([signal, this.#stopping.signal]))
  }

  /** What channels that speak `protocol` are served by. */
  speak (protocol: string, serve: (channel: Channel) => Promise<void>): void {
    this.#protocols.set(protocol, serve)
  }

  /** Answers nobody any more. Idempotent. */
  async close (): Promise<void> {
    this.#stopping.abort(new RopewalkError('ERR_STOPPED', 'the node stops'))
    this.#closed ??= this.#listener.close()
    await this.#closed
    await this.#served
  }

  async #serve (): Promise<void> {
    const running = new Set<Promise<void>>()
    for await (const connection of this.#listener) {
      const settled: Promise<void> = this.#connection(connection).catch(() => {}).finally(() => { running.delete(settled) })
      running.add(settled)
    }
    await Promise.all(running)
  }

  async #connection (connection: Connection): Promise<void> {
    const { signal } = this.#stopping
    const muxer = mdsftp(connection, { role: 'acceptor' })
    /** Requests that are not answered yet. */
    let open = 0
    let timer: NodeJS.Timeout | undefined
    const abort = (): void => { muxer.abort(signal.reason as Error) }
    // Who has its answer ends the connection when it has read it.
    const stop = (): void => {
      if (open > 0) abort()
      else timer = setTimeout(abort, READ_MS)
    }
    signal.addEventListener('abort', stop)
    const running = new Set<Promise<unknown>>()
    try {
      for await (const channel of muxer) {
        open++
        const work: Promise<unknown> = this.#channel(channel, () => { open-- }).catch(() => {}).finally(() => { running.delete(work) })
        running.add(work)
      }
    } finally {
      await Promise.all(running)
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      muxer.abort(new RopewalkError('ERR_STOPPED', 'the command is over'))
    }
  }

  /** `answered` is called when a request has been performed: the end of its answer may still be on its way. */
  async #channel (channel: Channel, answered: () => void): Promise<void> {
    const { protocol, channel: agreed } = await handle(channel, [CONTROL, ...this.#protocols.keys()])
    const serve = this.#protocols.get(protocol)
    if (serve !== undefined) return await serve(agreed)
    await answer(agreed, async (request, tell, gone) => {
      await this.perform(request, tell, gone)
      answered()
    })
  }
}

/** How long a command may take to read the end of its answer from a node that stops. Ours. */
const READ_MS = 500
