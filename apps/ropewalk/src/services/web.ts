import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { messageOf, RopewalkError } from '../errors.ts'
import type { Log } from '../observe/log.ts'
import { Metrics } from '../observe/metrics.ts'
import { Guard } from '../web/guard.ts'
import { Scene } from '../web/scene.ts'
import { pageServer } from '../web/server.ts'
import type { WebOptions } from '../web/web-options.ts'
import type { Host, PeerPart, Service } from './service.ts'

export interface WebParts {
  readonly log: Log
  /** What the page shows. */
  readonly services: readonly Service[]
  /** Where files go that are dropped onto the page, when there is no store. */
  readonly inbox: string | undefined
}

export interface WebService extends Service {
  /** Counts a trouble of any part. */
  readonly trouble: (error: unknown) => void
  /** The node is not ready any more. */
  readonly stopping: () => void
}

/** Shows the node to people, and its numbers to Prometheus. */
export async function startWeb (host: Host, { host: address, port, verifyToken }: WebOptions, { log, services, inbox }: WebParts): Promise<WebService> {
  const { board, state } = host
  const over = new AbortController()
  const { signal } = over
  const stores = services.flatMap(({ shown }) => shown?.store ?? [])
  const peers = services.find(({ shown }) => shown?.peers !== undefined)?.shown?.peers
  const scene = new Scene({ board, state, stores, peers, signal })
  const metrics = new Metrics({ board, stores: async () => await scene.stores(), offers: () => scene.offerCounts() })
  let notReady: string | undefined
  const server = pageServer({
    guard: new Guard(verifyToken, address), scene, log, metrics, signal,
    places: { board, state, storage: stores[0]?.node, inbox: inbox === undefined ? undefined : resolve(inbox) },
    notReady: () => notReady,
    answerOffer: async (id, answer) => { await answerOffer(host, peers, id, answer, signal) },
    onTrouble: error => { host.onTrouble('web', error) }
  })
  server.listen(port, address)
  await once(server, 'listening').catch((error: unknown) => {
    throw new RopewalkError('ERR_LISTEN', `cannot show a page at ${address}:${port}: ${messageOf(error)}`, { cause: error, advice: ['--web HOST:PORT names another place, and port 0 any that is free.'] })
  })
  const following = metrics.follow(signal)
  const bound = server.address() as AddressInfo
  host.listening(`http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}/`)
  return {
    trouble: error => { metrics.trouble(error) },
    stopping: () => { notReady = 'stopping' },
    stop: async () => {
      over.abort(new RopewalkError('ERR_STOPPED', 'the node stops'))
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await Promise.all([closed, following])
      return true
    }
  }
}

/** Resolves when the node has begun; what becomes of it then is seen on the page. */
async function answerOffer (host: Host, peers: PeerPart | undefined, id: string, answer: 'accept' | 'decline', signal: AbortSignal): Promise<void> {
  if (peers === undefined) throw new RopewalkError('ERR_NOT_FOUND', 'this node takes no offers')
  const begun = Promise.withResolvers<void>()
  let answered = false
  const request = { do: answer, offer: id, otherwise: process.cwd() }
  peers.requests.perform(request, () => {
    answered = true
    begun.resolve()
  }, signal).catch((error: unknown) => {
    // Nobody waits for it any more.
    if (answered && !signal.aborted) host.onTrouble('inbox', error)
    begun.reject(error)
  })
  await begun.promise
}
