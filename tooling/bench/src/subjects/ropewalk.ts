/**
 * Ours: the bytes view of muxer-mdsftp over transport-tcp, through the async-iterable API alone.
 *
 * @module
 */
import type { Channel } from '@ropewalk/interface'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { createIdentity, dial, listen, type Address } from '@ropewalk/transport-tcp'
import type { Behaviour, Client, Exchange, Flow, Stream, Subject } from '../subject.ts'

export function ropewalk (transport: 'tcp' | 'tls'): Subject {
  return {
    async listen (behaviour, { channels }) {
      const identity = transport === 'tls' ? await createIdentity() : undefined
      const local = { transport, host: '127.0.0.1', port: 0 }
      const listener = await listen(local, identity === undefined ? {} : { tls: { identity } })
      void (async () => {
        for await (const connection of listener) {
          void accept(mdsftp(connection, { role: 'acceptor', ...limits(channels) }), behaviour)
        }
      })()
      return identity === undefined ? listener.address : { ...listener.address, fingerprint: identity.fingerprint }
    },

    async connect (address, { channels }): Promise<Client> {
      const muxer = mdsftp(await dial(address as Address), { role: 'dialer', ...limits(channels) })
      return {
        open: async () => new RopewalkStream(await muxer.open()),
        echo: async bytes => {
          const channel = await muxer.open()
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

async function accept (channels: AsyncIterable<Channel>, behaviour: Behaviour): Promise<void> {
  const held: Channel[] = []
  try {
    for await (const channel of channels) {
      switch (behaviour.opened()) {
        case 'discard': void discard(channel, behaviour); break
        case 'echo': channel.sink(channel.source).catch(() => {}); break
        case 'sleep': void sleep(channel); break
        case 'hold': held.push(channel)
      }
    }
  } catch {
    // The client process ended.
  }
}

async function discard (channel: Channel, behaviour: Behaviour): Promise<void> {
  try {
    for await (const list of channel.source) behaviour.taken(list.byteLength)
    await channel.sink([])
  } catch {
    // The client process ended.
  }
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
