import { PROFILES, SessionDescriber, type Description, type Profile } from '@ropewalk/protocol-warpdrive/codec'
import { RopewalkError } from '../errors.ts'
import type { InspectOptions, Inspection, Message } from './inspector.ts'

/** What the client of one session sends: answers have no frames, and only their question tells what they are. */
export function openWarpdrive (options: InspectOptions): Inspection {
  return new WarpdriveInspection(options)
}

class WarpdriveInspection implements Inspection {
  readonly #describer: SessionDescriber
  #offset = 0
  #position = 0

  constructor ({ profile: name = 'go-838779e', port }: InspectOptions) {
    const profile: Profile = PROFILES[name as Profile['name']]
    const at = port ?? profile.ports.remote
    if (profile.codes[at] === undefined) {
      throw new RopewalkError('ERR_USAGE', `the profile ${name} has no such port; it has ${Object.keys(profile.codes).join(', ')}`, { text: at })
    }
    this.#describer = new SessionDescriber(profile, at)
  }

  get offset (): number {
    return this.#offset
  }

  push (chunk: Uint8Array, emit: (message: Message) => void): void {
    // Byte by byte, so that what comes before a breach is told before it.
    for (let at = 0; at < chunk.length; at++) {
      const [found] = this.#describer.push(chunk.subarray(at, at + 1))
      const between = this.#offset === this.#position++
      if (found !== undefined) {
        emit(messageOf(found))
        this.#offset = this.#position
      } else if (between && (chunk[at] === 0 || chunk[at] === 0x0a)) this.#offset = this.#position
    }
  }

  end (): void {
    this.#describer.end()
  }
}

function messageOf (found: Description): Message {
  if ('byte' in found) return { offset: found.start, type: found.as, byte: found.byte }
  // `offset` is where the message begins, for every protocol alike.
  const { command, offset, ...fields } = found.fields
  return { offset: found.start, type: command, ...fields, ...offset === undefined ? {} : { offset_in_entry: offset } }
}
