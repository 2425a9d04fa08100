/**
 * Reading a recorded stream of bytes, whatever the protocol.
 *
 * @module
 */

/** One message: printed as a line of JSON, its fields by the names of the specification. */
export interface Message {
  /** Of the message's first byte in the stream. */
  readonly offset: number
  readonly type: string
  readonly [field: string]: unknown
}

export interface InspectOptions {
  /** One of the inspector's `profiles`; the first one where nothing is said. */
  readonly profile?: string | undefined
  /** What was asked for, of a protocol with ports. */
  readonly port?: string | undefined
  /** The recorded other direction, of a protocol whose replies have no frames: the stream answers it. */
  readonly asked?: AsyncIterable<Uint8Array> | undefined
  /** The stream begins with what the dialer says of itself. */
  readonly preamble: boolean
  /** ... and that ends with an access token. */
  readonly token: boolean
}

/** Reads one direction of one connection. */
export interface Inspection {
  /** Where the message begins that is being read. */
  readonly offset: number
  /** Tells `emit` every message that `chunk` completes. Throws a coded error at the first byte that breaks the protocol. */
  push (chunk: Uint8Array, emit: (message: Message) => void): void
  /** Call when the stream ends; throws where it may not. Tells `emit` of a message that only the end completes. */
  end (emit: (message: Message) => void): void
}

/** One protocol. */
export interface Inspector {
  readonly description: string
  /** Generations of the wire, the usual one first. */
  readonly profiles: readonly string[]
  /** Where connections ask for one of several ports: which there are, in any profile. */
  readonly ports?: readonly string[] | undefined
  /** It can read replies where `asked` is given. */
  readonly replies?: boolean | undefined
  /** What reads it is loaded when it is asked for. */
  open (options: InspectOptions): Promise<Inspection>
}
