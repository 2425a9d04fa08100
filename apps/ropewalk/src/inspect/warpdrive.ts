import { PROFILES, ReplyDescriber, SessionDescriber, type CommandType, type Description, type Profile, type Reply } from '@ropewalk/protocol-warpdrive/codec'
import { codeOf, RopewalkError } from '../errors.ts'
import type { InspectOptions, Inspection, Message } from './inspector.ts'

/** Commands of one session that are kept to read its replies. Ours. */
const MAX_ASKED = 1_000_000

/** What the client of one session sends, or what answers it: answers have no frames, and only their question tells what they are. */
export async function openWarpdrive (options: InspectOptions): Promise<Inspection> {
  const commands = new CommandInspection(options)
  return options.asked === undefined ? commands : new ReplyInspection(await typesOf(commands, options.asked))
}

/** The commands of a recording. One that breaks the protocol was answered up to there, and after that by nobody knows what. */
async function typesOf (commands: CommandInspection, asked: AsyncIterable<Uint8Array>): Promise<CommandType[]> {
  const types: CommandType[] = []
  const keep = ({ type, code }: Message): void => {
    if (code === undefined) return
    if (types.length === MAX_ASKED) throw new RopewalkError('ERR_RANGE', `--asked has more than ${MAX_ASKED} commands`)
    types.push(type as CommandType)
  }
  try {
    for await (const chunk of asked) commands.push(chunk, keep)
    commands.end()
  } catch (error) {
    if (codeOf(error) !== 'ERR_UNKNOWN_COMMAND' && codeOf(error) !== 'ERR_TRUNCATED') throw error
  }
  return types
}

class ReplyInspection implements Inspection {
  readonly #describer: ReplyDescriber

  constructor (asked: readonly CommandType[]) {
    this.#describer = new ReplyDescriber(asked)
  }

  get offset (): number {
    return this.#describer.offset
  }

  push (chunk: Uint8Array, emit: (message: Message) => void): void {
    this.#describer.push(chunk, reply => { emit(messageFor(reply)) })
  }

  end (emit: (message: Message) => void): void {
    this.#describer.end(reply => { emit(messageFor(reply)) })
  }
}

function messageFor ({ start, as, reply, value, bytes }: Reply): Message {
  return { offset: start, type: as, reply, ...bytes === undefined ? { value } : { bytes } }
}

class CommandInspection implements Inspection {
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
