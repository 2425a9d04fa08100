/**
 * Commands as plain fields with the specification's names, and a describer for one recorded session. Pure.
 *
 * @module
 */
import { CommandCutter, type Command, type CutterLimits } from './command-codec.ts'
import { infoJson } from './json-codec.ts'
import type { Profile } from './profile-codec.ts'

export type CommandFields = Readonly<Record<string, unknown>> & { readonly command: string, readonly code: number }

/** The fields of a command on `port`. */
export function describeCommand (profile: Profile, port: string, command: Command): CommandFields {
  const base = { command: command.type, code: profile.codes[port]?.[command.type] ?? -1 }
  switch (command.type) {
    case 'createOffer': return { ...base, peer_id: command.peer, path: command.path }
    case 'acceptOffer': return { ...base, offer_id: command.id }
    case 'listOffers':
    case 'listenOffers':
    case 'listenStatus': return { ...base, filter: command.filter }
    case 'updatePeer': return { ...base, peer_id: command.peer, attr: command.attribute, value: command.value }
    case 'sendOffer': return { ...base, offer_id: command.id, files: command.files.map(infoJson) }
    case 'settleOffer': return { ...base, offer_id: command.id, outcome: command.outcome }
    case 'downloadMany': return { ...base, offer_id: command.id, indices: command.indices }
    case 'download':
    case 'downloadRange': return { ...base, offer_id: command.id, index: String(command.index), offset: String(command.offset) }
    default: return base
  }
}

export type Description =
  | { readonly start: number, readonly end: number, readonly fields: CommandFields }
  /** A byte that is no command: a ping signal, what ends a subscription, an acknowledgement, a stray 00 or 0a. */
  | { readonly start: number, readonly end: number, readonly byte: number, readonly as: 'signal' | 'finish' | 'acknowledgement' }

/** Describes what one client sends in one session: feed it the bytes as they come. */
export class SessionDescriber {
  readonly #profile: Profile
  readonly #port: string
  readonly #cutter: CommandCutter
  #base = 0
  #cut = 0
  /** What the next byte is, where the last command says so. */
  #next: 'command' | 'signal' | 'finish' | 'acknowledgement' = 'command'

  constructor (profile: Profile, port: string, limits: CutterLimits = {}) {
    this.#profile = profile
    this.#port = port
    this.#cutter = new CommandCutter(profile, port, limits)
  }

  /** Each command, and each byte with a meaning, that `chunk` completes. Throws a coded error where the stream makes no sense. */
  push (chunk: Uint8Array): Description[] {
    const found: Description[] = []
    for (let at = 0; at < chunk.length;) {
      if (this.#next !== 'command') {
        const byte = chunk[at++] as number
        const start = this.#base + this.#cut
        found.push({ start, end: start + 1, byte, as: this.#next })
        this.#base++
        if (this.#next !== 'signal' || byte === 0) this.#next = 'command'
        continue
      }
      const cut = this.#cutter.cut(chunk, at)
      if (cut === undefined) break
      const { command, start, end } = cut.value
      found.push({ start: this.#base + start, end: this.#base + end, fields: describeCommand(this.#profile, this.#port, command) })
      this.#cut = end
      at = cut.end
      if (command.type === 'ping') this.#next = 'signal'
      else if (command.type === 'listenOffers' || command.type === 'listenStatus') this.#next = 'finish'
      else if (command.type === 'listPeers' && this.#profile.acknowledgesPeers) this.#next = 'acknowledgement'
    }
    return found
  }

  /** Throws `ERR_TRUNCATED` when the session ended inside a command. */
  end (): void {
    this.#cutter.end()
  }
}
