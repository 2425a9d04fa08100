/**
 * Ours: a muxer over transport-tcp, through the async-iterable API alone, or with a consumer that takes bytes as they arrive.
 *
 * @module
 */
import type { Channel, Connection } from '@ropewalk/interface'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { yamux } from '@ropewalk/muxer-yamux'
import { createIdentity, dial, listen, type Address } from '@ropewalk/transport-tcp'
import type { Behaviour, Client, Exchange, Flow, Limits, Stream, Subject } from '../subject.ts'

/** What both muxers give: a Channel, and a way to take its bytes without a promise for each. */
interface BenchChannel extends Channel {
  receive (take: (bytes: Uint8Array) => void): Promise<void>
}

interface BenchMuxer extends AsyncIterable<BenchChannel> {
  open (): Promise<BenchChannel>
}

type Muxing = (connection: Connection, side: 'dialer' | 'acceptor', limits: Limits) => BenchMuxer

const MUXERS = {
  mdsftp: (connection, role, { channels }) => mdsftp(connection, { role, ...limits(channels) }),
  yamux: (connection, side, { channels }) => yamux(connection, { role: side === 'dialer' ? 'client' : 'server', ...limits(channels) })
} satisfies Record<string, Muxing>

export interface Options {
  readonly transport?: 'tcp' | 'tls'
  readonly muxer?: keyof typeof MUXERS
  /** How the server consumes what it discards: `iterate` its source, or `receive` the bytes. */
  readonly consume?: 'iterate' | 'receive'
}

export function ropewalk ({ transport = 'tcp', muxer = 'mdsftp', consume = 'iterate' }: Options = {}): Subject {
  const mux: Muxing = MUXERS[muxer]
  const discard = consume === 'receive' ? receive : iterate
  return {
    async listen (behaviour, limits) {
      const identity = transport === 'tls' ? await createIdentity() : undefined
      const local = { transport, host: '127.0.0.1', port: 0 }
      const listener = await listen(local, identity === undefined ? {} : { tls: { identity } })
      void (async () => {
        for await (const connection of listener) void accept(mux(connection, 'acceptor', limits), behaviour, discard)
      })()
      return identity === undefined ? listener.address : { ...listener.address, fingerprint: identity.fingerprint }
    },

    async connect (address, limits): Promise<Client> {
      const session = mux(await dial(address as Address), 'dialer', limits)
      return {
        open: async () => new RopewalkStream(await session.open()),
        echo: async bytes => {
          const channel = await session.open()
          const sent = channel.sink([bytes])
          for await (const echoed of channel.source) void echoed
          await sent
        }
      }
    }
  }
}

function limits (channels: number): { maxChannels: number, maxAcceptBacklog: number } {
  return { maxChannels: Math.max(1024, channels), maxAcceptBacklog: Math.max(1024, channels) }
}

async function accept (channels: AsyncIterable<BenchChannel>, behaviour: Behaviour, discard: (channel: BenchChannel, behaviour: Behaviour) => Promise<void>): Promise<void> {
  const held: Channel[] = []
  try {
    for await (const channel of channels) {
      switch (behaviour.opened()) {
        // It fails when the client process ends.
        case 'discard': discard(channel, behaviour).catch(() => {}); break
        case 'echo': channel.sink(channel.source).catch(() => {}); break
        case 'sleep': void sleep(channel); break
        case 'hold': held.push(channel)
      }
    }
  } catch {
    // The client process ended.
  }
}

async function iterate (channel: BenchChannel, behaviour: Behaviour): Promise<void> {
  for await (const list of channel.source) behaviour.taken(list.byteLength)
  await channel.sink([])
}

async function receive (channel: BenchChannel, behaviour: Behaviour): Promise<void> {
  await channel.receive(bytes => behaviour.taken(bytes.length))
  await channel.sink([])
}

/** Takes the first bytes and never asks for more. */
async function sleep (channel: Channel): Promise<void> {
  for await (const list of channel.source) await new Promise(() => { void list })
}

class RopewalkStream implements Stream {
  readonly #channel: Channel

  constructor (channel: Channel) {
    this.#channel = channel
  }

  send (flow: Flow): Promise<void> {
    return this.#channel.sink(messages(flow))
  }

  exchange (): Exchange {
    const hand = new Hand()
    const returned = this.#channel.source[Symbol.asyncIterator]()
    this.#channel.sink(hand).catch(() => {})
    return {
      roundTrip: async bytes => {
        hand.give(bytes)
        for (let left = bytes.length; left > 0;) {
          const { done, value } = await returned.next()
          if (done === true) throw new Error('the channel ended')
          left -= value.byteLength
        }
      }
    }
  }
}

async function * messages (flow: Flow): AsyncGenerator<Uint8Array> {
  for (let bytes = flow.next(); bytes !== undefined; bytes = flow.next()) yield bytes
}

/** A source that gives what it is told to, when it is told to. */
class Hand implements AsyncIterable<Uint8Array> {
  #asked: ((result: IteratorResult<Uint8Array>) => void) | undefined
  #early: Uint8Array[] = []

  give (bytes: Uint8Array): void {
    const asked = this.#asked
    this.#asked = undefined
    if (asked === undefined) this.#early.push(bytes)
    else asked({ done: false, value: bytes })
  }

  [Symbol.asyncIterator] (): AsyncIterator<Uint8Array> {
    return {
      next: () => {
        const value = this.#early.shift()
        return value === undefined ? new Promise(resolve => { this.#asked = resolve }) : Promise.resolve({ done: false, value })
      }
    }
  }
}
