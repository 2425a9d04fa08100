/**
 * A connection to a node, as every client command needs it.
 *
 * @module
 */
import type { Connection } from '@ropewalk/interface'
import { connectNode, type StorageConnection } from '@ropewalk/protocol-mdsftp'
import { loadIdentity, type Address } from '@ropewalk/transport-tcp'
import { DEFAULT_ADDRESS, encrypted, formatAddress, formatHostPort, isLocal, parseAddress, type NodeAddress } from './address.ts'
import type { Context } from './context.ts'
import { loadAuthorities, loadToken } from './credentials.ts'
import { codeOf, messageOf, RopewalkError } from './errors.ts'
import { channelOf, STORAGE_PROTOCOL } from './muxed-route.ts'
import { KnownNodes } from './known-nodes.ts'
import { writeLines } from './progress/lines.ts'
import { prompter } from './prompt.ts'
import { loadNodeId, statePath } from './state-directory.ts'
import { dialAddress } from './transports.ts'
import { isTrusted, requireConsent, type TrustOptions } from './trust.ts'
import type { ProfileName } from './wire.ts'
import { wireOptions } from './wire-options.ts'

export interface SessionFlags {
  /** Trust a node that is not known, and keep its key. */
  readonly trust: boolean
  /** Speak without encryption to another machine. */
  readonly allowPlaintext: boolean
  readonly json: boolean
  /** A file with the certificates of authorities: they vouch for nodes then, and nobody else does. */
  readonly ca?: string | undefined
  readonly tokenFile?: string | undefined
  /** Where the address names none. */
  readonly profile: ProfileName
}

/** Writes an address as it is typed. */
export type FormatAddress = (address: NodeAddress) => string

/** How long a close may wait for what is under way. By then everything was answered: it is for the last packets. Ours. */
const CLOSE_TIMEOUT_MS = 1000

/** A node that refuses a token says nothing, and one that speaks another wire nothing that can be read. */
export const SILENT = 'The node has answered nothing: does it ask for a token (--token-file), or speak another wire (--profile)?'

/** Reads the address of a node, and refuses one that would carry files in the clear. */
export function nodeAddress (text: string | undefined, allowPlaintext: boolean): NodeAddress {
  const address = parseAddress(text ?? DEFAULT_ADDRESS)
  if (address.transport === 'tcp' && !isLocal(address) && !allowPlaintext) {
    throw new RopewalkError('ERR_USAGE', 'without encryption everybody on the way can read and change the files', {
      text: formatAddress(address),
      advice: [`Use ${encrypted(formatAddress(address))}, or say --allow-plaintext if the network itself is trusted.`]
    })
  }
  return address
}

/** Connects to the node at `address`, calls `work`, and closes the connection whatever comes of it. `channels` tells how many were opened. */
export async function withSession<T> (context: Context, address: NodeAddress, flags: SessionFlags, work: (node: StorageConnection, channels: () => number) => Promise<T>): Promise<T> {
  const node = await openSession(context, address, flags)
  node.refuse()
  const { readAt } = node
  const channels = countChannels(node)
  try {
    return await work(node, channels)
  } finally {
    if (channels() > 0 && node.readAt === readAt && !context.signal.aborted && !flags.json) writeLines(context.stderr, SILENT)
    await closeSession(node)
  }
}

/** Connects to the node at `address`. One that is `guarded` was named by a file: no token goes to it unless somebody else vouches for it. */
export async function openSession (context: Context, address: NodeAddress, flags: SessionFlags, guarded: boolean = false): Promise<StorageConnection> {
  const state = statePath(context.env)
  const token = await loadToken(context.env, flags.tokenFile)
  const nodeId = await loadNodeId(state)
  if (guarded && token !== undefined) await requireOwnTrust(address, state, flags)
  const reached = await reach(context, address, state, flags)
  const connection = address.mux === undefined ? reached : await channelOf(reached, STORAGE_PROTOCOL, { signal: context.signal })
  return connectNode(connection, { nodeId, token, ...wireOptions(address, flags.profile) })
}

/** Whoever wrote the manifest could name a node of his own, with the right key, and would be told our token. */
async function requireOwnTrust (address: NodeAddress, state: string, { ca, trust }: SessionFlags): Promise<void> {
  if (isLocal(address) || trust || (ca !== undefined && address.transport === 'tls')) return
  const [own, known] = address.transport === 'tls' ? [await loadIdentity(state), await new KnownNodes(state).find(formatHostPort(address))] : []
  if (address.transport === 'tls' && address.fingerprint !== undefined && (address.fingerprint === own?.fingerprint || address.fingerprint === known?.fingerprint)) return
  throw new RopewalkError('ERR_UNTRUSTED', 'only the manifest names this node, and it would be told the access token', {
    text: formatAddress(address),
    advice: ['--ca FILE lets an authority vouch for it; --trust says that you do.']
  })
}

/** A muxer knows how many channels are open, not how many were. */
export function countChannels (node: StorageConnection): () => number {
  let count = 0
  const open = node.open.bind(node)
  node.open = () => {
    count++
    return open()
  }
  return () => count
}

async function closeSession (node: StorageConnection): Promise<void> {
  try {
    await node.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) })
  } catch (error) {
    // What was asked for is answered by now, or has failed with a reason of its own.
    node.abort(error instanceof Error ? error : new Error(String(error)))
  }
}

/** Dials, and sees to it that the peer is trusted. `format` writes addresses as they are typed. */
export async function reach (context: Context, address: NodeAddress, state: string, flags: Pick<SessionFlags, 'ca' | 'trust' | 'json'>, format: FormatAddress = formatAddress): Promise<Connection> {
  try {
    return await dialNode(context, address, state, flags, format)
  } catch (error) {
    context.signal.throwIfAborted()
    if (error instanceof RopewalkError) throw error
    const where = format(address.transport === 'tls' ? { ...address, fingerprint: undefined } : address)
    if (codeOf(error) === 'ERR_UNTRUSTED') {
      throw new RopewalkError('ERR_UNTRUSTED', flags.ca === undefined ? 'the node is not the one that the address names' : `${flags.ca} does not vouch for the node at ${where}`, {
        cause: error,
        advice: [messageOf(error), ...flags.ca === undefined ? ['Either it was set up anew, or somebody else is answering in its place.'] : []]
      })
    }
    throw new RopewalkError('ERR_UNREACHABLE', `cannot connect to ${where}`, { cause: error, advice: [reasonOf(error), ...adviceFor(address)] })
  }
}

async function dialNode (context: Context, address: NodeAddress, state: string, flags: Pick<SessionFlags, 'ca' | 'trust' | 'json'>, format: FormatAddress): Promise<Connection> {
  const { signal } = context
  if (address.transport !== 'tls') return await dialAddress(address, { signal })

  const identity = await loadIdentity(state)
  if (flags.ca !== undefined) return await dialAddress(address, { signal, tls: { identity, ca: await loadAuthorities(flags.ca) } })
  if (address.fingerprint !== undefined) return await dialAddress(address, { signal, tls: { identity } })

  const options: TrustOptions = {
    known: new KnownNodes(state),
    own: identity.fingerprint,
    trust: flags.trust,
    ask: flags.json ? undefined : prompter(context),
    note: text => { writeLines(context.stderr, text) },
    format
  }
  let unknown: string | undefined
  const verify = async (shown: string): Promise<boolean> => {
    const trusted = await isTrusted(address, shown, options)
    if (!trusted) unknown = shown
    return trusted
  }
  try {
    return await dialAddress(address, { signal, tls: { identity, verify } })
  } catch (error) {
    if (unknown === undefined) throw error
    // Asked between two dials: an answer may take longer than a dial may.
    await requireConsent(address, unknown, options)
    return await dialAddress({ ...address, fingerprint: unknown }, { signal, tls: { identity } })
  }
}

/** The reasons that people meet, in words. */
function reasonOf (error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return REASONS[codeOf(cause)] ?? messageOf(error)
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nobody listens there.',
  ENOENT: 'There is no such socket.',
  ENOTFOUND: 'There is no machine of that name.',
  EAI_AGAIN: 'The name cannot be looked up now.',
  EHOSTUNREACH: 'There is no way to that machine.',
  ENETUNREACH: 'There is no way to that network.',
  ETIMEDOUT: 'The machine does not answer.'
}

function adviceFor (address: Address): string[] {
  return isLocal(address) ? ['Is a node running there? "ropewalk serve" starts one.'] : []
}
