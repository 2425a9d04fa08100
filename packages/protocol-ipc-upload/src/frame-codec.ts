/**
 * libipc frames, whatever is in them. Pure.
 *
 *      seqpacket, stream6    library type (1), length (4, big endian), user type (1), payload
 *      stream4               length (4, big endian, with the user type), user type (1), payload
 *
 * @module
 */
import { FrameCutter, FramingError, readU32BE, writeU32BE } from '@ropewalk/framing'
import { Uint8ArrayList } from 'uint8arraylist'
import { LibraryType, MAX_PAYLOAD_BYTES, MAX_STREAM4_BYTES, MAX_WINDOW } from './constants.ts'
import { IpcUploadError } from './errors.ts'
import type { Encoded } from './readme-codec.ts'

/** How frames lie in what a connection carries: in packets, or in a stream of either era. */
export type Framing = 'seqpacket' | 'stream6' | 'stream4'

export interface Frame {
  /** What the first byte says; 2 where the framing has none. */
  readonly libraryType: number
  readonly userType: number
  /** Not copied: it is a view of what was pushed where the frame arrived whole. */
  readonly payload: Uint8Array
}

/** Frames of so many bytes together are copied into one piece. Ours. */
const JOINED_BYTES = 32_768

const HEADER_BYTES = 6
const STREAM4_HEADER_BYTES = 5

/** Bytes before the payload. */
export function headerBytes (framing: Framing): number {
  return framing === 'stream4' ? STREAM4_HEADER_BYTES : HEADER_BYTES
}

/** One array: the originals read a frame in one go, and lose what comes apart. */
export function encodeFrame (framing: Framing, userType: number, payload: Uint8Array): Uint8Array {
  if (!Number.isInteger(userType) || userType < 0 || userType > 255) throw new RangeError(`a user type is one byte: ${userType}`)
  const most = largestPayload(framing, MAX_PAYLOAD_BYTES)
  if (payload.length > most) throw new RangeError(`payload too large: ${payload.length} > ${most} bytes`)
  const header = headerBytes(framing)
  const frame = new Uint8Array(header + payload.length)
  writeHeader(framing, frame, userType)
  frame.set(payload, header)
  return frame
}

function writeHeader (framing: Framing, frame: Uint8Array, userType: number, payloadBytes: number = frame.length - headerBytes(framing)): void {
  const header = headerBytes(framing)
  if (framing === 'stream4') {
    writeU32BE(frame, 0, payloadBytes + 1)
  } else {
    frame[0] = LibraryType.Data
    writeU32BE(frame, 1, payloadBytes)
  }
  frame[header - 1] = userType
}

/** The same of a message, in the buffer that it lies in where that has room for the header. */
export function frame (framing: Framing, message: Encoded): Uint8Array {
  if (message.tail !== undefined) return new Uint8ArrayList(...pieces(framing, message)).subarray()
  const { userType, payload, headroom = 0 } = message
  const header = headerBytes(framing)
  if (headroom < header || payload.length > largestPayload(framing, MAX_PAYLOAD_BYTES)) return encodeFrame(framing, userType, payload)
  const whole = new Uint8Array(payload.buffer, payload.byteOffset - header, header + payload.length)
  writeHeader(framing, whole, userType)
  return whole
}

/** The same in pieces, where a stream does not mind. */
function pieces (framing: Framing, message: Encoded): Uint8Array[] {
  const { userType, payload, tail } = message
  if (tail === undefined) return [frame(framing, message)]
  const header = headerBytes(framing)
  const length = payload.length + tail.length
  const most = largestPayload(framing, MAX_PAYLOAD_BYTES)
  if (length > most) throw new RangeError(`payload too large: ${length} > ${most} bytes`)
  const head = new Uint8Array(header + payload.length)
  writeHeader(framing, head, userType, length)
  head.set(payload, header)
  return [head, tail]
}

/** What a sink is given of messages that are ready together: one write where the wire is a stream, one a frame where frames must not meet. */
export function * written (framing: Framing, messages: readonly Encoded[]): Generator<Uint8Array | Uint8ArrayList, void, undefined> {
  if (framing !== 'stream6' || messages.length < 2) {
    for (const message of messages) yield frame(framing, message)
    return
  }
  for (let from = 0; from < messages.length; from += MAX_WINDOW) {
    const frames = new Uint8ArrayList(...messages.slice(from, from + MAX_WINDOW).flatMap(message => pieces(framing, message)))
    // Answers are short, and one piece is written faster than many.
    yield frames.byteLength <= JOINED_BYTES ? frames.subarray() : frames
  }
}

/** The one frame that is a packet of `seqpacket`. Nothing is waited for, and nothing may follow. */
export function decodePacket (packet: Uint8Array, maxPayloadBytes: number = MAX_PAYLOAD_BYTES): Frame {
  if (packet.length < HEADER_BYTES) throw new IpcUploadError('ERR_BAD_LENGTH', 'connection', `packet without a header: ${packet.length} < ${HEADER_BYTES} bytes`)
  const length = readU32BE(packet, 1)
  if (length > maxPayloadBytes) throw new IpcUploadError('ERR_TOO_LARGE', 'connection', `message too large: ${length} > ${maxPayloadBytes} bytes`)
  if (packet.length !== HEADER_BYTES + length) {
    throw new IpcUploadError('ERR_BAD_LENGTH', 'connection', `packet of another size than it says: ${packet.length} instead of ${HEADER_BYTES + length} bytes`)
  }
  return frameOf('stream6', packet)
}

/** Takes what a connection carries, piece by piece. */
export interface FrameReader {
  /** Yields each frame that `chunk` completes. Exhaust it. */
  push (chunk: Uint8Array): Iterable<Frame>
  /** Call when the connection ends. */
  end (): void
}

/** A reader of any framing; of `seqpacket`, each chunk is a packet, and nothing is ever waited for. */
export function frameReader (framing: Framing): FrameReader {
  return framing === 'seqpacket' ? { push: packet => [decodePacket(packet)], end: () => {} } : new Deframer(framing)
}

/** Cuts frames out of a stream of any segmentation. */
export class Deframer implements FrameReader {
  readonly #framing: Framing
  readonly #cutter: FrameCutter

  constructor (framing: Framing, maxPayloadBytes: number = MAX_PAYLOAD_BYTES) {
    this.#framing = framing
    const scope = 'connection'
    const most = largestPayload(framing, maxPayloadBytes)
    this.#cutter = framing === 'stream4'
      ? new FrameCutter({ lengthBytes: 4, maxFrameBytes: STREAM4_HEADER_BYTES + most, scope })
      : new FrameCutter({ lengthBytes: 4, lengthOffset: 1, headerBytes: HEADER_BYTES, maxFrameBytes: HEADER_BYTES + most, scope })
  }

  /** Yields each frame that `chunk` completes. Exhaust it. Throws at the header that breaks the rules, before a byte of its payload is kept. */
  * push (chunk: Uint8Array): Generator<Frame, void, undefined> {
    try {
      for (const frame of this.#cutter.push(chunk)) yield frameOf(this.#framing, frame)
    } catch (error) {
      throw ours(error)
    }
  }

  /** Call when the stream ends: it may only end between frames. */
  end (): void {
    try {
      this.#cutter.end()
    } catch (error) {
      throw ours(error)
    }
  }
}

function frameOf (framing: Framing, frame: Uint8Array): Frame {
  const header = headerBytes(framing)
  if (frame.length < header) throw new IpcUploadError('ERR_BAD_LENGTH', 'connection', `frame without a user type: ${frame.length} < ${header} bytes`)
  const libraryType = framing === 'stream4' ? LibraryType.Data : frame[0] as number
  // Asks for another service; that is no business of a file server's. Every other value is delivered alike.
  if (libraryType === LibraryType.Lookup) throw new IpcUploadError('ERR_UNKNOWN_TYPE', 'connection', `library type ${libraryType} is for a routing daemon`)
  return { libraryType, userType: frame[header - 1] as number, payload: frame.subarray(header) }
}

function largestPayload (framing: Framing, wanted: number): number {
  return framing === 'stream4' ? Math.min(wanted, MAX_STREAM4_BYTES - STREAM4_HEADER_BYTES) : wanted
}

function ours (error: unknown): unknown {
  if (!(error instanceof FramingError)) return error
  const code = error.code === 'ERR_TOO_LARGE' || error.code === 'ERR_TRUNCATED' ? error.code : 'ERR_BAD_LENGTH'
  return new IpcUploadError(code, 'connection', error.message, { cause: error })
}
