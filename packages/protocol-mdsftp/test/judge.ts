/**
 * A witness as strict as a node of the original, and stricter where that would only hang: it sees every packet of a
 * connection, in both directions, and writes down each breach of the rules of conduct (specification, section 7).
 */
import type { ByteFlow, ByteReceiver, Bytes, Connection, Source } from '@ropewalk/interface'
import { decodePacket, HEADER_BYTES, UPSTREAM } from '../src/codec.ts'

type Side = 'dialer' | 'acceptor'

interface Watched {
  readonly opener: Side
  readonly closed: Set<Side>
  readonly requests: string[]
  /** Who may send content now, how many fragments may be unacknowledged, how many were sent and acknowledged, and whether the last was. */
  flow: { sender: Side, window: number, sent: number, acked: number, last: boolean } | undefined
  autoStart: boolean
}

export class Judge {
  readonly breaches: string[] = []
  readonly packets: string[] = []
  readonly #channels = new Map<number, Watched>()
  readonly #held = { dialer: new Uint8Array(0), acceptor: new Uint8Array(0) }
  #preamble = 16

  /** Channels that one side opened and did not close. */
  unclosed (side: Side): number {
    return [...this.#channels.values()].filter(({ closed }) => !closed.has(side)).length
  }

  /** `connection` of the dialer, with the judge listening. */
  watch (connection: Connection): Connection {
    const hear = (side: Side, bytes: Uint8Array): void => this.hear(side, bytes)
    const attach = connection.attach === undefined
      ? {}
      : {
        attach: (receiver: ByteReceiver): ByteFlow => (connection.attach as NonNullable<Connection['attach']>)({
          bytes: bytes => {
            hear('acceptor', bytes)
            receiver.bytes(bytes)
          },
          end: error => receiver.end(error)
        })
      }
    return {
      remote: connection.remote,
      source: tapped(connection.source, bytes => hear('acceptor', bytes)) as Connection['source'],
      sink: async (source, options) => await connection.sink(tapped(source, bytes => hear('dialer', bytes)), options),
      abort: reason => connection.abort(reason),
      [Symbol.asyncDispose]: async () => await connection[Symbol.asyncDispose](),
      ...attach
    }
  }

  hear (side: Side, bytes: Uint8Array): void {
    let held = new Uint8Array([...this.#held[side], ...bytes])
    if (side === 'dialer' && this.#preamble > 0) {
      const taken = Math.min(this.#preamble, held.length)
      this.#preamble -= taken
      held = held.subarray(taken)
    }
    while (held.length >= HEADER_BYTES) {
      const view = new DataView(held.buffer, held.byteOffset)
      const end = HEADER_BYTES + view.getUint32(5)
      if (held.length < end) break
      this.#packet(side, held[0] as number, view.getUint32(1), held.slice(HEADER_BYTES, end))
      held = held.subarray(end)
    }
    this.#held[side] = held
  }

  #packet (side: Side, kind: number, id: number, payload: Uint8Array): void {
    const packet = kind === 1 ? { type: 'FileChunk' as const } : decodePacket(UPSTREAM, kind, payload)
    this.packets.push(`${side} ${packet.type} ${id}`)
    const breach = (what: string): void => { this.breaches.push(`${what}: ${side} ${packet.type} on ${id}`) }
    const channel = this.#channels.get(id)
    if (packet.type === 'ChannelOpen') {
      if (channel !== undefined) breach('conduct 1: an id is used again')
      if (id === 0 || id === 0x80000000 || (id > 0x80000000) !== (side === 'acceptor')) breach('conduct 1: an id of the other side')
      this.#channels.set(id, { opener: side, closed: new Set(), requests: [], flow: undefined, autoStart: false })
      return
    }
    if (channel === undefined) return breach('conduct 2: a channel that nobody opened')
    if (channel.closed.has(side)) return breach('conduct 2: a word after the close')
    const { flow } = channel
    switch (packet.type) {
      case 'ChannelClose': channel.closed.add(side); return
      case 'ChannelErr': return breach('section 3.4: nobody sends it')
      case 'FileChunk': {
        const view = new DataView(payload.buffer, payload.byteOffset)
        if (flow === undefined || flow.sender !== side || flow.last) return breach('conduct 3: content where none is due')
        if (payload.length < 6) breach('conduct 4: an empty fragment')
        if ((payload[0] as number) > 1) breach('conduct 1: a flag byte that is neither 0 nor 1')
        if (view.getUint32(1) !== flow.sent) breach('finding 10: a number out of sequence')
        flow.sent++
        flow.last = payload[0] === 1
        if (flow.sent - flow.acked > flow.window + 1) breach('section 4.3: beyond the window')
        return
      }
      case 'RecvAck':
        if (flow === undefined || flow.sender === side || packet.number >= flow.sent || packet.number + 1 < flow.acked) return breach('conduct 3: an acknowledgement of what was not received')
        flow.acked = packet.number + 1
        return
      case 'ReserveOk': case 'PutOk':
        if (packet.chunkBuffer < 1 || packet.chunkBuffer > 16) breach('conduct 4: a window of 0, or above 16')
        if (packet.type === 'PutOk' || channel.autoStart) channel.flow = { sender: channel.opener, window: packet.chunkBuffer, sent: 0, acked: 0, last: false }
        return
      case 'Reserve': case 'Put': case 'Retrieve': case 'Query': case 'Commit': case 'DeleteChunk': case 'ReserveCancel': case 'LockReq':
        if (channel.opener !== side) breach('conduct 2: a request on the channel of the other side')
        channel.requests.push(packet.type)
        if (channel.requests.length > 1) breach('conduct 2: a second request on one channel')
        if (packet.type === 'LockReq') breach('conduct 8: a lock was asked for')
        if (packet.type === 'Reserve') channel.autoStart = packet.flags.autoStart
        if (packet.type === 'Retrieve') {
          if (packet.chunkBuffer < 1 || packet.chunkBuffer > 16) breach('conduct 4: a window of 0, or above 16')
          channel.flow = { sender: side === 'dialer' ? 'acceptor' : 'dialer', window: packet.chunkBuffer, sent: 0, acked: 0, last: false }
        }
        return
      default: if (channel.opener === side) breach('conduct 2: an answer to oneself')
    }
  }
}

async function * tapped (source: Source<Bytes>, hear: (bytes: Uint8Array) => void): AsyncGenerator<Bytes> {
  for await (const bytes of source) {
    hear(bytes.slice())
    yield bytes
  }
}
