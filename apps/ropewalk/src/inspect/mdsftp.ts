import { createHash, type Hash } from 'node:crypto'
import {
  decodePacket, decodePreamble, Deframer, describePacket, FRAGMENT_PREFIX_BYTES, HEADER_BYTES, preambleBytes, SEED, SEED_CODE, UPSTREAM,
  type ControlPacket, type FragmentHead, type PacketSink, type Profile
} from '@ropewalk/protocol-mdsftp/codec'
import { formatId } from '../arguments.ts'
import type { InspectOptions, Inspection, Message } from './inspector.ts'

const PROFILES: Readonly<Record<string, Profile>> = { upstream: UPSTREAM, seed: SEED, 'seed-code': SEED_CODE }

export function openMdsftp (options: InspectOptions): Inspection {
  return new MdsftpInspection(options)
}

interface Fragment {
  readonly channel: number
  readonly last: boolean
  readonly number: number
  readonly length: number
  readonly hash: Hash
}

class MdsftpInspection implements Inspection, PacketSink {
  readonly #profile: Profile
  readonly #deframer: Deframer
  readonly #token: boolean
  readonly #preamble: Uint8Array
  #preambleFilled = 0
  #offset = 0
  #fragment: Fragment | undefined
  #emit: (message: Message) => void = () => {}

  constructor ({ profile = 'upstream', preamble, token }: InspectOptions) {
    this.#profile = PROFILES[profile] as Profile
    this.#deframer = new Deframer(this.#profile)
    this.#token = token
    this.#preamble = new Uint8Array(preamble ? preambleBytes(token) : 0)
  }

  get offset (): number {
    return this.#offset
  }

  push (chunk: Uint8Array, emit: (message: Message) => void): void {
    this.#emit = emit
    const taken = Math.min(this.#preamble.length - this.#preambleFilled, chunk.length)
    if (taken > 0) {
      this.#preamble.set(chunk.subarray(0, taken), this.#preambleFilled)
      this.#preambleFilled += taken
      if (this.#preambleFilled === this.#preamble.length) this.#readPreamble()
    }
    this.#deframer.push(chunk.subarray(taken), this)
  }

  end (): void {
    // It knows how many bytes it should have.
    if (this.#preambleFilled < this.#preamble.length) decodePreamble(this.#preamble.subarray(0, this.#preambleFilled), this.#token)
    this.#deframer.end()
  }

  packet (kind: number, channel: number, payload: Uint8Array): void {
    this.#tell(HEADER_BYTES + payload.length, channel, decodePacket(this.#profile, kind, payload))
  }

  fragment (channel: number, last: boolean, number: number, contentBytes: number): void {
    this.#fragment = { channel, last, number, length: contentBytes, hash: createHash('sha256') }
    if (contentBytes === 0) this.#endFragment()
  }

  content (bytes: Uint8Array, complete: boolean): void {
    this.#fragment?.hash.update(bytes)
    if (complete) this.#endFragment()
  }

  #endFragment (): void {
    const { channel, last, number, length, hash } = this.#fragment as Fragment
    this.#fragment = undefined
    const head: FragmentHead = { type: 'FileChunk', last, number, contentBytes: length }
    this.#tell(HEADER_BYTES + FRAGMENT_PREFIX_BYTES + length, channel, head, { content: { length, sha256: hash.digest('hex') } })
  }

  #readPreamble (): void {
    const { nodeId, token = null } = decodePreamble(this.#preamble, this.#token)
    this.#emit({ offset: 0, type: 'Preamble', node_id: formatId(nodeId), token })
    this.#offset = this.#preamble.length
  }

  #tell (bytes: number, channel: number, packet: ControlPacket | FragmentHead, more: object = {}): void {
    const { packet: type, packet_id: _id, stream_id: _channel, payload_size: _size, ...fields } = describePacket(this.#profile, channel, packet)
    this.#emit({ offset: this.#offset, type, channel, ...fields, ...more })
    this.#offset += bytes
  }
}
