/**
 * What a node says of itself, as records: to a file or to standard error where somebody wants them, and the last of them to its page.
 *
 * Records hold what the board tells and what errors say, never what was sent: no token, key or code comes near them.
 *
 * @module
 */
import type { Logger } from 'pino'
import type { ActivityBoard } from '../activity/board.ts'
import { transfersIn } from '../activity/changes.ts'
import { codeOf, fileError, messageOf, RopewalkError } from '../errors.ts'
import { LEVELS, type Level, type LogLevels } from './log-levels.ts'

/** Records that the page can show. Ours. */
export const MAX_RECORDS = 500

/** Characters of a message or a field; the rest is replaced by `…`. Ours: names and errors are chosen by others. */
const MAX_CHARACTERS = 2048

export type Fields = Readonly<Record<string, string | number | undefined>>

export interface LogRecord {
  /** Counts from 1. */
  readonly number: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly level: Level
  readonly module: string
  readonly message: string
  readonly fields: Fields
}

export interface LogOptions {
  /** Undefined: nothing is written anywhere. */
  readonly levels: LogLevels | undefined
  /** A file to append to; standard error where none is named. */
  readonly file: string | undefined
  readonly stderr: NodeJS.WritableStream
}

export class Log {
  readonly #loggers = new Map<string, Logger>()
  readonly #levels: LogLevels | undefined
  readonly #root: Logger | undefined
  readonly #records: LogRecord[] = []
  #count = 0

  private constructor (root: Logger | undefined, levels: LogLevels | undefined) {
    this.#root = root
    this.#levels = levels
  }

  static async open ({ levels, file, stderr }: LogOptions): Promise<Log> {
    if (levels === undefined) return new Log(undefined, undefined)
    const { pino } = await import('pino')
    let to: Parameters<typeof pino>[1] = { write: line => { stderr.write(line) } }
    if (file !== undefined) {
      try {
        const destination = pino.destination({ dest: file, append: true, sync: true, mode: 0o600 })
        // A disk that is full must not end the node.
        destination.on('error', () => {})
        to = destination
      } catch (error) {
        throw new RopewalkError('ERR_FILE', `the log cannot be written: ${fileError(error).message}`, { text: file, cause: error })
      }
    }
    const root = pino({ level: 'trace', base: undefined, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: label => ({ level: label }) } }, to)
    return new Log(root, levels)
  }

  write (level: Exclude<Level, 'silent'>, module: string, message: string, fields: Fields = {}): void {
    const [said, told] = [short(message), Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, typeof value === 'string' ? short(value) : value]))]
    this.#loggerOf(module)?.[level](told, said)
    if (LEVELS.indexOf(level) < LEVELS.indexOf('info')) return
    this.#records.push({ number: ++this.#count, time: Date.now(), level, module, message: said, fields: told })
    if (this.#records.length > MAX_RECORDS) this.#records.shift()
  }

  /** The last records, of those behind `number`. */
  since (number: number): readonly LogRecord[] {
    return this.#records.filter(record => record.number > number)
  }

  trouble (who: string, error: unknown): void {
    this.write('warn', 'node', messageOf(error), { remote: who, code: codeOf(error) })
  }

  /** Logs what becomes of transfers and connections, until the signal is aborted. */
  async follow (board: ActivityBoard, signal: AbortSignal): Promise<void> {
    const running = new Set<string>()
    for await (const change of board.changes({ signal })) {
      if (change.change === 'connected' || change.change === 'disconnected') {
        const { protocol, address, fingerprint, bytesIn, bytesOut } = change.connection
        this.write('debug', protocol, change.change, { remote: address, fingerprint, bytes_in: bytesIn, bytes_out: bytesOut })
      }
      for (const { id, protocol, direction, peer, name, size, bytes, state, error, startedAt, endedAt } of transfersIn(change, () => board.list(), running)) {
        const fields = { transfer: id, name, direction, remote: peer, size, bytes }
        if (state === 'done' || state === 'failed') {
          running.delete(id)
          const ms = (endedAt ?? startedAt) - startedAt
          if (state === 'done') this.write('info', protocol, direction === 'in' ? 'received' : 'sent', { ...fields, ms })
          else this.write('warn', protocol, `failed: ${error?.message ?? ''}`, { ...fields, ms, code: error?.code })
        } else if (!running.has(id)) {
          running.add(id)
          this.write('debug', protocol, 'begun', fields)
        }
      }
    }
  }

  #loggerOf (module: string): Logger | undefined {
    if (this.#root === undefined || this.#levels === undefined) return undefined
    let logger = this.#loggers.get(module)
    if (logger === undefined) {
      logger = this.#root.child({ module }, { level: this.#levels.modules.get(module) ?? this.#levels.usual })
      this.#loggers.set(module, logger)
    }
    return logger
  }
}

function short (text: string): string {
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS - 1)}…` : text
}
