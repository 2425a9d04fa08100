/**
 * The list of peers, as text: one `host port` a line. Pure.
 *
 * The original turns an empty line, and so the end of the last one, into a peer without address that everything is sent to.
 * So we write no final newline, and read with or without.
 *
 * @module
 */
import { MAX_PEERS } from './constants.ts'
import { SwarmError } from './errors.ts'
import { peerKey, type PeerAddress } from './message.ts'

/** Throws `ERR_BAD_PEERS` with the number of the line, or `ERR_TOO_LARGE`. */
export function parsePeers (text: string, maxPeers: number = MAX_PEERS): PeerAddress[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  if (lines.length > maxPeers) throw new SwarmError('ERR_TOO_LARGE', `too many peers: ${lines.length} > ${maxPeers}`, { remote: false })
  const seen = new Set<string>()
  return lines.map((line, index) => {
    const [, host, port] = /^([^\s\u0000-\u001f]{1,255}) ([0-9]{1,5})$/.exec(line) ?? []
    if (host === undefined || Number(port) < 1 || Number(port) > 65_535) fail(index, 'not "host port"')
    const peer = { host, port: Number(port) }
    if (seen.has(peerKey(peer))) fail(index, 'a peer for the second time')
    seen.add(peerKey(peer))
    return peer
  })
}

export function formatPeers (peers: readonly PeerAddress[]): string {
  return peers.map(peerKey).join('\n')
}

function fail (index: number, what: string): never {
  throw new SwarmError('ERR_BAD_PEERS', `line ${index + 1} of the peers list: ${what}`, { remote: false })
}
