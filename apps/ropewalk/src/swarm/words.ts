/**
 * What becomes of a swarm, in words.
 *
 * @module
 */
import type { PeerAddress, SwarmEvent } from '@ropewalk/protocol-torronto'
import { escapeName } from '@ropewalk/receive'
import { formatHostPort } from '../address.ts'
import { codeOf, messageOf } from '../errors.ts'
import { formatBytes } from '../format.ts'

/** As `--as` takes it. */
export function addressOf (peer: PeerAddress): string {
  return formatHostPort(peer)
}

/** As the table and `insert` have it. */
export function shown (name: string): string {
  return escapeName(name.replace(/^files\//, ''))
}

/** A line for people; none for what happens at every chunk. */
export function describe (event: SwarmEvent): string {
  const peer = 'peer' in event ? addressOf(event.peer) : ''
  switch (event.event) {
    case 'connected': return `${peer} is there`
    case 'disconnected': return `${peer} has left`
    case 'avoided': return `${peer} has sent what it should not, and is not asked any more`
    case 'chunk':
    case 'given':
    case 'replicated': return ''
    case 'finished': return `${shown(event.name)} is whole (${formatBytes(event.size)}${event.sizeUncertain ? ', by guess' : ''})`
    case 'refused': return `${shown(event.name)} cannot be kept here, and is done without: ${escapeName(messageOf(event.reason))} (${codeOf(event.reason)})`
    case 'unread': return `${shown(event.name)}: chunk ${event.index} could not be read for ${peer}: ${escapeName(messageOf(event.reason))} (${codeOf(event.reason)})`
    case 'unheard': return `nobody reaches this peer any more, leave and join again: ${escapeName(messageOf(event.reason))} (${codeOf(event.reason)})`
    case 'poisoned': return `${shown(event.name)}: chunk ${event.index} of ${peer} is not what it should be`
    case 'damaged': return `${shown(event.name)}: chunk ${event.index} is not at ${peer} what was sent there; it cannot be mended from here`
    case 'conflict': return `${shown(event.name)}: ${peer} has another chunk ${event.index} than others; both are kept aside`
    case 'withheld': return `${shown(event.name)} is not offered to ${peer}: ${WHY[event.why]}`
  }
}

const WHY = { fragile: 'it would be damaged there', 'too-long': 'its name is too long for that peer', 'too-many': 'the list is full' } as const
