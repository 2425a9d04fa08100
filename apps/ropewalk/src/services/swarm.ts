/**
 * A peer of a swarm, hosted by the node: it joins when the node starts, and leaves, giving away what only it holds, when the node stops.
 *
 * @module
 */
import type { Connection } from '@ropewalk/interface'
import type { SwarmEvent } from '@ropewalk/protocol-torronto'
import { escapeName } from '@ropewalk/receive'
import { formatHostPort } from '../address.ts'
import { RopewalkError } from '../errors.ts'
import { encodeLine } from '../progress/ndjson.ts'
import { SwarmActivity } from '../swarm/activity.ts'
import { Member } from '../swarm/member.ts'
import { SWARM_SCHEME, type SwarmWords } from '../swarm/options.ts'
import { swarmSetup } from '../swarm/setup.ts'
import { addressOf, describe } from '../swarm/words.ts'
import type { Admitted } from './door.ts'
import type { Host, Service } from './service.ts'

/** Joins. */
export async function startSwarm (host: Host, words: SwarmWords): Promise<Service> {
  const setup = await swarmSetup(words)
  const { self, peers } = setup
  const over = new AbortController()
  const inside = new Set<Admitted>()
  const activity = new SwarmActivity({ board: host.board, holds: () => Array.from(inside, ({ holds }) => holds()).find(reason => reason !== undefined) })
  const member = await Member.join({
    ...setup, state: host.state, signal: over.signal,
    meet: async (connection, ours) => {
      const seen = await host.door.admit(connection, { protocol: 'torronto', resource: setup.directory, ours })
      inside.add(seen)
      return until(seen.connection, () => {
        inside.delete(seen)
        seen.end()
      })
    },
    onEvent: event => {
      activity.take(event)
      tell(host, event)
    },
    onTrouble: error => { host.onTrouble('swarm', error) }
  })
  host.listening(`${SWARM_SCHEME}${formatHostPort(self)}`)
  host.note(`Peer ${addressOf(self)} of ${peers.length}; files are in ${escapeName(setup.directory)}`)
  void member.left.then(() => {
    activity.close()
    if (over.signal.aborted) return
    host.note('Left the swarm')
    if (host.json) host.context.stdout.write(encodeLine({ event: 'left', bytes_sent: member.bytesSent }))
  })
  return {
    async stop (graceMs) {
      const timer = setTimeout(() => { over.abort(new RopewalkError('ERR_STOPPED', 'the node stops')) }, graceMs)
      await member.leave().finally(() => { clearTimeout(timer) })
      return !over.signal.aborted
    }
  }
}

/** What somebody has to hear of. */
function tell ({ note, onTrouble }: Host, event: SwarmEvent): void {
  const words = describe(event)
  switch (event.event) {
    case 'unread':
    case 'refused': return onTrouble('swarm', event.reason)
    case 'unheard': return onTrouble('swarm', new RopewalkError('ERR_LISTEN', words, { cause: event.reason }))
    case 'avoided':
    case 'poisoned':
    case 'damaged':
    case 'conflict': return onTrouble(addressOf(event.peer), new RopewalkError('ERR_DAMAGED', words))
    default: if (words !== '') note(words)
  }
}

/** `connection`, of which `end` hears once when it is over. */
function until (connection: Connection, end: () => void): Connection {
  let over = false
  const ended = (): void => {
    if (!over) end()
    over = true
  }
  return {
    remote: connection.remote,
    source: connection.source,
    sink: async (source, options) => { await connection.sink(source, options) },
    abort: reason => {
      connection.abort(reason)
      ended()
    },
    [Symbol.asyncDispose]: async () => {
      await connection[Symbol.asyncDispose]()
      ended()
    }
  }
}
