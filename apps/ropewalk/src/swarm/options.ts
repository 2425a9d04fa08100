/**
 * How a peer of a swarm is asked for: in the words of `swarm join`, or in those of `serve`.
 *
 * @module
 */
import type { PeerAddress, ProfileName } from '@ropewalk/protocol-torronto'
import { isLoopback, parseHostAddress } from '../address.ts'
import { refuseAlone } from '../arguments.ts'
import { RopewalkError } from '../errors.ts'

/** What the others speak, as `--profile` names it. */
export const SWARM_PROFILES: readonly [ProfileName, ...ProfileName[]] = ['as-implemented', 'documented', 'hardened']

export interface SwarmWords {
  /** The file of peers. */
  readonly peers: string
  readonly dir: string
  /** Which of them this one is; undefined: the one that is this machine. */
  readonly as?: PeerAddress | undefined
  readonly profile: ProfileName
  /** The file of the key. */
  readonly key?: string | undefined
}

export interface SwarmFlags {
  readonly swarmPeers?: string | undefined
  readonly swarmDir?: string | undefined
  readonly swarmProfile?: ProfileName | undefined
  readonly swarmKey?: string | undefined
  readonly allowPlaintext?: boolean | undefined
}

export const SWARM_SCHEME = 'torronto+tcp://'

/** What the addresses and flags of `serve` ask for; undefined where they ask for no peer. */
export function swarmWords (addresses: readonly string[], { swarmPeers, swarmDir, swarmProfile = 'as-implemented', swarmKey, allowPlaintext }: SwarmFlags): SwarmWords | undefined {
  const [text, another] = addresses
  if (text === undefined) {
    refuseAlone({ '--swarm-peers': swarmPeers, '--swarm-dir': swarmDir, '--swarm-key': swarmKey }, `goes with --listen ${SWARM_SCHEME}HOST:PORT, which says which of the peers this node is`)
    return undefined
  }
  if (another !== undefined) throw new RopewalkError('ERR_USAGE', 'a node is one peer of one swarm', { text: another })
  if (swarmPeers === undefined || swarmDir === undefined) throw new RopewalkError('ERR_USAGE', 'a peer of a swarm needs the list of the peers and a directory: --swarm-peers FILE --swarm-dir DIRECTORY', { text })
  const as = parseHostAddress(text, SWARM_SCHEME.length, 'tcp', 0) as PeerAddress
  if (as.port === 0) throw new RopewalkError('ERR_ADDRESS', 'peers know each other by their ports: HOST:PORT, as in the list', { text, at: text.length })
  if (!isLoopback(as.host) && allowPlaintext !== true) {
    throw new RopewalkError('ERR_USAGE', 'without encryption everybody on the way can read and change the files', { text, advice: ['The protocol has none: say --allow-plaintext if the network itself is trusted.'] })
  }
  return { peers: swarmPeers, dir: swarmDir, as: { host: as.host, port: as.port }, profile: swarmProfile, key: swarmKey }
}
