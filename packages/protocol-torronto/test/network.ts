/** A network in memory, on which peers are reached by their address. */
import { createHash } from 'node:crypto'
import type { Connection, Dial, Hasher, Listen } from '@ropewalk/interface'
import { duplexPair } from '@ropewalk/testing'
import { joinSwarm, MemorySwarmStore, systemClock, type Clock, type PeerAddress, type Swarm, type SwarmEvent, type SwarmOptions } from '../src/index.ts'
import { peerKey } from '../src/codec.ts'

export const hasher: Hasher = async (_digest, bytes) => createHash('sha256').update(bytes).digest()

/** The machine's time, run twenty times as fast: limits pass that nobody needs to sit through. */
const fastClock: Clock = {
  now: () => systemClock.now() * 20,
  after: (ms, run) => systemClock.after(ms / 20, run)
}

export class Network {
  readonly #listeners = new Map<string, { waiting: Connection[], wake: (() => void) | undefined, closed: boolean }>()
  dials = 0

  readonly dial: Dial<PeerAddress> = async address => {
    this.dials++
    const listener = this.#listeners.get(peerKey(address))
    if (listener === undefined || listener.closed) throw new Error(`nobody at ${peerKey(address)}`)
    const [left, right] = duplexPair()
    listener.waiting.push(right)
    listener.wake?.()
    return left
  }

  readonly listen: Listen<PeerAddress> = async address => {
    const listener = { waiting: [] as Connection[], wake: undefined as (() => void) | undefined, closed: false }
    this.#listeners.set(peerKey(address), listener)
    const close = async (): Promise<void> => {
      listener.closed = true
      listener.wake?.()
    }
    return {
      address,
      close,
      [Symbol.asyncDispose]: close,
      async * [Symbol.asyncIterator] () {
        for (;;) {
          const next = listener.waiting.shift()
          if (next !== undefined) yield next
          else if (listener.closed) return
          else await new Promise<void>(resolve => { listener.wake = resolve })
        }
      }
    }
  }
}

export interface Member {
  readonly swarm: Swarm
  readonly store: MemorySwarmStore
  readonly events: SwarmEvent[]
  /** Resolves once an event fits. */
  until (fits: (event: SwarmEvent) => boolean): Promise<SwarmEvent>
}

export function address (number: number): PeerAddress {
  return { host: '127.0.0.1', port: 10_000 + number }
}

export async function member (network: Network, number: number, count: number, options: Partial<SwarmOptions> = {}): Promise<Member> {
  const store = new MemorySwarmStore()
  const events: SwarmEvent[] = []
  const waiting: Array<{ fits: (event: SwarmEvent) => boolean, resolve: (event: SwarmEvent) => void }> = []
  const swarm = await joinSwarm({
    self: address(number), peers: Array.from({ length: count }, (_, index) => address(index + 1)), dial: network.dial, listen: network.listen, store, hasher, clock: fastClock, random: () => number / 7,
    onEvent: event => {
      events.push(event)
      for (const one of waiting) if (one.fits(event)) one.resolve(event)
    },
    ...options
  })
  return {
    swarm, store, events,
    until: fits => {
      const found = events.find(fits)
      if (found !== undefined) return Promise.resolve(found)
      return new Promise(resolve => { waiting.push({ fits, resolve }) })
    }
  }
}
