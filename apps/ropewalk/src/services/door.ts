/**
 * Every connection comes in through the door: counted against the shared limits, held against the grants, written into the audit log, and shown
 * on the board.
 *
 * @module
 */
import { join } from 'node:path'
import type { Connection } from '@ropewalk/interface'
import type { ActivityBoard, Seen } from '../activity/board.ts'
import type { Configuration } from '../config/resolve.ts'
import { codeOf, fileError, messageOf, RopewalkError } from '../errors.ts'
import { Limits } from '../limits/limits.ts'
import { RotatingLog } from '../logs/rotating-log.ts'
import { makeStateDirectory } from '../state-directory.ts'
import { Grants, type Access } from '../grants/grants.ts'

export interface Coming {
  readonly protocol: string
  readonly muxer?: string | undefined
  /** The store or folder that it is about: grants name it, and what comes is written there. */
  readonly resource?: string | undefined
  /** Nothing is written, whoever comes. */
  readonly reads?: boolean | undefined
  /** We have dialled it: nobody has to be let in. */
  readonly ours?: boolean | undefined
}

/** Somebody who is in. */
export interface Admitted extends Seen {
  /** A grant lets him in, whatever the configuration says of others. */
  readonly granted: boolean
  readonly access: Access
  /** Folders of the grants; undefined where none bounds him. */
  readonly folders: readonly string[] | undefined
  /** Those of them where he may write. */
  readonly writable: readonly string[] | undefined
  /** The limit that holds him back now. */
  readonly holds: () => string | undefined
}

export interface DoorOptions {
  readonly board: ActivityBoard
  readonly state: string
  readonly limits?: Limits | undefined
  readonly audit?: RotatingLog | undefined
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined
}

/** A timer counts no further. */
const MAX_TIMER_MS = 2 ** 31 - 1

export class Door {
  readonly limits: Limits
  readonly #options: DoorOptions
  readonly #grants: Grants
  readonly #now: () => number
  #onlyGranted = false

  constructor (options: DoorOptions) {
    this.#options = options
    this.limits = options.limits ?? new Limits()
    this.#grants = new Grants(options.state)
    this.#now = options.now ?? Date.now
  }

  configure (configuration: Configuration): void {
    this.limits.configure(configuration)
    this.#onlyGranted = configuration.get('trust.only_granted') === true
  }

  /** Lets a connection in; rejects with `ERR_REFUSED`, or whatever keeps us from knowing. The caller aborts it then, and calls `end` else. */
  async admit (connection: Connection, coming: Coming): Promise<Admitted> {
    const { protocol, muxer, resource, reads = false, ours = false } = coming
    const { board } = this.#options
    const { address, fingerprint } = connection.remote
    const who = { protocol, address, fingerprint }
    try {
      // A unix socket belongs to its owner, and its mode says so.
      const local = ours || address.startsWith('unix:')
      const verdict = local ? { kind: 'unsaid' as const } : await this.#grants.verdict({ fingerprint, protocol, resource }, this.#onlyGranted, this.#now())
      if (verdict.kind === 'refused') throw new RopewalkError('ERR_REFUSED', verdict.why)
      const granted = verdict.kind === 'granted' ? verdict : undefined
      const access = reads ? 'read' : granted?.access ?? 'write'
      const place = await this.limits.enter(protocol, fingerprint ?? hostOf(address), access === 'write' ? resource : undefined)
      const seen = board.connect(connection, { protocol, muxer, gate: place })
      const over = granted?.until === undefined ? () => {} : this.#until(connection, granted.until)
      this.audit({ event: 'connected', ...who, access, granted: granted !== undefined, ours })
      return {
        ...seen, access, granted: granted !== undefined, folders: bounds(granted?.folders), writable: bounds(granted?.writable), holds: place.holds,
        end: () => {
          over()
          place.leave()
          seen.end()
          this.audit({ event: 'disconnected', ...who })
        }
      }
    } catch (error) {
      this.audit({ event: 'refused', ...who, code: codeOf(error), message: messageOf(error) })
      throw error
    }
  }

  /** Writes down what somebody has done, or was not let do. */
  audit (record: Readonly<Record<string, unknown>>): void {
    this.#options.audit?.append({ at: new Date(this.#now()).toISOString(), ...record })
  }

  async close (): Promise<void> {
    await this.#options.audit?.close()
  }

  /** Whoever is in when the grant is over is sent away. */
  #until (connection: Connection, until: number): () => void {
    const timer = setTimeout(() => { connection.abort(new RopewalkError('ERR_REFUSED', 'its grant is over')) }, Math.min(until - this.#now(), MAX_TIMER_MS))
    timer.unref()
    return () => { clearTimeout(timer) }
  }
}

export function auditPath (state: string): string {
  return join(state, 'audit.ndjson')
}

export async function openAudit (state: string, configuration: Configuration): Promise<RotatingLog> {
  await makeStateDirectory(state)
  const path = auditPath(state)
  return await RotatingLog.open({ path, maxBytes: configuration.get('audit.max_size') as number, keep: configuration.get('audit.keep') as number })
    .catch((error: unknown) => { throw new RopewalkError('ERR_STATE', `the audit log: ${fileError(error).message}`, { text: path, cause: error }) })
}

function bounds (folders: readonly string[] | undefined): readonly string[] | undefined {
  return folders?.includes('*') === true ? undefined : folders
}

/** Without the port: whoever comes twice is the same. */
function hostOf (address: string): string {
  return address.replace(/:\d+$/, '')
}
