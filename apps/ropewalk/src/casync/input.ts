/**
 * What a command reads: an index or an archive, and the stores with its chunks, wherever each of them is.
 *
 * @module
 */
import type { ChunkSource } from '@ropewalk/interface'
import { chain, type PullSession, type Trouble } from '@ropewalk/protocol-casync'
import { escapeName } from '@ropewalk/receive'
import type { CastrStore } from '@ropewalk/store-castr'
import type { Context } from '../context.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { defaultStore, formatLocator, parseLocator, sameHost, type Locator } from './locator.ts'
import { diskStore, fileBytes, storeSource, type StoreOptions } from './open.ts'
import { openSession, RemoteStore, type RemoteCall } from './sessions.ts'
import { throttle, type Throttle } from './throttle.ts'

/** What every command that reads chunks takes. */
export interface StoreFlags {
  readonly store?: string | undefined
  readonly extraStore?: readonly string[] | undefined
  readonly cache?: string | undefined
  readonly rateLimitBps?: number | undefined
}

export interface Input extends AsyncDisposable {
  readonly locator: Locator
  /** The bytes of the index or the archive. Can be iterated once. */
  readonly bytes: AsyncIterable<Uint8Array>
  /** Every store in its order, as one. Asks nobody before it is asked. */
  readonly chunks: ChunkSource
  /** The first of them, where it is a folder here and no cache comes before it. */
  readonly here: CastrStore | undefined
  /** The only one of them, where it is on another machine and there is no cache. */
  readonly far: RemoteStore | undefined
}

export interface InputOptions {
  /** Told of what went wrong with one store and was got over. */
  readonly onTrouble?: ((text: string) => void) | undefined
  /** An archive as it is, without chunks. */
  readonly archive?: boolean | undefined
  /** Replace what is damaged in a store of this machine by what another one has. Default true. */
  readonly heal?: boolean | undefined
}

/** Opens what `text` names. With an index that needs one, a session is begun. */
export async function openInput (context: Context, text: string, flags: StoreFlags, { onTrouble = () => {}, archive = false, heal = true }: InputOptions = {}): Promise<Input> {
  const locator = parseLocator(text)
  const pass = flags.rateLimitBps === undefined ? undefined : throttle(flags.rateLimitBps, context.now, context.signal)
  const stores = archive ? [] : storeLocators(locator, flags, context.env)
  const options: StoreOptions = { env: context.env, signal: context.signal, throttle: pass }
  const closing: AsyncDisposable[] = []

  const remote = (call: Omit<RemoteCall, 'verb'>): RemoteCall => ({ verb: 'pull', ...call, rateLimitBps: flags.rateLimitBps, throttle: pass })
  let session: PullSession | undefined
  // Whatever the same host has comes in one session.
  const beside = isRemote(locator) ? stores.filter(store => sameHost(store, locator)) : []
  if (isRemote(locator)) {
    session = await openSession(context, remote(archive ? { archive: locator, stores: [] } : { index: locator, stores: beside }), { index: !archive, archive, chunks: beside.length > 0 })
  }

  const sources: ChunkSource[] = []
  let here: CastrStore | undefined
  const seen = new Set<Locator>()
  for (const store of stores) {
    if (seen.has(store)) continue
    if (!isRemote(store)) {
      if (store === stores[0] && store.kind === 'file' && flags.cache === undefined) here = diskStore(store.path, options)
      sources.push(store === stores[0] && here !== undefined ? here : storeSource(store, options))
      continue
    }
    const together = stores.filter(other => sameHost(store, other))
    for (const other of together) seen.add(other)
    const shared = session !== undefined && beside.includes(store) ? session : undefined
    const source = new RemoteStore(() => openSession(context, remote({ stores: together }), { index: false, chunks: true }), shared)
    closing.push(source)
    sources.push(source)
  }
  if (session !== undefined && beside.length === 0) closing.push(session)

  const cache: CastrStore | undefined = flags.cache === undefined ? undefined : diskStore(flags.cache, { ...options, lease: true })
  if (cache !== undefined) closing.push(cache)
  return {
    locator,
    here,
    far: sources.length === 1 && cache === undefined && sources[0] instanceof RemoteStore ? sources[0] : undefined,
    bytes: session === undefined ? fileBytes(locator, options) : archive ? session.archive : session.index,
    chunks: chain(sources, { cache, heal, onTrouble: trouble => { onTrouble(describe(trouble)) } }),
    async [Symbol.asyncDispose] () {
      await Promise.allSettled(closing.map(part => part[Symbol.asyncDispose]()))
    }
  }
}

/** The stores that a command names, the primary one first. */
export function storeLocators (index: Locator, { store, extraStore = [] }: StoreFlags, env: NodeJS.ProcessEnv): Locator[] {
  return [store === undefined ? defaultStore(index, env) : parseLocator(store), ...extraStore.map(parseLocator)]
}

/** The one store on this machine that a command writes to or cleans. */
export function localStore (index: Locator, flags: StoreFlags, env: NodeJS.ProcessEnv): string {
  const [first] = storeLocators(index, flags, env)
  if (first?.kind !== 'file') throw new RopewalkError('ERR_USAGE', 'the store must be a folder on this machine', { text: first === undefined ? '' : formatLocator(first), advice: ['--store=DIRECTORY names one.'] })
  return first.path
}

export function isRemote (locator: Locator): boolean {
  return locator.kind === 'ssh' || locator.kind === 'helper' || locator.kind === 'node'
}

export function throttleOf (context: Context, flags: StoreFlags): Throttle | undefined {
  return flags.rateLimitBps === undefined ? undefined : throttle(flags.rateLimitBps, context.now, context.signal)
}

function describe ({ id, error, healed }: Trouble): string {
  return `chunk ${id}: ${escapeName(messageOf(error))} (${codeOf(error)}); taken from another store${healed ? ', and replaced' : ''}`
}
