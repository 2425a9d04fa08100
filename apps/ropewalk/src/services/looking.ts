/**
 * Looking into a node: its log, its page with the numbers for Prometheus, and traces. One for all services, around them.
 *
 * @module
 */
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { parseLevels, type LogLevels } from '../observe/log-levels.ts'
import { Log } from '../observe/log.ts'
import { describeBuild } from '../version.ts'
import { webOptions, type WebFlags, type WebOptions } from '../web/web-options.ts'
import type { Host, Service } from './service.ts'
import type { WebService } from './web.ts'

export interface LookingFlags extends WebFlags {
  readonly inbox?: string | undefined
  readonly logLevel?: LogLevels | undefined
  readonly logFile?: string | undefined
}

export class Looking {
  readonly #log: Log
  readonly #flags: LookingFlags
  readonly #options: WebOptions | undefined
  readonly #stopping = new AbortController()
  #following: Promise<unknown> = Promise.resolve()
  #web: WebService | undefined

  /** Reads what the flags ask for; nothing is shown yet. */
  static async open ({ stderr }: Context, flags: LookingFlags): Promise<Looking> {
    const options = await webOptions(flags)
    return new Looking(await Log.open({ levels: flags.logLevel ?? (flags.logFile === undefined ? undefined : parseLevels('info')), file: flags.logFile, stderr }), flags, options)
  }

  private constructor (log: Log, flags: LookingFlags, options: WebOptions | undefined) {
    this.#log = log
    this.#flags = flags
    this.#options = options
  }

  /** `host`, of which the log hears too. */
  over (host: Host): Host {
    return {
      ...host,
      onTrouble: (who, error) => {
        this.#log.trouble(who, error)
        this.#web?.trouble(error)
        host.onTrouble(who, error)
      },
      listening: address => {
        this.#log.write('info', 'node', 'listening', { address })
        host.listening(address)
      }
    }
  }

  /** Begins to log, to trace, and where that was asked for, to show a page of what `services` do. */
  async start (host: Host, services: readonly Service[]): Promise<void> {
    const { signal } = this.#stopping
    const { traceTransfers } = await import('../observe/traces.ts')
    this.#log.write('info', 'node', 'started', { version: describeBuild() })
    this.#following = Promise.all([this.#log.follow(host.board, signal), traceTransfers(host.board, signal)])
    if (this.#options === undefined) return
    const { startWeb } = await import('./web.ts')
    this.#web = await startWeb(host, this.#options, { log: this.#log, services, inbox: this.#flags.inbox })
  }

  /** Says from now on that the node is about to stop. */
  stopping (): void {
    this.#log.write('info', 'node', 'stopping')
    this.#web?.stopping()
  }

  async stop (): Promise<void> {
    await this.#web?.stop(0)
    this.#stopping.abort(new RopewalkError('ERR_STOPPED', 'the node stops'))
    await this.#following
    this.#log.write('info', 'node', 'stopped')
  }
}
