/**
 * The messages of the wire: bytes to messages and back. Pure.
 *
 *      0            8            16
 *      +------------+------------+---------- - -
 *      | size u64   | type u64   | body
 *      +------------+------------+---------- - -
 *
 * Everything little-endian; the size counts the header. Sizes by type, flags and when what may come: `../WIRE.md`.
 *
 * @module
 */
import { fromHex, readU64LE, toHex, writeU64LE } from '@ropewalk/framing'
import type { ChunkId } from '@ropewalk/interface'
import {
  CHUNK_HEADER_BYTES, CHUNK_ID_BYTES, ERRNO_LIMIT, FRAME_HEADER_BYTES, MAX_FRAME_BYTES, MESSAGE_TYPES, REQUEST_HEADER_BYTES
} from './constants.ts'
import { CasyncError, type CasyncErrorCode } from './errors.ts'
import { FrameBuffer } from './frame-buffer-codec.ts'

export type MessageType = keyof typeof MESSAGE_TYPES

export type Message =
  | { readonly type: 'HELLO', readonly flags: bigint }
  | { readonly type: 'INDEX' | 'ARCHIVE', readonly data: Uint8Array }
  | { readonly type: 'INDEX_EOF' | 'ARCHIVE_EOF' | 'GOODBYE' }
  /** `ids` are 32 bytes each. */
  | { readonly type: 'REQUEST', readonly high: boolean, readonly ids: Uint8Array }
  | { readonly type: 'CHUNK', readonly compressed: boolean, readonly id: ChunkId, readonly data: Uint8Array }
  | { readonly type: 'MISSING', readonly id: ChunkId }
  | { readonly type: 'ABORT', readonly errno: number, readonly reason: string }

/** A message in its parts; data is not copied. RangeError for what would not fit a frame, or would be no message. */
export function encodeMessage (message: Message): Uint8Array[] {
  switch (message.type) {
    case 'HELLO': return [frame(message.type, 8, body => { writeU64LE(body, 0, message.flags) })]
    case 'INDEX':
    case 'ARCHIVE': return [frame(message.type, 0, () => {}, assertData(message.data)), message.data]
    case 'REQUEST': return [frame(message.type, 8, body => { writeU64LE(body, 0, message.high ? 1n : 0n) }, assertIds(message.ids)), message.ids]
    case 'CHUNK': return [frame(message.type, 8 + CHUNK_ID_BYTES, body => {
      writeU64LE(body, 0, message.compressed ? 1n : 0n)
      body.set(fromHex(message.id, CHUNK_ID_BYTES), 8)
    }, assertData(message.data)), message.data]
    case 'MISSING': return [frame(message.type, CHUNK_ID_BYTES, body => { body.set(fromHex(message.id, CHUNK_ID_BYTES)) })]
    case 'ABORT': {
      if (!(Number.isInteger(message.errno) && message.errno >= 0 && message.errno < ERRNO_LIMIT)) throw new RangeError(`errno ${message.errno}`)
      const text = new TextEncoder().encode(printable(message.reason))
      return [frame(message.type, 8 + text.length + 1, body => {
        writeU64LE(body, 0, BigInt(message.errno))
        body.set(text, 8)
      })]
    }
    default: return [frame(message.type, 0, () => {})]
  }
}

/** The ids of a request, one by one. */
export function * requestedIds (ids: Uint8Array): Generator<ChunkId, void, undefined> {
  for (let at = 0; at < ids.length; at += CHUNK_ID_BYTES) yield toHex(ids.subarray(at, at + CHUNK_ID_BYTES))
}

/** Cuts a stream into messages, wherever the transport cut it. Keeps one frame at most, as it comes. */
export class MessageDecoder {
  readonly #lends: boolean
  readonly #kept = new FrameBuffer()
  /** Size and type of the frame that has begun. */
  #begun: { readonly size: number, readonly type: MessageType } | undefined
  #offset = 0
  #failure: CasyncError | undefined

  /** With `lends`, what a message carries is good until the next is asked for: `owned` makes it last. */
  constructor ({ lends = false }: { lends?: boolean | undefined } = {}) {
    this.#lends = lends
  }

  /** Where the message begins that is being read. */
  get offset (): number {
    return this.#offset
  }

  /** Yields each message that `bytes` complete. Exhaust it. Its data are views of `bytes` where they lie in one piece. Throws at the first byte that is wrong, and from then on always. */
  * push (bytes: Uint8Array): Generator<Message, void, undefined> {
    if (this.#failure !== undefined) throw this.#failure
    for (let at = 0; at < bytes.length;) {
      const size = this.#begun?.size ?? FRAME_HEADER_BYTES
      const wanted = size - this.#kept.length
      const rest = bytes.length - at
      if (this.#begun === undefined && this.#kept.length === 0 && rest >= FRAME_HEADER_BYTES) {
        this.#begun = this.#begin(bytes.subarray(at, at + FRAME_HEADER_BYTES))
        continue
      }
      if (rest < wanted || this.#kept.length > 0) this.#kept.push(bytes.subarray(at, Math.min(bytes.length, at + wanted)), size)
      if (rest < wanted) return
      if (this.#begun === undefined) {
        this.#begun = this.#begin(this.#kept.bytes)
        at += wanted
        if (this.#begun.size > FRAME_HEADER_BYTES) continue
        yield this.#message(this.#take())
        continue
      }
      const whole = this.#kept.length > 0 ? this.#take() : bytes.subarray(at, at + wanted)
      at += wanted
      yield this.#message(whole)
    }
  }

  #take (): Uint8Array {
    const whole = this.#kept.take()
    return this.#lends ? whole : whole.slice()
  }

  /** Call when the stream ends: it may only end between messages, else `ERR_TRUNCATED`. */
  end (): void {
    if (this.#failure !== undefined) throw this.#failure
    const got = this.#kept.length
    if (got === 0) return
    throw new CasyncError('ERR_TRUNCATED', 'channel', `stream ended inside ${this.#begun?.type ?? 'a header'}: ${got} < ${this.#begun?.size ?? FRAME_HEADER_BYTES} bytes`, { offset: this.#offset })
  }

  /** The size is judged before the type, and both before anything else is kept. */
  #begin (header: Uint8Array): { size: number, type: MessageType } {
    const size = readU64LE(header)
    if (size < BigInt(FRAME_HEADER_BYTES) || size > BigInt(MAX_FRAME_BYTES)) this.#fail('ERR_FRAME_SIZE', `frame of ${size}, not ${FRAME_HEADER_BYTES} ... ${MAX_FRAME_BYTES} bytes`)
    const word = readU64LE(header, 8)
    const type = TYPES.get(word)
    if (type === undefined) this.#fail('ERR_UNKNOWN_TYPE', `type 0x${word.toString(16).padStart(16, '0')}`)
    if (!fitsType(type, Number(size))) this.#fail('ERR_FRAME_SIZE', `${type} of ${size} bytes`)
    return { size: Number(size), type }
  }

  #message (whole: Uint8Array): Message {
    const { type } = this.#begun as { type: MessageType }
    const message = this.#decode(type, whole.subarray(FRAME_HEADER_BYTES))
    this.#begun = undefined
    this.#offset += whole.length
    return message
  }

  #decode (type: MessageType, body: Uint8Array): Message {
    switch (type) {
      case 'HELLO': return { type, flags: readU64LE(body) }
      case 'INDEX':
      case 'ARCHIVE': return { type, data: body }
      case 'REQUEST': return { type, high: this.#flag(type, body), ids: body.subarray(8) }
      case 'CHUNK': return { type, compressed: this.#flag(type, body), id: toHex(body.subarray(8, 8 + CHUNK_ID_BYTES)), data: body.subarray(8 + CHUNK_ID_BYTES) }
      case 'MISSING': return { type, id: toHex(body) }
      case 'ABORT': return this.#decodeAbort(body)
      default: return { type }
    }
  }

  #decodeAbort (body: Uint8Array): Message {
    const errno = readU64LE(body)
    if (errno >= BigInt(ERRNO_LIMIT)) this.#fail('ERR_FLAGS', `ABORT with the number ${errno} >= ${ERRNO_LIMIT}`)
    const text = body.subarray(8, -1)
    if (body.at(-1) !== 0 || text.some(byte => byte < 0x20)) this.#fail('ERR_FLAGS', 'ABORT with a reason that is no text')
    return { type: 'ABORT', errno: Number(errno), reason: printable(new TextDecoder().decode(text)) }
  }

  #flag (type: MessageType, body: Uint8Array): boolean {
    const flags = readU64LE(body)
    if (flags > 1n) this.#fail('ERR_FLAGS', `${type} with the flags 0x${flags.toString(16)}`)
    return flags === 1n
  }

  #fail (code: CasyncErrorCode, message: string): never {
    this.#failure = new CasyncError(code, 'channel', `byte ${this.#offset}: ${message}`, { offset: this.#offset })
    throw this.#failure
  }
}

/** The same, whatever becomes of what the decoder has lent. A copy, which `slice` of a Buffer is not. */
export function owned (message: Message): Message {
  if ('data' in message) return { ...message, data: new Uint8Array(message.data) }
  return message.type === 'REQUEST' ? { ...message, ids: new Uint8Array(message.ids) } : message
}

const TYPES: ReadonlyMap<bigint, MessageType> = new Map(Object.entries(MESSAGE_TYPES).map(([name, word]) => [word, name as MessageType]))

/** Least bytes of a frame by type; those that are listed alone have exactly as many. */
export const FRAME_BYTES: Readonly<Record<MessageType, readonly [least: number, most: number]>> = {
  HELLO: [24, 24],
  INDEX: [17, MAX_FRAME_BYTES],
  INDEX_EOF: [16, 16],
  ARCHIVE: [17, MAX_FRAME_BYTES],
  ARCHIVE_EOF: [16, 16],
  REQUEST: [REQUEST_HEADER_BYTES + CHUNK_ID_BYTES, MAX_FRAME_BYTES],
  CHUNK: [CHUNK_HEADER_BYTES + 1, MAX_FRAME_BYTES],
  MISSING: [48, 48],
  GOODBYE: [16, 16],
  ABORT: [25, MAX_FRAME_BYTES]
}

function fitsType (type: MessageType, size: number): boolean {
  const [least, most] = FRAME_BYTES[type]
  return size >= least && size <= most && (type !== 'REQUEST' || (size - REQUEST_HEADER_BYTES) % CHUNK_ID_BYTES === 0)
}

function frame (type: MessageType, bodyBytes: number, fill: (body: Uint8Array) => void, dataBytes: number = 0): Uint8Array {
  const size = FRAME_HEADER_BYTES + bodyBytes + dataBytes
  if (size > MAX_FRAME_BYTES) throw new RangeError(`${type} does not fit a frame: ${size} > ${MAX_FRAME_BYTES} bytes`)
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + bodyBytes)
  writeU64LE(bytes, 0, BigInt(size))
  writeU64LE(bytes, 8, MESSAGE_TYPES[type])
  fill(bytes.subarray(FRAME_HEADER_BYTES))
  return bytes
}

function assertData (data: Uint8Array): number {
  if (data.length === 0) throw new RangeError('no data: at least one byte')
  return data.length
}

function assertIds (ids: Uint8Array): number {
  if (ids.length === 0 || ids.length % CHUNK_ID_BYTES !== 0) throw new RangeError(`ids of ${ids.length} bytes: not a multiple of ${CHUNK_ID_BYTES}`)
  return ids.length
}

/** Text of others is shown to people: no control characters, of whatever kind. */
function printable (text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')
}
