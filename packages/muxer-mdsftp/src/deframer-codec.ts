/**
 * Cuts a byte stream into MDSFTP packets, however the transport chunked it. Pure.
 *
 * Everything about a packet that its header tells is checked on the header, before a byte of payload is kept
 * (specification section 1.5). The content of a FileChunk is not gathered: it is handed on in the pieces that arrive,
 * so a fragment of 16 MiB costs no more memory than one of 16 bytes.
 *
 * @module
 */
import { readU32BE } from '@ropewalk/framing'
import { FRAGMENT_PREFIX_BYTES, HEADER_BYTES, Kind, MAX_FRAGMENT_BYTES, type Profile } from './constants.ts'
import { MdsftpError } from './errors.ts'

/** Takes what a Deframer finds, in order. Arrays are lent: valid until the call returns. */
export interface PacketSink {
  /** A packet other than FileChunk, whole. */
  packet (kind: number, channel: number, payload: Uint8Array): void
  /** A FileChunk begins; `contentBytes` will follow in pieces (none when it is 0). */
  fragment (channel: number, last: boolean, number: number, contentBytes: number): void
  /** A piece of the content of the FileChunk under way; `complete` with its last byte. */
  content (bytes: Uint8Array, complete: boolean): void
}

/** The longest header and payload of anything but content: Reserve's 9 + 41. */
const MAX_FIXED_BYTES = 64

export class Deframer {
  readonly #profile: Profile
  readonly #maxFragmentBytes: number
  /** A header, and behind it a short payload, that the chunks cut. */
  readonly #held = new Uint8Array(MAX_FIXED_BYTES)
  #filled = 0
  #contentLeft = 0
  #failed = false

  constructor (profile: Profile, options: { maxFragmentBytes?: number | undefined } = {}) {
    this.#profile = profile
    this.#maxFragmentBytes = options.maxFragmentBytes ?? MAX_FRAGMENT_BYTES
  }

  /** True between packets: the only place where a stream may end. */
  get idle (): boolean {
    return this.#filled === 0 && this.#contentLeft === 0
  }

  /** Hands every packet that `chunk` completes to `sink`. Throws an MdsftpError at the first byte that breaks the protocol, and from then on. */
  push (chunk: Uint8Array, sink: PacketSink): void {
    if (this.#failed) throw new MdsftpError('ERR_UNEXPECTED_PACKET', 'connection', 'bytes after a protocol error')
    try {
      this.#push(chunk, sink)
    } catch (error) {
      this.#failed = true
      throw error
    }
  }

  /** Call when the transport ends. */
  end (): void {
    if (this.#contentLeft > 0) throw truncated(`${this.#contentLeft} bytes of content missing`)
    if (this.#filled > 0) throw truncated(`${this.#filled} bytes of a packet`)
  }

  #push (chunk: Uint8Array, sink: PacketSink): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#contentLeft > 0) {
        const taken = Math.min(this.#contentLeft, chunk.length - at)
        this.#contentLeft -= taken
        sink.content(taken === chunk.length ? chunk : chunk.subarray(at, at + taken), this.#contentLeft === 0)
        at += taken
        continue
      }
      at = this.#filled === 0 ? this.#direct(chunk, at, sink) : this.#gathered(chunk, at, sink)
    }
  }

  /** Reads a packet where it lies; when the chunk cuts it, its beginning is held. Returns where to go on. */
  #direct (chunk: Uint8Array, at: number, sink: PacketSink): number {
    const left = chunk.length - at
    if (left >= HEADER_BYTES) {
      const size = this.#check(chunk, at)
      if (left >= size) {
        this.#emit(chunk, at, size, sink)
        return at + size
      }
    }
    this.#held.set(chunk.subarray(at), 0)
    this.#filled = left
    return chunk.length
  }

  #gathered (chunk: Uint8Array, at: number, sink: PacketSink): number {
    at = this.#fill(chunk, at, HEADER_BYTES)
    if (this.#filled < HEADER_BYTES) return at
    const size = this.#check(this.#held, 0)
    at = this.#fill(chunk, at, size)
    if (this.#filled < size) return at
    this.#filled = 0
    this.#emit(this.#held, 0, size, sink)
    return at
  }

  #fill (chunk: Uint8Array, at: number, wanted: number): number {
    const taken = Math.min(Math.max(0, wanted - this.#filled), chunk.length - at)
    if (taken > 0) this.#held.set(chunk.subarray(at, at + taken), this.#filled)
    this.#filled += taken
    return at + taken
  }

  /** Checks the header at `at`. Returns the bytes to have in hand: the whole packet, or of a FileChunk all but its content. */
  #check (bytes: Uint8Array, at: number): number {
    const kind = bytes[at] as number
    const length = readU32BE(bytes, at + 5)

    if (kind === Kind.FileChunk) {
      if (length < FRAGMENT_PREFIX_BYTES) throw new MdsftpError('ERR_PAYLOAD_LENGTH', 'connection', `FileChunk: ${length} < ${FRAGMENT_PREFIX_BYTES} bytes`)
      const content = length - FRAGMENT_PREFIX_BYTES
      if (content > this.#maxFragmentBytes) throw new MdsftpError('ERR_PAYLOAD_TOO_LARGE', 'connection', `FileChunk: ${content} > ${this.#maxFragmentBytes} bytes of content`)
      return HEADER_BYTES + FRAGMENT_PREFIX_BYTES
    }

    const expected = this.#profile.lengths.get(kind)
    if (expected === undefined) throw new MdsftpError('ERR_UNKNOWN_KIND', 'connection', `kind 0x${kind.toString(16).padStart(2, '0')} is not in the ${this.#profile.name} profile`)
    if (length !== expected) throw new MdsftpError('ERR_PAYLOAD_LENGTH', 'connection', `${this.#profile.types.get(kind) ?? ''}: ${length} instead of ${expected} bytes`)
    return HEADER_BYTES + expected
  }

  #emit (bytes: Uint8Array, at: number, size: number, sink: PacketSink): void {
    const kind = bytes[at] as number
    const channel = readU32BE(bytes, at + 1)
    if (kind !== Kind.FileChunk) {
      sink.packet(kind, channel, bytes.subarray(at + HEADER_BYTES, at + size))
      return
    }

    const content = readU32BE(bytes, at + 5) - FRAGMENT_PREFIX_BYTES
    const last = bytes[at + HEADER_BYTES] === 1
    if (content === 0 && !last) throw new MdsftpError('ERR_EMPTY_FRAGMENT', 'connection', 'FileChunk: 0 bytes of content, and not the last')
    this.#contentLeft = content
    sink.fragment(channel, last, readU32BE(bytes, at + HEADER_BYTES + 1), content)
  }
}

function truncated (what: string): MdsftpError {
  return new MdsftpError('ERR_TRUNCATED', 'connection', `the stream ended inside a packet: ${what}`)
}
