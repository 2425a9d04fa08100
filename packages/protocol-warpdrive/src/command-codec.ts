/**
 * Commands as bytes, and a cutter that finds them in a stream. Pure.
 *
 * @module
 */
import { JsonSplitter } from '@ropewalk/framing'
import { MAX_ENTRIES, MAX_JSON_BYTES, MAX_JSON_DEPTH, MAX_UNCONFIRMED } from './constants.ts'
import { decodeCslq, encodeCslq, type CslqValue } from './cslq-codec.ts'
import { WarpdriveError } from './errors.ts'
import { encodeJsonArgument, infoJson, listOf, parseJson, readInfo, readUpdate, type FileInfo } from './json-codec.ts'
import { commandOf, type CommandType, type Profile } from './profile-codec.ts'

/** 0 all, 1 incoming, 2 outgoing. Other numbers list nothing and listen to all. */
export type Filter = number

export type Command =
  | { readonly type: 'listPeers' | 'ping' | 'end' }
  | { readonly type: 'createOffer', readonly peer: string, readonly path: string }
  | { readonly type: 'acceptOffer', readonly id: string }
  | { readonly type: 'listOffers' | 'listenOffers' | 'listenStatus', readonly filter: Filter }
  | { readonly type: 'updatePeer', readonly peer: string, readonly attribute: string, readonly value: string }
  | { readonly type: 'sendOffer', readonly id: string, readonly files: readonly FileInfo[] }
  | { readonly type: 'download', readonly id: string, readonly index: bigint, readonly offset: bigint }
  /** Our extension: the bytes of one entry, from `offset` on. */
  | { readonly type: 'downloadRange', readonly id: string, readonly index: bigint, readonly offset: bigint }
  /** Our extension: the bytes of each of these entries, behind a 00 of its own. */
  | { readonly type: 'downloadMany', readonly id: string, readonly indices: readonly number[] }
  /** Our extension: what became of an offer at who got it. */
  | { readonly type: 'settleOffer', readonly id: string, readonly outcome: number }

/** The arguments that are not JSON; after the code. */
export const PATTERNS: Readonly<Record<CommandType, string>> = {
  listPeers: '', createOffer: '[c]c[c]c', acceptOffer: '[c]c', listOffers: 'c', listenOffers: 'c', listenStatus: 'c', updatePeer: '',
  sendOffer: '[c]c', download: '[c]cqq', downloadRange: '[c]cqq', settleOffer: '[c]cc', downloadMany: '[c]c[s]l', ping: '', end: ''
}

const decoder = new TextDecoder()

/** What is written for a command: one piece, or the second with its JSON, as the original does. RangeError for a string over 255 bytes. */
export function encodeCommand (profile: Profile, port: string, command: Command): Uint8Array[] {
  const code = profile.codes[port]?.[command.type]
  if (code === undefined) throw new TypeError(`no ${command.type} on ${port} of ${profile.name}`)
  const head = (...values: CslqValue[]): Uint8Array => encodeCslq(`c${PATTERNS[command.type]}`, code, ...values)
  switch (command.type) {
    case 'createOffer': return [head(command.peer, command.path)]
    case 'acceptOffer': return [head(command.id)]
    case 'listOffers':
    case 'listenOffers':
    case 'listenStatus': return [head(command.filter)]
    case 'updatePeer': return [head(), encodeJsonArgument([command.peer, command.attribute, command.value])]
    case 'sendOffer': return [head(command.id), encodeJsonArgument(command.files.map(infoJson))]
    case 'download':
    case 'downloadRange': return [head(command.id, command.index, command.offset)]
    case 'downloadMany': return [head(command.id, command.indices)]
    case 'settleOffer': return [head(command.id, command.outcome)]
    default: return [head()]
  }
}

/** Whether JSON follows the arguments. */
export function hasJson (type: CommandType): boolean {
  return type === 'updatePeer' || type === 'sendOffer'
}

/** A command from its arguments, and its JSON where it has some. */
export function decodeCommand (type: CommandType, bytes: Uint8Array, json: Uint8Array | undefined, maxEntries: number = MAX_ENTRIES): Command {
  const { values } = decodeCslq(PATTERNS[type], bytes)
  const string = (at: number): string => decoder.decode(values[at] as Uint8Array)
  const signed = (at: number): bigint => BigInt.asIntN(64, values[at] as bigint)
  switch (type) {
    case 'createOffer': return { type, peer: string(0), path: string(1) }
    case 'acceptOffer': return { type, id: string(0) }
    case 'listOffers':
    case 'listenOffers':
    case 'listenStatus': return { type, filter: values[0] as number }
    case 'download':
    case 'downloadRange': return { type, id: string(0), index: signed(1), offset: signed(2) }
    case 'downloadMany': return { type, id: string(0), indices: values[1] as number[] }
    case 'settleOffer': return { type, id: string(0), outcome: values[1] as number }
    case 'updatePeer': return { type, ...readUpdate(parseJson(json as Uint8Array)) }
    case 'sendOffer': return { type, id: string(0), files: listOf(parseJson(json as Uint8Array), maxEntries, readInfo) }
    default: return { type }
  }
}

/** How many bytes the arguments take of which `bytes` are the first, or undefined when that takes more of them to know. `ERR_TOO_MANY` for a list that is too long. */
export function argumentBytes (type: CommandType, bytes: Uint8Array): number | undefined {
  let at = 0
  for (const part of PATTERNS[type].match(/\[c\]c|\[s\]l|q|c/g) ?? []) {
    if (part === '[c]c') {
      const length = bytes[at]
      if (length === undefined) return undefined
      at += 1 + length
    } else if (part === '[s]l') {
      const [high, low] = bytes.subarray(at, at + 2)
      if (high === undefined || low === undefined) return undefined
      const count = high * 256 + low
      if (count > MAX_UNCONFIRMED) throw new WarpdriveError('ERR_TOO_MANY', `${type}: ${count} > ${MAX_UNCONFIRMED} entries`)
      at += 2 + 4 * count
    } else at += part === 'q' ? 8 : 1
  }
  return at
}

export interface CutCommand {
  readonly command: Command
  /** Where it began, and where it ended, counted from the first byte of the stream. */
  readonly start: number
  readonly end: number
}

export interface CutterLimits {
  maxJsonBytes?: number | undefined
  maxEntries?: number | undefined
}

/** Cuts commands out of what a client sends, however it is chunked. Stray 00 and 0a between commands are skipped. */
export class CommandCutter {
  readonly #profile: Profile
  readonly #port: string
  readonly #limits: CutterLimits
  #offset = 0
  #start = 0
  #type: CommandType | undefined
  #head: number[] = []
  #json: JsonSplitter | undefined

  constructor (profile: Profile, port: string, limits: CutterLimits = {}) {
    if (profile.codes[port] === undefined) throw new TypeError(`no port ${port} in ${profile.name}`)
    this.#profile = profile
    this.#port = port
    this.#limits = limits
  }

  /** The command that is being read, and undefined between commands. */
  get pending (): CommandType | undefined {
    return this.#type
  }

  /** The first command that `chunk` completes from `from` on, and where in the chunk it ended. */
  cut (chunk: Uint8Array, from: number): { readonly value: CutCommand, readonly end: number } | undefined {
    for (let at = from; ;) {
      if (this.#type === undefined) {
        const code = chunk[at]
        if (code === undefined) return undefined
        this.#begin(code)
        at++
        if (this.#type === undefined) continue
      }
      const type = this.#type as CommandType
      if (this.#json === undefined) {
        for (let needed = argumentBytes(type, Uint8Array.from(this.#head)); needed === undefined || this.#head.length < needed;) {
          if (at >= chunk.length) return undefined
          this.#head.push(chunk[at++] as number)
          this.#offset++
          needed = argumentBytes(type, Uint8Array.from(this.#head))
        }
        if (!hasJson(type)) return { value: this.#finish(undefined), end: at }
        this.#json = new JsonSplitter({ maxBytes: this.#limits.maxJsonBytes ?? MAX_JSON_BYTES, maxDepth: MAX_JSON_DEPTH })
      }
      const cut = this.#json.cut(chunk, at)
      this.#offset += (cut?.end ?? chunk.length) - at
      return cut === undefined ? undefined : { value: this.#finish(cut.value), end: cut.end }
    }
  }

  /** Throws when the stream ended inside a command. */
  end (): void {
    if (this.#type === undefined) return
    throw new WarpdriveError('ERR_TRUNCATED', `stream ended inside ${this.#type}, ${this.#offset - this.#start} bytes into it`)
  }

  #begin (code: number): void {
    this.#start = this.#offset++
    this.#type = commandOf(this.#profile, this.#port, code)
    if (this.#type === undefined && code !== 0 && code !== 0x0a) {
      throw new WarpdriveError('ERR_UNKNOWN_COMMAND', `no command 0x${code.toString(16).padStart(2, '0')} on ${this.#port} of ${this.#profile.name}`)
    }
  }

  #finish (json: Uint8Array | undefined): CutCommand {
    const command = decodeCommand(this.#type as CommandType, Uint8Array.from(this.#head), json, this.#limits.maxEntries)
    this.#type = undefined
    this.#head = []
    this.#json = undefined
    return { command, start: this.#start, end: this.#offset }
  }
}
