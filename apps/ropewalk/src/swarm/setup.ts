/**
 * What a peer of a swarm is told before it joins: who belongs to the swarm, which of them it is, and the key.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { parsePeers, swarmKey, MAX_HARDENED_PEERS, MAX_PEERS, type PeerAddress, type ProfileName, type SwarmKey } from '@ropewalk/protocol-torronto'
import { fileError, messageOf, RopewalkError } from '../errors.ts'
import type { SwarmWords } from './options.ts'
import { addressOf } from './words.ts'

export interface SwarmSetup {
  readonly self: PeerAddress
  readonly peers: readonly PeerAddress[]
  readonly directory: string
  readonly profile: ProfileName
  readonly key: SwarmKey | undefined
}

/** Reads what the words name. */
export async function swarmSetup ({ peers: path, dir, as, profile, key }: SwarmWords): Promise<SwarmSetup> {
  const peers = await readPeers(path, profile)
  const self = as ?? ownAddress(peers)
  if (!peers.some(peer => addressOf(peer) === addressOf(self))) throw new RopewalkError('ERR_USAGE', `no peer of the list is ${addressOf(self)}`, { text: path, advice: ['This peer is spelled as in the list.'] })
  const secret = key === undefined ? undefined : await readKey(key)
  if (secret !== undefined && profile !== 'hardened') throw new RopewalkError('ERR_USAGE', 'a key is for the profile hardened: others cannot prove that they know it')
  return { self, peers, directory: dir, profile, key: secret }
}

async function readPeers (path: string, profile: ProfileName): Promise<PeerAddress[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => { throw new RopewalkError('ERR_FILE', fileError(error).message, { text: path, cause: error }) })
  try {
    return parsePeers(text, profile === 'hardened' ? MAX_HARDENED_PEERS : MAX_PEERS)
  } catch (error) {
    throw new RopewalkError('ERR_USAGE', messageOf(error), { text: path, cause: error, advice: ['A peers file has one "HOST PORT" a line, this peer among them, the same in everybody\'s.'] })
  }
}

/** The secret is the file's bytes, without the line feed that editors put at the end. */
async function readKey (path: string): Promise<SwarmKey> {
  const bytes = await readFile(path).catch((error: unknown) => { throw new RopewalkError('ERR_KEY', `the key cannot be read: ${fileError(error).message}`, { text: path }) })
  try {
    return await swarmKey(bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes)
  } catch (error) {
    throw new RopewalkError('ERR_KEY', `the key cannot be used: ${messageOf(error)}`, { text: path, advice: ['"openssl rand -hex 32 > swarm.key" makes a good one.'] })
  }
}

/** The one peer of the list that is this machine. */
function ownAddress (peers: readonly PeerAddress[]): PeerAddress {
  const own = new Set(Object.values(networkInterfaces()).flatMap(addresses => addresses?.map(({ address }) => address) ?? []))
  const candidates = peers.filter(({ host }) => host === 'localhost' || own.has(host))
  const [only] = candidates
  if (only !== undefined && candidates.length === 1) return only
  throw new RopewalkError('ERR_USAGE', candidates.length === 0 ? 'no peer of the list is this machine' : `${candidates.length} peers of the list are this machine`, { advice: ['--as HOST:PORT says which one this peer is, spelled as in the list.'] })
}
