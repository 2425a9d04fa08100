/** A peer that speaks packets by hand, right or wrong. */
import type { Connection } from '@ropewalk/interface'
import { scriptedPeer, type ScriptedPeer } from '@ropewalk/testing'
import { decodePacket, encodeFragment, encodePacket, HEADER_BYTES, UPSTREAM, type ControlPacket, type Profile } from '../src/codec.ts'

export type Heard = { channel: number } & (ControlPacket | { type: 'FileChunk', last: boolean, number: number, content: Uint8Array })

export class Speaker {
  readonly peer: ScriptedPeer
  readonly #profile: Profile

  constructor (connection: Connection, profile: Profile = UPSTREAM) {
    this.peer = scriptedPeer(connection)
    this.#profile = profile
  }

  async say (channel: number, ...packets: ControlPacket[]): Promise<void> {
    for (const packet of packets) await this.peer.send(encodePacket(this.#profile, channel, packet))
  }

  async fragment (channel: number, number: number, content: Uint8Array | string, last = false): Promise<void> {
    await this.peer.send(encodeFragment(channel, last, number, typeof content === 'string' ? new TextEncoder().encode(content) : content))
  }

  /** The next packet, whole, as bytes. */
  async raw (): Promise<Uint8Array> {
    const header = await this.peer.read(HEADER_BYTES)
    const payload = await this.peer.read(new DataView(header.buffer, header.byteOffset).getUint32(5))
    const whole = new Uint8Array(HEADER_BYTES + payload.length)
    whole.set(header)
    whole.set(payload, HEADER_BYTES)
    return whole
  }

  async hear (): Promise<Heard> {
    const bytes = await this.raw()
    const view = new DataView(bytes.buffer)
    const channel = view.getUint32(1)
    const payload = bytes.subarray(HEADER_BYTES)
    if (bytes[0] === 1) return { channel, type: 'FileChunk', last: payload[0] === 1, number: view.getUint32(10), content: payload.slice(5) }
    return { channel, ...decodePacket(this.#profile, bytes[0] as number, payload) }
  }

  /** Hears exactly these types, on this channel, and gives the last packet. */
  async expect<T extends Heard['type']> (channel: number, ...types: T[]): Promise<Extract<Heard, { type: T }>> {
    let heard: Heard | undefined
    for (const type of types) {
      heard = await this.hear()
      if (heard.type !== type || heard.channel !== channel) throw new Error(`heard ${heard.type} on ${heard.channel} instead of ${type} on ${channel}`)
    }
    return heard as Extract<Heard, { type: T }>
  }

  /** Hears an open, then `type` on that channel. */
  async request<T extends Heard['type']> (type: T): Promise<Extract<Heard, { type: T }>> {
    const { type: open, channel } = await this.hear()
    if (open !== 'ChannelOpen') throw new Error(`heard ${open} instead of ChannelOpen`)
    return await this.expect(channel, type)
  }
}
