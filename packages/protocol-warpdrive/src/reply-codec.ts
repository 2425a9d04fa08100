/**
 * What the side that answers sends in one recorded session. Replies have no frames: only what was asked tells what they are. Pure.
 *
 * @module
 */
import { FramingError, JsonSplitter } from '@ropewalk/framing'
import type { CutterLimits } from './command-codec.ts'
import { MAX_JSON_BYTES, MAX_JSON_DEPTH } from './constants.ts'
import { WarpdriveError } from './errors.ts'
import { parseJson } from './json-codec.ts'
import type { CommandType } from './profile-codec.ts'

/** `reply` is the command that is answered; `value` the JSON, the byte, or the id of the offer that was made; `bytes` how much content came. */
export interface Reply {
  readonly start: number
  readonly end: number
  readonly reply: CommandType
  readonly as: 'list' | 'event' | 'id' | 'done' | 'accepted' | 'begun' | 'content' | 'echo'
  readonly value?: unknown
  readonly bytes?: number
}

/**
 * Describes the replies to `asked`, the commands of a session in order. A command that was left without an answer is passed over where what
 * comes cannot be one. The content of a download is told at the end of the stream: nothing in it says where it ends.
 */
export class ReplyDescriber {
  readonly #asked: CommandType[]
  readonly #limits: CutterLimits
  #take: (reply: Reply) => void = () => {}
  /** Of the next byte, and of the reply that is being read. */
  #position = 0
  #start = 0
  #reading: 'reply' | 'json' | 'id' | 'accepted' | 'content' = 'reply'
  #splitter: JsonSplitter | undefined
  #id: number[] = []
  #idBytes = 0
  #afterJson = false

  constructor (asked: Iterable<CommandType>, limits: CutterLimits = {}) {
    this.#asked = Array.from(asked).filter(type => type !== 'end')
    this.#limits = limits
  }

  /** Where the reply begins that is being read, or where the next one does. */
  get offset (): number {
    return this.#start
  }

  /** Tells `take` each reply that `chunk` completes. Throws a coded error at the first byte that answers nothing. */
  push (chunk: Uint8Array, take: (reply: Reply) => void): void {
    this.#take = take
    for (let at = 0; at < chunk.length;) {
      if (this.#reading === 'content') {
        this.#position += chunk.length - at
        break
      }
      if (this.#reading === 'json') {
        const cut = this.#framed(() => this.#splitter?.cut(chunk, at))
        const end = cut?.end ?? chunk.length
        this.#position += end - at
        at = end
        if (cut !== undefined) this.#value(cut.value)
      } else if (!this.#begins(chunk[at] as number)) this.#byte(chunk[at++] as number)
    }
  }

  /** Tells `take` what only the end completes. Throws `ERR_TRUNCATED` when the session ended inside a reply. */
  end (take: (reply: Reply) => void): void {
    this.#take = take
    if (this.#reading === 'json') this.#value(this.#framed(() => this.#splitter?.end()) ?? new Uint8Array(0))
    else if (this.#reading === 'content' && this.#position > this.#start) this.#tell('content', undefined, this.#position - this.#start)
    else if (this.#reading === 'id' || this.#reading === 'accepted') throw new WarpdriveError('ERR_TRUNCATED', 'stream ended inside the reply to createOffer')
  }

  /** Whether JSON begins with that byte, which is then read again as part of it. */
  #begins (byte: number): boolean {
    if (this.#reading !== 'reply') return false
    while (this.#asked[0] !== undefined && STARTS[this.#asked[0]]?.includes(byte) === false && !(this.#afterJson && byte === LF)) this.#asked.shift()
    if (this.#asked[0] === undefined || STARTS[this.#asked[0]]?.includes(byte) !== true) return false
    this.#splitter = new JsonSplitter({ maxBytes: this.#limits.maxJsonBytes ?? MAX_JSON_BYTES, maxDepth: MAX_JSON_DEPTH })
    this.#reading = 'json'
    this.#start = this.#position
    return true
  }

  #byte (byte: number): void {
    const stray = this.#reading === 'reply' && this.#afterJson && byte === LF
    this.#afterJson = false
    if (this.#reading === 'reply') this.#start = this.#position
    this.#position++
    if (stray) this.#start = this.#position
    else if (this.#reading === 'reply') this.#answer(byte)
    else if (this.#reading === 'accepted') this.#told('accepted', byte)
    else if (this.#id.push(byte) === this.#idBytes) this.#made()
  }

  #answer (byte: number): void {
    switch (this.#asked[0]) {
      case 'acceptOffer':
      case 'updatePeer':
      case 'settleOffer': return this.#told('done', byte)
      case 'sendOffer': return this.#told('accepted', byte)
      case 'ping':
        this.#tell('echo', byte)
        // Signal 0 is the last one.
        if (byte === 0) this.#asked.shift()
        return
      case 'download':
      case 'downloadRange':
      case 'downloadMany':
        this.#tell('begun', byte)
        this.#reading = 'content'
        return
      case 'createOffer':
        this.#idBytes = byte
        this.#id = []
        if (byte === 0) this.#made()
        else this.#reading = 'id'
        return
      default:
        throw new WarpdriveError('ERR_BAD_VALUE', `0x${byte.toString(16).padStart(2, '0')} answers nothing that was asked`)
    }
  }

  #made (): void {
    this.#tell('id', new TextDecoder().decode(Uint8Array.from(this.#id)))
    this.#reading = 'accepted'
  }

  /** A list is the whole answer; of events there may be more. */
  #value (bytes: Uint8Array): void {
    const listed = !SUBSCRIPTIONS.has(this.#asked[0] as CommandType)
    this.#tell(listed ? 'list' : 'event', parseJson(bytes))
    if (listed) this.#asked.shift()
    this.#splitter = undefined
    this.#reading = 'reply'
    this.#afterJson = true
  }

  /** The answer is complete. */
  #told (as: Reply['as'], value: unknown): void {
    this.#tell(as, value)
    this.#asked.shift()
    this.#reading = 'reply'
  }

  #tell (as: Reply['as'], value: unknown, bytes?: number): void {
    this.#take({ start: this.#start, end: this.#position, reply: this.#asked[0] as CommandType, as, ...bytes === undefined ? { value } : { bytes } })
    this.#start = this.#position
  }

  #framed<T> (work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof FramingError)) throw error
      const code = error.code === 'ERR_TRUNCATED' || error.code === 'ERR_TOO_LARGE' ? error.code : 'ERR_BAD_JSON'
      throw new WarpdriveError(code, `${this.#asked[0]}: ${error.message}`, { cause: error })
    }
  }
}

const LF = 0x0a
const LIST: readonly number[] = [0x5b, 0x6e]
const EVENT: readonly number[] = [0x7b]

/** First bytes of the answers that are JSON: `[` or `null` of a list, `{` of an event. */
const STARTS: Readonly<Partial<Record<CommandType, readonly number[]>>> = { listPeers: LIST, listOffers: LIST, listenOffers: EVENT, listenStatus: EVENT }
const SUBSCRIPTIONS: ReadonlySet<CommandType> = new Set(['listenOffers', 'listenStatus'])
