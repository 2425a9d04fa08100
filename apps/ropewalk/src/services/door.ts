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
import { Grants, type Access, type Asked, type Verdict } from '../grants/grants.ts'

export interface Coming {
  readonly protocol: string
  readonly muxer?: string | undefined
  /** The store or folder that it is about: grants name it, and what comes is written there. */
  readonly resource?: string | undefined
  /** Nothing is written, whoever comes. */
  readonly reads?: boolean | undefined
  /** We have dialled it: nobody has to be let in. */
  readonly ours?: boolean | undefined
  /** He is kept to the folders of his grants. */
  readonly byFolder?: boolean | undefined
  /** Whether the configuration lets him in without a grant, as it is now. Default: it does. */
  readonly otherwise?: (() => boolean) | undefined
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
  /** Aborted with `ERR_REFUSED` when what let him in is gone. Who has not ended him then, within a second, sees the connection break off. */
  readonly over: AbortSignal
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

/** How often the grants are looked at while somebody is in by one of them. Ours. */
const LOOK_MS = 500

/** How long a service has to end somebody in the words of its protocol. Ours. */
const FAREWELL_MS = 1000

/** Somebody whom a grant may have let in. */
interface Inside {
  readonly asked: Asked
  readonly byFolder: boolean
  readonly otherwise: () => boolean
  readonly granted: Verdict
  readonly access: Access
  readonly who: Readonly<Record<string, unknown>>
  readonly cut: (reason: RopewalkError) => void
}

export class Door {
  readonly limits: Limits
  readonly #options: DoorOptions
  readonly #grants: Grants
  readonly #now: () => number
  readonly #inside = new Set<Inside>()
  #looking: NodeJS.Timeout | undefined
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
    const { protocol, muxer, resource, reads = false, ours = false, byFolder = false, otherwise = () => true } = coming
    const { board } = this.#options
    const { address, fingerprint } = connection.remote
    const who = { protocol, address, fingerprint }
    try {
      // A unix socket belongs to its owner, and its mode says so.
      const local = ours || address.startsWith('unix:')
      const asked = { fingerprint, protocol, resource }
      const verdict = local ? { kind: 'unsaid' as const } : await this.#grants.verdict(asked, this.#onlyGranted, this.#now())
      if (verdict.kind === 'refused') throw new RopewalkError('ERR_REFUSED', verdict.why)
      const granted = verdict.kind === 'granted' ? verdict : undefined
      const access = reads ? 'read' : granted?.access ?? 'write'
      const place = await this.limits.enter(protocol, fingerprint ?? hostOf(address), access === 'write' ? resource : undefined)
      const seen = board.connect(connection, { protocol, muxer, gate: place })
      const over = new AbortController()
      const leave = local ? () => {} : this.#enter({ asked, byFolder, otherwise, granted: verdict, access, who, cut: reason => { cutOff(connection, over, reason) } })
      this.audit({ event: 'connected', ...who, access, granted: granted !== undefined, ours })
      return {
        ...seen, access, granted: granted !== undefined, folders: bounds(granted?.folders), writable: bounds(granted?.writable), over: over.signal, holds: place.holds,
        end: () => {
          leave()
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
    clearTimeout(this.#looking)
    this.#inside.clear()
    await this.#options.audit?.close()
  }

  /** Looks whether everybody who is in may still be: those whom a grant has let in, and where only grants count, all. */
  async look (): Promise<void> {
    const now = this.#now()
    for (const inside of [...this.#inside]) {
      const verdict = await this.#grants.verdict(inside.asked, this.#onlyGranted, now).catch((error: unknown) => ({ kind: 'refused' as const, why: messageOf(error) }))
      const why = whyNot(inside, verdict)
      if (why === undefined || !this.#inside.delete(inside)) continue
      const reason = new RopewalkError('ERR_REFUSED', why)
      this.audit({ event: 'ended', ...inside.who, code: reason.code, message: why })
      inside.cut(reason)
    }
  }

  #enter (inside: Inside): () => void {
    this.#inside.add(inside)
    this.#again()
    return () => { this.#inside.delete(inside) }
  }

  /** While somebody is in by a grant, it may be taken back, or run out. */
  #again (): void {
    if (this.#looking !== undefined || !Array.from(this.#inside).some(({ granted }) => granted.kind === 'granted')) return
    this.#looking = setTimeout(() => {
      void this.look().finally(() => {
        this.#looking = undefined
        this.#again()
      })
    }, LOOK_MS)
    this.#looking.unref()
  }
}

/** Why somebody who is in may not stay; undefined: he may. */
function whyNot ({ granted, access, byFolder, otherwise }: Inside, now: Verdict): string | undefined {
  if (granted.kind !== 'granted') return now.kind === 'refused' ? now.why : undefined
  if (now.kind === 'unsaid') return otherwise() ? undefined : 'its grant was revoked'
  if (now.kind === 'refused') return now.why
  if (access === 'write' && now.access === 'read') return 'its grant to write was revoked'
  const narrower = byFolder && (isNarrower(now.folders, granted.folders) || isNarrower(now.writable, granted.writable))
  return narrower ? 'a grant of its was revoked' : undefined
}

function isNarrower (folders: readonly string[], before: readonly string[]): boolean {
  return !folders.includes('*') && !before.every(folder => folders.includes(folder))
}

function cutOff (connection: Connection, over: AbortController, reason: RopewalkError): void {
  over.abort(reason)
  setTimeout(() => { connection.abort(reason) }, FAREWELL_MS).unref()
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
