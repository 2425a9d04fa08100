/**
 * The packets view of a channel: whole packets in and out, for protocols that speak MDSFTP themselves.
 *
 * Content is taken only where it was granted: `grant(n)` says that n more fragments may come, and the protocol grants
 * what it announces as window. What waits on the channel is bounded by that, and on the connection by its own limit.
 *
 * @module
 */
import type { AbortOptions, Bytes } from '@ropewalk/interface'
import type { Outgoing } from '@ropewalk/mux'
import type { Uint8ArrayList } from 'uint8arraylist'
import { gather, giveBack, type Gathering } from './blocks.ts'
import { decodePacket, encodePacket } from './packet-codec.ts'
import { MAX_WAITING_PACKETS } from './constants.ts'
import { MdsftpError } from './errors.ts'
import { writeFragment } from './fragment-writer.ts'
import type { Endpoint, Link } from './link.ts'
import type { ControlPacket } from './packet.ts'

/** A FileChunk, whole. */
export interface Fragment {
  readonly type: 'FileChunk'
  readonly last: boolean
  readonly number: number
  readonly content: Uint8ArrayList
}

/** What comes on a channel. */
export type Packet = ControlPacket | Fragment

interface Waiter { resolve: (packet: Packet | undefined) => void, reject: (error: Error) => void }
interface Posted { fragment: { last: boolean, number: number, content: Uint8Array[], bytes: number }, resolve: () => void, reject: (error: Error) => void }

export class PacketChannel implements Endpoint, AsyncDisposable {
  readonly id: number
  controlQueued = false
  readyQueued = false
  /** Set it to get content in memory that is used again: whoever sets it calls `release` for every fragment that it takes. */
  reuses = false
  readonly #link: Link<PacketChannel>
  #packets: Packet[] = []
  #waitingControls = 0
  #waiter: Waiter | undefined
  #controls: Uint8Array[] = []
  #posted: Posted[] = []
  #current: { last: boolean, number: number, inbox: Gathering } | undefined
  #granted = 0
  #used = false
  #closing = false
  #closed = false
  #peerClosed = false
  #error: Error | undefined

  constructor (id: number, link: Link<PacketChannel>) {
    this.id = id
    this.#link = link
  }

  /** True when the peer has closed the channel or the connection is gone; packets may still wait to be read. */
  get closed (): boolean {
    return this.#closed
  }

  /** The next packet; `undefined` once the peer has closed the channel and everything it sent was read. */
  async next (options: AbortOptions = {}): Promise<Packet | undefined> {
    const { signal } = options
    signal?.throwIfAborted()
    const packet = this.#packets.shift()
    if (packet !== undefined) return this.#taken(packet)
    if (this.#error !== undefined) throw this.#error
    if (this.#closed) return undefined
    if (this.#waiter !== undefined) throw new TypeError('one read at a time')
    const abort = (): void => {
      const waiter = this.#waiter
      this.#waiter = undefined
      waiter?.reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await new Promise<Packet | undefined>((resolve, reject) => { this.#waiter = { resolve, reject } })
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** The packets that come, to the close. */
  async * [Symbol.asyncIterator] (): AsyncGenerator<Packet, void, undefined> {
    for (;;) {
      const packet = await this.next()
      if (packet === undefined) return
      yield packet
    }
  }

  /** Allows `fragments` more FileChunks to come. Anything beyond what was granted ends the connection. */
  grant (fragments: number): void {
    this.#granted += fragments
  }

  /** Takes back whatever was granted and not used: the transfer is over. */
  revoke (): void {
    this.#granted = 0
  }

  /** `fragment` is used up: its memory is used again, and nobody may read its content any more. Idempotent. */
  release (fragment: Fragment): void {
    giveBack(fragment.content)
  }

  /** Sends a packet ahead of everything that is content. On a closed channel it does nothing: the peer is not there to read it. */
  send (packet: ControlPacket): void {
    if (this.#closed || this.#closing) return
    this.#controls.push(encodePacket(this.#link.profile, this.id, packet))
    this.#link.control(this)
  }

  /** Sends a fragment. Resolves when the layer below has taken it; the content must not change before. */
  sendFragment (last: boolean, number: number, content: Bytes): Promise<void> {
    if (this.#closed) return Promise.reject(this.#error ?? closedByPeer(this.id))
    const pieces = content instanceof Uint8Array ? [content] : [...content]
    return new Promise((resolve, reject) => {
      this.#posted.push({ fragment: { last, number, content: pieces, bytes: content.byteLength }, resolve, reject })
      this.#link.ready(this)
    })
  }

  /** Closes the channel behind everything that was sent. Idempotent. */
  close (): void {
    this.#discard()
    if (this.#closed || this.#closing) return
    this.#closing = true
    this.#link.ready(this)
  }

  /** Closes the channel at once. Idempotent; never throws. */
  abort (reason: Error): void {
    this.#discard()
    if (this.#closed) return
    this.#end(reason)
    // What was already said goes first: the error packet that explains the close.
    this.#link.closeChannel(this, false, this.#controls)
    this.#controls = []
  }

  /** The peer broke the rules of the protocol spoken on this channel: the connection ends (specification section 3.7, finding 13). */
  violation (error: Error): void {
    this.#link.fail(error)
  }

  [Symbol.asyncDispose] (): Promise<void> {
    this.close()
    return Promise.resolve()
  }

  // What the link calls.

  get worthTaking (): boolean {
    return this.#packets.length > 0
  }

  /** A request and a close in one breath are how the original deletes. */
  get useful (): boolean {
    return this.#used
  }

  fragment (last: boolean, number: number, contentBytes: number): void {
    if (this.#closed || this.#closing) return
    if (this.#granted === 0) {
      return this.violation(new MdsftpError('ERR_UNEXPECTED_PACKET', 'connection', `FileChunk ${number} on channel ${this.id}, where none was granted`))
    }
    this.#granted--
    this.#current = { last, number, inbox: gather(contentBytes, this.reuses) }
    if (contentBytes === 0) this.#complete()
  }

  content (bytes: Uint8Array, complete: boolean, lent: boolean): void {
    if (this.#current === undefined) return
    this.#current.inbox.push(bytes, lent)
    this.#link.buffer(bytes.length)
    if (complete) this.#complete()
  }

  packet (kind: number, payload: Uint8Array): void {
    if (this.#closed || this.#closing) return
    this.#used = true
    if (this.#waitingControls >= MAX_WAITING_PACKETS) {
      return this.violation(new MdsftpError('ERR_FLOOD', 'connection', `${this.#waitingControls + 1} > ${MAX_WAITING_PACKETS} packets wait on channel ${this.id}`))
    }
    this.#deliver(decodePacket(this.#link.profile, kind, payload))
  }

  closedByPeer (): void {
    this.#peerClosed = true
    this.#end()
  }

  failed (error: Error): void {
    this.#end(error)
  }

  writeControls (out: Outgoing): void {
    for (const packet of this.#controls) out.packet(packet)
    this.#controls = []
  }

  writeFrame (out: Outgoing): boolean {
    if (this.#closed) return false
    const posted = this.#posted.shift()
    if (posted !== undefined) {
      const { last, number, content, bytes } = posted.fragment
      writeFragment(out, this.id, last, number, content, bytes)
      posted.resolve()
    }
    if (this.#posted.length > 0) return true
    if (this.#closing) {
      this.writeControls(out)
      this.#link.closeInBatch(this, out)
      this.#end()
    }
    return false
  }

  #complete (): void {
    const current = this.#current
    this.#current = undefined
    if (current === undefined) return
    this.#deliver({ type: 'FileChunk', last: current.last, number: current.number, content: current.inbox.take() })
  }

  #deliver (packet: Packet): void {
    const waiter = this.#waiter
    if (packet.type !== 'FileChunk') this.#waitingControls++
    if (waiter === undefined) {
      this.#packets.push(packet)
      return
    }
    this.#waiter = undefined
    waiter.resolve(this.#taken(packet))
  }

  /** Whoever closes reads no more: what waits must not count against the connection for ever. */
  #discard (): void {
    for (const packet of this.#packets.splice(0)) {
      this.#taken(packet)
      if (packet.type === 'FileChunk') this.release(packet)
    }
  }

  #taken (packet: Packet): Packet {
    if (packet.type === 'FileChunk') this.#link.buffer(-packet.content.byteLength)
    else this.#waitingControls--
    return packet
  }

  #end (error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#error = error
    if (this.#current !== undefined) {
      this.#link.buffer(-this.#current.inbox.bytes)
      giveBack(this.#current.inbox.take())
    }
    this.#current = undefined
    // Made only where somebody hears of it: most channels end with nothing to say.
    if (this.#posted.length > 0) {
      const reason = error ?? closedByPeer(this.id)
      for (const posted of this.#posted.splice(0)) posted.reject(reason)
    }
    const waiter = this.#waiter
    this.#waiter = undefined
    if (this.#closing) this.#discard()
    if (error !== undefined && !this.#peerClosed) {
      this.#discard()
      waiter?.reject(error)
    } else waiter?.resolve(undefined)
  }
}

function closedByPeer (id: number): MdsftpError {
  return new MdsftpError('ERR_CHANNEL_RESET', 'channel', `channel ${id} is closed`)
}
