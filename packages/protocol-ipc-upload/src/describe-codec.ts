/**
 * Frames as plain fields with the names of the specification, and a reader of recorded streams. Pure.
 *
 * Tokens are never shown: what is printed ends up in logs.
 *
 * @module
 */
import { FinalError, FinalType, ReadmeType } from './constants.ts'
import { decodeFinal } from './final-codec.ts'
import { Deframer, headerBytes, type Frame, type Framing } from './frame-codec.ts'
import { parseObject, type JsonObject } from './json-codec.ts'
import { decodeReadme } from './readme-codec.ts'

/** Which generation of messages. */
export type Profile = 'readme' | 'final'

export interface FrameFields {
  readonly type: string
  readonly user_type: number
  readonly length: number
  readonly json: JsonObject
}

/** One message of a stream, with the offset of its first byte. */
export interface DescribedMessage {
  readonly offset: number
  readonly type: string
  readonly [field: string]: unknown
}

/** Throws what the codec throws: what is not a message of the profile is not described as one. */
export function describeFrame (profile: Profile, frame: Frame): FrameFields {
  const { userType, payload } = frame
  const message = profile === 'readme' ? decodeReadme(userType, payload) : decodeFinal(userType, payload)
  if (message.type === 'Block') {
    const { sequence, file, index, data } = message
    return { type: message.type, user_type: userType, length: payload.length, json: { sequence, file, block: index, data: `${data.length} bytes` } }
  }
  if (message.type === 'Taken') return { type: message.type, user_type: userType, length: payload.length, json: { blocks: message.blocks } }
  if (message.type === 'Piece') return { type: message.type, user_type: userType, length: payload.length, json: { data: `${message.data.length} bytes` } }
  const json: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(parseObject(payload, userType !== ReadmeType.Transfer))) json[key] = hidden(key, value)
  return { type: message.type, user_type: userType, length: payload.length, json }
}

/** The profiles and framings of a recorded stream, the usual ones first. */
const STREAMS: Readonly<Record<string, readonly [Profile, Framing]>> = {
  final: ['final', 'stream6'],
  readme: ['readme', 'stream6'],
  'final-stream4': ['final', 'stream4'],
  'readme-stream4': ['readme', 'stream4']
}

/** Reads one direction of a recorded connection, in the shape that the command `inspect` takes. */
export const ipcUploadInspector: {
  readonly description: string
  readonly profiles: readonly string[]
  open (options: { readonly profile?: string | undefined }): StreamDescriber
} = {
  description: 'upload over libipc, in frames of 6 bytes, or of the stream era',
  profiles: Object.keys(STREAMS),
  open: ({ profile = 'final' }) => {
    const stream = STREAMS[profile]
    if (stream === undefined) throw new RangeError(`unknown profile: ${profile}`)
    return new StreamDescriber(...stream)
  }
}

export class StreamDescriber {
  readonly #profile: Profile
  readonly #framing: Framing
  readonly #deframer: Deframer
  #offset = 0

  constructor (profile: Profile, framing: Framing) {
    this.#profile = profile
    this.#framing = framing
    this.#deframer = new Deframer(framing)
  }

  /** Where the message begins that is being read. */
  get offset (): number {
    return this.#offset
  }

  /** Tells `emit` every message that `chunk` completes. Throws a coded error at the first that breaks the protocol. */
  push (chunk: Uint8Array, emit: (message: DescribedMessage) => void): void {
    for (const frame of this.#deframer.push(chunk)) {
      const { type, json, ...fields } = describeFrame(this.#profile, frame)
      emit({ offset: this.#offset, type, ...fields, ...json })
      this.#offset += headerBytes(this.#framing) + frame.payload.length
    }
  }

  /** Call when the stream ends; throws where it may not. */
  end (): void {
    this.#deframer.end()
  }
}

/** Whether a user type belongs to a profile. */
export function isUserType (profile: Profile, userType: number): boolean {
  return (profile === 'readme' ? README_TYPES : FINAL_TYPES).has(userType)
}

const README_TYPES: ReadonlySet<number> = new Set(Object.values(ReadmeType))
const FINAL_TYPES: ReadonlySet<number> = new Set([...Object.values(FinalType), ...Object.values(FinalError)])

function hidden (key: string, value: unknown): unknown {
  if (key === 'token') return `${String(value).length} characters`
  if (key === 'data' && typeof value === 'string') return `${value.length} characters`
  return typeof value === 'bigint' ? String(value) : value
}
