/**
 * Two libp2p nodes over TCP and noise, on this machine.
 *
 * @module
 */
import { noise } from '@chainsafe/libp2p-noise'
import type { Connection, Stream, StreamMuxerFactory } from '@libp2p/interface'
import { ping, type Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import type { Test } from 'tap'

export type Node = Libp2p<{ ping: Ping }>

export interface Pair {
  readonly dialer: Node
  readonly listener: Node
  readonly connection: Connection
  /** Opens a stream from the dialer, and gives both its ends. */
  open (): Promise<[Stream, Stream]>
}

const PROTOCOL = '/ropewalk/test/1.0.0'

/** Two connected nodes that speak `muxer` and nothing else; they stop with `t`. */
export async function pair (t: Test, muxer: () => StreamMuxerFactory): Promise<Pair> {
  const [dialer, listener] = await Promise.all([node(muxer, []), node(muxer, ['/ip4/127.0.0.1/tcp/0'])])
  t.teardown(async () => { await Promise.all([dialer.stop(), listener.stop()]) })
  const streams: Stream[] = []
  let come = Promise.withResolvers<void>()
  await listener.handle(PROTOCOL, stream => {
    streams.push(stream)
    come.resolve()
  }, { maxInboundStreams: 1000 })
  const connection = await dialer.dial(listener.getMultiaddrs())
  return {
    dialer,
    listener,
    connection,
    async open () {
      come = Promise.withResolvers()
      const stream = await connection.newStream(PROTOCOL, { maxOutboundStreams: 1000 })
      await come.promise
      return [stream, streams.pop() as Stream]
    }
  }
}

function node (muxer: () => StreamMuxerFactory, listen: string[]): Promise<Node> {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer],
    services: { ping: ping() }
  })
}
