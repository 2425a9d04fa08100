import { resolve } from 'node:path'
import { TokenBucket } from '@ropewalk/flow'
import { escapeName } from '@ropewalk/receive'
import type { Identity } from '@ropewalk/transport-tcp'
import { DEFAULT_ADDRESS, encrypted, isLocal, parseAddress, type NodeAddress } from '../address.ts'
import { parseDuration, refuseAlone } from '../arguments.ts'
import type { Context } from '../context.ts'
import { flagSettings, resolveConfig, settingFlags, type Configuration, type Sources } from '../config/resolve.ts'
import { loadCertificate } from '../credentials.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { collect, keepHeapSmall } from '../heap.ts'
import { writeLines } from '../progress/lines.ts'
import { encodeLine } from '../progress/ndjson.ts'
import { parseLevels, type LogLevels } from '../observe/log-levels.ts'
import { peakMemory } from '../progress/report.ts'
import { ipcOptions } from '../services/ipc-options.ts'
import { parsePeerAddress, PEER_PORT } from '../peers/peer-address.ts'
import { Looking } from '../services/looking.ts'
import type { PeersOptions } from '../services/peers.ts'
import { webAddress } from '../services/chunks-address.ts'
import { sortListeners } from '../services/listeners.ts'
import { Muxed } from '../services/muxed.ts'
import { Policy } from '../services/policy.ts'
import { Records } from '../services/records.ts'
import { stopAll, type Host, type Service } from '../services/service.ts'
import { defaultStore, statePath } from '../state-directory.ts'
import { swarmWords, type SwarmFlags } from '../swarm/options.ts'
import type { ProfileName } from '../wire.ts'

/** What `serve` is told on the command line; nothing of what it is not. Each of these but the first three is a setting too. */
export interface ServeFlags {
  readonly config?: string | undefined
  readonly json?: boolean | undefined
  readonly pair?: boolean | undefined
  readonly listen?: readonly string[] | undefined
  readonly store?: string | undefined
  readonly capacity?: number | undefined
  readonly maxConnections?: number | undefined
  readonly allow?: readonly string[] | undefined
  readonly allowAnyone?: boolean | undefined
  readonly allowPlaintext?: boolean | undefined
  readonly allowOrigin?: readonly string[] | undefined
  readonly ipc?: readonly string[] | undefined
  readonly ipcKey?: string | undefined
  readonly ipcRoot?: string | undefined
  readonly ipcMaxFile?: number | undefined
  readonly ipcAudience?: string | undefined
  readonly chunks?: string | undefined
  readonly chunksPush?: boolean | undefined
  readonly inbox?: string | undefined
  readonly peers?: readonly string[] | undefined
  readonly autoAccept?: boolean | undefined
  readonly anyoneMayOffer?: boolean | undefined
  readonly discover?: boolean | undefined
  readonly swarmPeers?: string | undefined
  readonly swarmDir?: string | undefined
  readonly swarmProfile?: SwarmFlags['swarmProfile']
  readonly swarmKey?: string | undefined
  readonly web?: string | boolean | undefined
  readonly webTokenFile?: string | undefined
  readonly logLevel?: LogLevels | undefined
  readonly logFile?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly tokenFile?: string | undefined
  readonly profile?: ProfileName | undefined
}

/** Lines of trouble a second, and how many may come at once. Ours: whoever knocks must not fill a disk with our complaints. */
const TROUBLE = { ratePerSecond: 1, burst: 20 }

/** Runs a node until the signal says stop. */
export async function serve (context: Context, given: ServeFlags, words: readonly string[] = []): Promise<Exit> {
  const { stderr, signal, env } = context
  const sources: Sources = { env, file: given.config, flags: flagSettings({ ...given }) }
  const configuration = await resolveConfig(sources)
  const settings: ServeFlags = { ...settingFlags(configuration), logLevel: levelsOf(configuration.get('log.level')) }
  const { nodes, uploads, stdio, swarm: memberships } = sortListeners(settings.listen ?? [])
  if (stdio.length > 0) return await (await import('./serve-stdio.ts')).serveStdio(context, configuration, settings.listen ?? [], words, { ...given, logLevel: settings.logLevel, logFile: settings.logFile })
  if (words.length > 0) throw new RopewalkError('ERR_USAGE', 'serve takes no words but with --listen casync+stdio:', { text: words.join(' ') })
  const flags: ServeFlags & { json: boolean } = { json: false, ...given, ...settings, listen: settings.listen === undefined ? undefined : nodes, ipc: uploads.length === 0 ? settings.ipc : [...settings.ipc ?? [], ...uploads] }
  const state = statePath(env)
  const ipc = ipcOptions(flags, state)
  const peers = peersOptions(flags, configuration)
  const root = flags.chunks
  if (root === undefined) refuseAlone({ '--chunks-push': flags.chunksPush }, 'goes with --chunks DIRECTORY, which says what is served')
  const chunks = root === undefined ? undefined : { root, ...webAddress(configuration.get('chunks.listen') as string, flags.allowAnyone === true) }
  const policy = await Policy.of(configuration, env)
  const swarm = swarmWords(memberships, flags)
  // With an inbox or a place for uploads, and nothing else said, it is no node for objects.
  const addresses = (flags.listen ?? (ipc === undefined && chunks === undefined && (peers === undefined || flags.store !== undefined) ? [DEFAULT_ADDRESS] : [])).map(text => listenAddress(text, flags, policy.verifyToken !== undefined))
  const certificate = await certificateOf(flags)
  const looking = await Looking.open(context, flags)
  const records = await Records.open({ state, configuration, controlled: peers !== undefined, onTrouble: (who, error) => { host.onTrouble(who, error) } })
  const { board, door, control } = records
  const muxed = new Muxed((who, error) => { host.onTrouble(who, error) })
  const host: Host = looking.over({
    context,
    board,
    door,
    muxed,
    policy,
    control,
    state,
    json: flags.json,
    note: text => { if (!flags.json) writeLines(stderr, text) },
    onTrouble: trouble(context, flags.json),
    listening: address => tell(context, flags.json, 'listening', address)
  })

  const services: Service[] = []
  // Who only receives from peers makes objects above all; the others pass on content.
  const heapAsItWas = keepHeapSmall(addresses.length === 0 && ipc === undefined && chunks === undefined && swarm === undefined)
  let unheard: (() => void) | undefined
  // What this node does not do is not loaded either.
  try {
    unheard = reloading(host, sources, configuration)
    if (addresses.length > 0) {
      const { startStorage } = await import('../services/storage.ts')
      services.push(await startStorage(host, {
        addresses,
        directory: flags.store ?? defaultStore(state),
        capacity: flags.capacity,
        maxConnections: flags.maxConnections,
        certificate,
        origins: flags.allowOrigin,
        profile: flags.profile ?? 'upstream'
      }))
    }
    if (ipc !== undefined) services.push(await (await import('../services/ipc.ts')).startIpc(host, ipc))
    if (peers !== undefined) services.push(await (await import('../services/peers.ts')).startPeers(host, peers))
    if (swarm !== undefined) services.push(await (await import('../services/swarm.ts')).startSwarm(host, swarm))
    if (chunks !== undefined) services.push(await (await import('../services/chunks.ts')).startChunks(host, chunks))
    if (chunks !== undefined && addresses.some(({ mux }) => mux !== undefined)) services.push(await (await import('../services/casync.ts')).startCasync(host, { root: chunks.root, push: flags.chunksPush === true }))
    muxed.start()
    await looking.start(host, services)
    collect()
    host.note('Ctrl-C stops')
    if (flags.pair === true) await (await import('./peers.ts')).pairHere(context, flags.json).catch((error: unknown) => { host.onTrouble('pairing', error) })
    await aborted(signal)
  } finally {
    unheard?.()
    looking.stopping()
    // Of one that could not begin nothing is under way.
    if (signal.aborted) host.note('Stopping; what is under way may take 10 seconds more')
    if (flags.json) context.stdout.write(encodeLine({ event: 'stopping' }))
    await muxed.refuse()
    const clean = await stopAll(services, error => { host.onTrouble('stopping', error) })
    await muxed.stop()
    await looking.stop()
    await records.close()
    heapAsItWas()
    if (!clean) host.note('Some transfers were cut off')
    if (flags.json) context.stdout.write(encodeLine({ event: 'stopped', clean, peak_memory: peakMemory() }))
  }
  return Exit.done
}

/** Reads the configuration again at every SIGHUP, one after the other. What cannot be used changes nothing. */
function reloading ({ context, policy, door, json, note, onTrouble }: Host, sources: Sources, first: Configuration): () => void {
  let current = first
  let last = Promise.resolve()
  const reload = async (): Promise<void> => {
    const next = await resolveConfig(sources)
    await policy.reload(next, context.env)
    door.configure(next)
    await door.look()
    const changed = next.changedFrom(current).map(({ setting }) => setting)
    current = next
    const [taken, kept] = [changed.filter(({ reloads }) => reloads === true), changed.filter(({ reloads }) => reloads !== true)].map(settings => settings.map(({ key }) => key)) as [string[], string[]]
    if (json) context.stdout.write(encodeLine({ event: 'reloaded', taken, at_next_start: kept }))
    door.audit({ event: 'reloaded', taken, at_next_start: kept })
    note(`Read the configuration again: ${taken.length === 0 ? 'nothing changed for a node that runs' : taken.join(', ')}${kept.length === 0 ? '' : `; at the next start: ${kept.join(', ')}`}`)
  }
  return context.onHangup?.(() => { last = last.then(reload).catch((error: unknown) => { onTrouble('configuration', error) }) }) ?? (() => {})
}

/** What peers may do here; undefined where it is no node for peers. */
function peersOptions ({ inbox, peers, autoAccept, anyoneMayOffer, discover = true, pair }: ServeFlags, configuration: Configuration): PeersOptions | undefined {
  if (inbox === undefined && peers === undefined) {
    refuseAlone({ '--auto-accept': autoAccept, '--anyone-may-offer': anyoneMayOffer, '--pair': pair }, 'is for a node that receives: say --inbox DIRECTORY')
    return undefined
  }
  const waitOf = (key: string): number => parseDuration(configuration.get(key) as string)
  return {
    addresses: (peers ?? [`[::]:${PEER_PORT}`]).map(parsePeerAddress), inbox: inbox === undefined ? undefined : resolve(inbox), discover,
    replyMs: waitOf('peers.reply_timeout'), progressMs: waitOf('peers.progress_timeout')
  }
}

function levelsOf (level: LogLevels | string | undefined): LogLevels | undefined {
  return typeof level === 'string' ? parseLevels(level) : level
}

export function tell ({ stdout }: Context, json: boolean, event: string, address: string): void {
  if (json) stdout.write(encodeLine({ event, address }))
  else stdout.write(stdout.isTTY === true ? `Listening on ${address}\n` : `${address}\n`)
}

/** Refuses to listen for other machines without a word on who may come, or how. */
function listenAddress (text: string, { allow, allowAnyone = false, allowPlaintext = false }: ServeFlags, tokens: boolean): NodeAddress {
  const address = parseAddress(text)
  if (address.transport === 'tls' && address.fingerprint !== undefined) {
    throw new RopewalkError('ERR_ADDRESS', 'a node shows its own key: leave the fingerprint out', { text, at: text.indexOf('#') })
  }
  if (isLocal(address)) return address
  if (address.transport === 'tcp' && !allowPlaintext) {
    throw new RopewalkError('ERR_USAGE', 'without encryption everybody on the way can read and change the files', {
      text,
      advice: [`Use ${encrypted(text)}, or say --allow-plaintext if the network itself is trusted.`]
    })
  }
  if (!allowAnyone && !tokens && (allow === undefined || address.transport === 'tcp')) {
    throw new RopewalkError('ERR_USAGE', 'whoever reaches this node could read, store and remove', {
      text,
      advice: address.transport === 'tcp'
        ? ['Plain tcp does not tell who connects. Ask for a token with --token-file,', 'or say --allow-anyone if that is what you want.']
        : ['Name the keys that may connect with --allow ("ropewalk identity" prints one),', 'ask for a token with --token-file, or say --allow-anyone if that is what you want.']
    })
  }
  return address
}

async function certificateOf ({ cert, key }: ServeFlags): Promise<Identity | undefined> {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) throw new RopewalkError('ERR_USAGE', '--cert and --key go together')
  return await loadCertificate(cert, key)
}

export function trouble ({ stderr, stdout, now }: Context, json: boolean): (remote: string, error: unknown) => void {
  const bucket = new TokenBucket(TROUBLE)
  let silent = 0
  return (remote, error) => {
    if (bucket.take(1, now()) > 0) {
      silent++
      return
    }
    const [code, message] = [codeOf(error), messageOf(error)]
    if (json) stdout.write(encodeLine({ event: 'trouble', remote, code, message, not_told: silent }))
    else writeLines(stderr, `${remote}: ${escapeName(message)} (${code})${silent > 0 ? `; ${silent} more were not told` : ''}`)
    silent = 0
  }
}

export function aborted (signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
