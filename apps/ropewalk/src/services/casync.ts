/**
 * Sessions of casync on the channels of a node, and on the standard input and output of one that somebody starts for a single session.
 *
 * @module
 */
import { access, realpath } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel, Connection } from '@ropewalk/interface'
import { encodeMessage } from '@ropewalk/protocol-casync/codec'
import { escapeName } from '@ropewalk/receive'
import type { Reporting } from '../activity/board.ts'
import { metered } from '../activity/metered.ts'
import { confine } from '../casync/confine.ts'
import { formatLocator } from '../casync/locator.ts'
import { acceptCasync, CASYNC_PROTOCOL } from '../casync/node-route.ts'
import { parseHelperCall, type HelperCall } from '../casync/remote-end.ts'
import { serveCall } from '../casync/serving.ts'
import { codeOf, fileError, messageOf, RopewalkError } from '../errors.ts'
import type { Admitted } from './door.ts'
import { asConnection } from './muxed.ts'
import type { Host, Service } from './service.ts'

export interface CasyncOptions {
  /** What is served lies below it. */
  readonly root: string
  /** Whether what is pushed is taken, of who may write. */
  readonly push: boolean
}

/** Sessions at once; one more is refused. Ours. */
export const MAX_SESSIONS = 64

/** How often a service that stops looks whether it is idle. Ours. */
const LOOK_MS = 20

/** As the web server has it: nothing else below the root is for others. */
const [INDEX, ARCHIVE] = [/\.(caibx|caidx)$/, /\.catar$/]

/** How long a client may take to hear that it is refused. Ours. */
const TELL_MS = 1000

/** `EACCES` and `ENOENT`, as casync tells them. */
const NOT_ALLOWED = 13
const NOT_THERE = 2

/** Offers the protocol to every listener for several. */
export async function startCasync (host: Host, options: CasyncOptions): Promise<Service> {
  const root = await realpath(options.root).catch((error: unknown) => { throw new RopewalkError('ERR_FILE', 'no such folder', { text: options.root, cause: error }) })
  const sessions = new CasyncSessions(host, { ...options, root })
  host.muxed.offer(CASYNC_PROTOCOL, async connection => { await sessions.take(connection) })
  return { stop: async graceMs => await sessions.stop(graceMs) }
}

export class CasyncSessions {
  readonly #host: Host
  readonly #options: CasyncOptions
  readonly #stopping = new AbortController()
  #open = 0

  constructor (host: Host, options: CasyncOptions) {
    this.#host = host
    this.#options = options
  }

  /** Serves a channel on which the client says first what it wants. */
  async take (connection: Connection): Promise<void> {
    await this.#admitted(connection, 'yamux', async (seen, signal) => {
      this.#assertAllowed(connection, seen)
      const { words, channel } = await acceptCasync(seen.connection, { signal })
      let call: HelperCall
      try {
        call = await this.#confined(parseHelperCall(words), seen)
        if (call.verb === 'pull') await assertThere(call)
      } catch (error) {
        await tellRefusal(channel, error)
        throw error
      }
      await this.#serve(channel, call, seen)
    })
  }

  /** Serves one whose words somebody else has read. */
  async serve (connection: Connection, call: HelperCall): Promise<void> {
    await this.#admitted(connection, undefined, async seen => { await this.#serve(seen.connection, await this.#confined(call, seen), seen) })
  }

  async stop (graceMs: number): Promise<boolean> {
    const deadline = AbortSignal.timeout(graceMs)
    while (this.#open > 0 && !deadline.aborted) await sleep(LOOK_MS)
    const clean = this.#open === 0
    this.#stopping.abort(new RopewalkError('ERR_STOPPED', 'the node stops'))
    while (this.#open > 0) await sleep(LOOK_MS)
    return clean
  }

  async #admitted (connection: Connection, muxer: 'yamux' | undefined, work: (seen: Admitted, signal: AbortSignal) => Promise<void>): Promise<void> {
    const { root, push } = this.#options
    const { door, policy } = this.#host
    this.#open++
    try {
      if (this.#open > MAX_SESSIONS) throw new RopewalkError('ERR_REFUSED', `${this.#open} > ${MAX_SESSIONS} sessions`)
      const seen = await door.admit(connection, { protocol: 'casync', muxer, resource: root, reads: !push, byFolder: true, otherwise: () => policy.allows(connection.remote) })
      try {
        await work(seen, AbortSignal.any([this.#stopping.signal, seen.over]))
      } finally {
        seen.end()
      }
    } finally {
      this.#open--
    }
  }

  /** The wire has no place for an access token. */
  #assertAllowed (connection: Connection, seen: Admitted): void {
    const { policy } = this.#host
    policy.assertAllowed(connection.remote, seen.granted)
    const known = seen.granted || connection.remote.address.startsWith('unix:') || policy.allowed !== undefined
    if (!known && policy.verifyToken !== undefined) throw new RopewalkError('ERR_REFUSED', 'this node asks for tokens, and casync shows none: --allow and "ropewalk grant" go by the key')
  }

  async #confined (call: HelperCall, { access, folders, writable }: Admitted): Promise<HelperCall> {
    const { root, push } = this.#options
    const takes = push && access === 'write'
    const roots = await within(root, call.verb === 'push' ? writable : folders)
    if (roots.length === 0) throw new RopewalkError('ERR_REFUSED', 'no folder that is granted is served here')
    const confined = await confine(call, { roots, base: root, allowed: takes ? ['pull', 'push'] : ['pull'] })
    for (const [locator, ending] of [[confined.index, INDEX], [confined.archive, ARCHIVE]] as const) {
      if (locator !== undefined && !ending.test(formatLocator(locator))) throw new RopewalkError('ERR_REFUSED', 'an index ends in .caibx or .caidx, an archive in .catar')
    }
    return confined
  }

  async #serve (channel: Channel, call: HelperCall, { connection: { remote }, holds, over }: Admitted): Promise<void> {
    const { board, context: { env } } = this.#host
    const out = call.verb === 'pull'
    const named = call.index ?? call.archive ?? call.stores.find(store => store !== undefined)
    const name = named === undefined ? '' : formatLocator(named).slice(this.#options.root.length).replace(/^\//, '')
    const reporting: Reporting = board.begin({ protocol: 'casync', direction: out ? 'out' : 'in', name, peer: remote.address, holds })
    let bytes = 0
    const count = (more: number): void => { reporting.moved(bytes += more) }
    const counted = metered(asConnection(channel, remote), out ? { received: () => {}, sent: count } : { received: count, sent: () => {} })
    try {
      await serveCall(counted, call, { env, signal: AbortSignal.any([this.#stopping.signal, over]) })
      reporting.done()
    } catch (error) {
      reporting.failed(error)
      throw error
    }
  }
}

/** What a session may name where the client has said nothing: one index or archive, or chunks alone. */
export function defaultCall (path: string | undefined): HelperCall {
  const at = (name: string): { kind: 'file', path: string } => ({ kind: 'file', path: name })
  const store = at(join(path === undefined ? '' : path.slice(0, path.lastIndexOf('/') + 1), 'default.castr'))
  if (path === undefined) return { verb: 'pull', index: undefined, archive: undefined, stores: [store] }
  return ARCHIVE.test(path) ? { verb: 'pull', index: undefined, archive: at(path), stores: [undefined] } : { verb: 'pull', index: at(path), archive: undefined, stores: [store] }
}

/** A session that breaks off later says nothing of why. A store may well not be there: then it has no chunks. */
async function assertThere ({ index, archive }: HelperCall): Promise<void> {
  for (const locator of [index, archive]) {
    if (locator?.kind === 'file') await access(locator.path).catch((error: unknown) => { throw new RopewalkError('ERR_NOT_FOUND', fileError(error).message, { cause: error }) })
  }
}

/** Says so in the words of the protocol, and waits until the client has heard it: what is broken off before might not arrive. */
async function tellRefusal (channel: Channel, error: unknown): Promise<void> {
  const timer = setTimeout(() => { channel.abort(error as Error) }, TELL_MS)
  try {
    await channel.sink(encodeMessage({ type: 'ABORT', errno: codeOf(error) === 'ERR_NOT_FOUND' ? NOT_THERE : NOT_ALLOWED, reason: escapeName(messageOf(error)) }))
    for await (const _ of channel.source) continue
  } catch {
    // The client has gone, and this is what was waited for.
  } finally {
    clearTimeout(timer)
  }
}

/** Those of `folders` that are there and lie below the root, or the root below one of them. */
async function within (root: string, folders: readonly string[] | undefined): Promise<string[]> {
  if (folders === undefined) return [root]
  const found: string[] = []
  for (const folder of folders) {
    const real = await realpath(resolve(folder)).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    })
    if (real === undefined) continue
    if (isBelow(root, real)) return [root]
    if (isBelow(real, root)) found.push(real)
  }
  return found
}

function isBelow (path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}
