import { readFileSync } from 'node:fs'
import { MessageDecoder, type Message } from '../src/message-codec.ts'

const FIXTURES = new URL('../../../fixtures/casync/', import.meta.url)

interface Recorded {
  readonly name: string
  readonly what: string
  readonly client_exit: number | string | null
  readonly server_exit: number | null
  readonly error: string
  readonly server: string | null
  readonly cut?: boolean
  readonly c2s: readonly string[]
  readonly s2c: readonly string[]
}

export interface RecordedSession extends Omit<Recorded, 'c2s' | 's2c'> {
  readonly c2s: Uint8Array
  readonly s2c: Uint8Array
}

/** Every session that was recorded from the originals. */
export const SESSIONS: readonly RecordedSession[] = (JSON.parse(readFileSync(new URL('sessions.json', FIXTURES), 'utf8')) as Recorded[])
  .map(session => ({ ...session, c2s: join(session.c2s), s2c: join(session.s2c) }))

export function session (name: string): RecordedSession {
  const found = SESSIONS.find(one => one.name === name)
  if (found === undefined) throw new RangeError(`no session ${name}`)
  return found
}

/** The messages of a stream up to the first that is wrong, and what is wrong with it. */
export function decodeAll (bytes: Uint8Array, pieces: Iterable<Uint8Array> = [bytes]): { messages: Message[], error?: Error } {
  const decoder = new MessageDecoder()
  const messages: Message[] = []
  try {
    for (const piece of pieces) for (const message of decoder.push(piece)) messages.push(message)
    decoder.end()
    return { messages }
  } catch (error) {
    return { messages, error: error as Error }
  }
}

function join (parts: readonly string[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts.map(part => part.startsWith('@') ? readFileSync(new URL(part.slice(1), FIXTURES)) : Buffer.from(part, 'hex'))))
}
