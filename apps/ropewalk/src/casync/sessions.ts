/**
 * Sessions with the other end: who starts it, with which words, and chunks that come through it.
 *
 * @module
 */
import type { Chunk, ChunkGetOptions, ChunkId, ChunkSource, Connection } from '@ropewalk/interface'
import { pull, type PullOptions, type PullSession } from '@ropewalk/protocol-casync'
import { nodeCompression, nodeHash } from '@ropewalk/store-castr'
import { spawn, ssh, type Exit } from '@ropewalk/transport-stdio'
import type { Context } from '../context.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { formatLocator, type Locator } from './locator.ts'
import { throttled, type Throttle } from './throttle.ts'

/** What the other end is asked to open. At least one of them is named, and all are on one host. */
export interface RemoteCall {
  readonly verb: 'pull' | 'push'
  readonly archive?: Locator | undefined
  readonly index?: Locator | undefined
  readonly stores: readonly Locator[]
  readonly rateLimitBps?: number | undefined
  readonly throttle?: Throttle | undefined
}

/** The other end, and how it ended. */
export interface RemoteEnd extends Connection {
  readonly exited: Promise<Exit>
}

/** A channel has no exit code: what went wrong was said on it. */
const NO_EXIT: Exit = { code: 0, signal: null, stderr: '' }

const PROTOCOLS = '/usr/lib/casync/protocols'

/** Starts the other end: casync, or what `CASYNC_REMOTE_PATH` says, through ssh; the helper of another scheme on this machine; or a channel of a node. */
export async function startRemote (context: Context, call: RemoteCall): Promise<RemoteEnd> {
  const { env, signal, stderr } = context
  const target = call.index ?? call.archive ?? call.stores[0]
  if (target === undefined) throw new TypeError('nothing is asked for')
  const words = wordsOf(call)
  // What it says is for whoever started us.
  const options = { env, signal, onStderr: (bytes: Uint8Array) => { stderr.write(printable(bytes)) } }
  try {
    const connection = target.kind === 'node' ? { ...await (await import('./node-route.ts')).openCasync(context, target.address, words), exited: Promise.resolve(NO_EXIT) } : target.kind === 'helper'
      ? await spawn(`${env['CASYNC_PROTOCOL_PATH'] ?? PROTOCOLS}/casync-${target.scheme}`, words, options)
      : await ssh(hostOf(target), [...remoteProgram(env), ...words], { ...options, program: env['CASYNC_SSH_PATH'], settings: portOf(target) })
    return call.throttle === undefined ? connection : throttled(connection, call.throttle)
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof RopewalkError ? error : unreachable(target, error)
  }
}

/** What the helper of casync is called with. */
export function wordsOf ({ verb, archive, index, stores, rateLimitBps }: RemoteCall): string[] {
  return [
    ...(rateLimitBps === undefined ? [] : [`--rate-limit-bps=${rateLimitBps}`]),
    verb, '-', word(archive), word(index),
    ...(stores.length === 0 ? ['-'] : stores.map(word))
  ]
}

/** Chunks of another host. A session gives each once, so a second question begins a new one. */
export class RemoteStore implements ChunkSource, AsyncDisposable {
  readonly #open: () => Promise<PullSession>
  #session: Promise<PullSession> | undefined

  constructor (open: () => Promise<PullSession>, first?: PullSession) {
    this.#open = open
    this.#session = first === undefined ? undefined : Promise.resolve(first)
  }

  async get (id: ChunkId, options?: ChunkGetOptions): Promise<Chunk | undefined> {
    return await this.#ask(async session => await session.get(id, options))
  }

  /** The chunk as it came: see `PullSession`. */
  async take (...question: Parameters<PullSession['take']>): ReturnType<PullSession['take']> {
    return await this.#ask(async session => await session.take(...question))
  }

  async #ask<T> (question: (session: PullSession) => Promise<T>): Promise<T> {
    const session = this.#session ??= this.#open()
    try {
      return await question(await session)
    } catch (error) {
      if (codeOf(error) !== 'ERR_ASKED_BEFORE') throw error
      // Whoever comes first begins the new one; what the old one still owes comes from there.
      if (this.#session === session) this.#session = this.#open()
      return await this.#ask(question)
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await (await this.#session?.catch(() => undefined))?.close()
  }
}

/** A session that pulls. */
export async function openSession (context: Context, call: RemoteCall, options: Pick<PullOptions, 'digest' | 'maxChunkBytes' | 'index' | 'chunks' | 'archive'>): Promise<PullSession> {
  const connection = await startRemote(context, call)
  try {
    return await pull(connection, { ...options, hash: nodeHash, compression: nodeCompression(), signal: context.signal })
  } catch (error) {
    connection.abort(error instanceof Error ? error : new Error(String(error)))
    context.signal.throwIfAborted()
    throw await withExit(connection, call, error)
  }
}

/** A helper that ended before it said anything: how it ended says more than that it did. */
export async function withExit (connection: RemoteEnd, call: RemoteCall, error: unknown): Promise<unknown> {
  const target = (call.index ?? call.archive ?? call.stores[0]) as Locator
  const { code, stderr } = await connection.exited
  // 255 is ssh's own failure, 126 and 127 are a shell's that finds no program.
  if (code === 255 || code === 127 || code === 126) return unreachable(target, error, stderr.trim().split('\n').at(-1))
  return error
}

function unreachable (target: Locator, cause: unknown, last?: string): RopewalkError {
  const where = target.kind === 'ssh' ? `to ${target.host}` : formatLocator(target)
  return new RopewalkError('ERR_UNREACHABLE', `no session ${where}`, {
    cause,
    advice: [
      ...(last === undefined || last === '' ? [printable(new TextEncoder().encode(messageOf(cause)))] : []),
      target.kind === 'node' ? 'Does the node serve casync (chunks.directory in its configuration, or --chunks), and let you in?' : target.kind === 'ssh' ? 'Does "ssh HOST casync --version" work there? CASYNC_REMOTE_PATH names another program, ropewalk-casync for instance.' : 'CASYNC_PROTOCOL_PATH says where the program for this kind of address is.'
    ]
  })
}

function word (locator: Locator | undefined): string {
  if (locator === undefined) return '-'
  const path = locator.kind !== 'http' && locator.kind !== 'helper' ? locator.path : locator.url
  // What begins with - would be an option there.
  return path.startsWith('-') ? `./${path}` : path
}

function hostOf (locator: Locator): string {
  if (locator.kind !== 'ssh') throw new TypeError(`not a host: ${formatLocator(locator)}`)
  return locator.host
}

function portOf (locator: Locator): Record<string, string> {
  return locator.kind === 'ssh' && locator.port !== undefined ? { Port: locator.port } : {}
}

/** casync hands it to the shell as it is, so that it may be a command with arguments. */
function remoteProgram (env: NodeJS.ProcessEnv): string[] {
  const words = (env['CASYNC_REMOTE_PATH'] ?? '').split(/\s+/).filter(part => part !== '')
  return words.length === 0 ? ['casync'] : words
}

/** Without what could do more to a terminal than show text. */
function printable (bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replace(/[^\n\t\P{Cc}]/gu, '?')
}
