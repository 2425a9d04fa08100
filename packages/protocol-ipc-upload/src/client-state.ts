/**
 * What a client has sent, and what became of it. Pure: ids and times are given.
 *
 *      blocks offered = waiting + under way + acknowledged
 *
 * @module
 */
import { BLOCK_BYTES, MAX_BLOCK_BYTES, MAX_RETRIES, MAX_STRAY_RESPONSES, MAX_WINDOW, MIN_BLOCK_BYTES, Reason } from './constants.ts'
import { IpcUploadError } from './errors.ts'
import type { MissingRange, Response } from './readme-codec.ts'

export interface SentBlock {
  readonly file: number
  readonly index: number
  /** SHA-256 of what was sent, in hex. It may be computed when it is first asked for. */
  readonly digest: string
  readonly tries: number
}

/** Blocks that follow each other. */
export interface Wanted {
  readonly file: number
  readonly index: number
  readonly count: number
  readonly tries: number
}

const PASSING: ReadonlySet<string> = new Set([Reason.Storage, Reason.Unexpected])
const WORDS: ReadonlySet<string> = new Set(Object.values(Reason))

export class ClientState {
  readonly #sizes: readonly number[]
  readonly #ranges: MissingRange[] = []
  readonly #again: Array<Omit<Wanted, 'count'>> = []
  /** In the order of sending. */
  readonly #underWay = new Map<string, SentBlock>()
  /** Ids of messages that were sent again: their answers may still come, late. */
  readonly #superseded = new Set<string>()
  #blockBytes = BLOCK_BYTES
  #window = 1
  #stray = 0
  #acknowledged = 0
  #complete = false
  #rawBlocks = false

  constructor (sizes: readonly number[]) {
    this.#sizes = sizes
  }

  get blockBytes (): number { return this.#blockBytes }
  get window (): number { return this.#window }
  get underWay (): number { return this.#underWay.size }
  get acknowledged (): number { return this.#acknowledged }
  /** Blocks go as they are, without JSON. */
  get rawBlocks (): boolean { return this.#rawBlocks }
  /** Of the blocks that wait to be sent for the first time. */
  get missingBytes (): number {
    return this.#ranges.reduce((bytes, [file, first, last]) => {
      return bytes + Math.min((last + 1) * this.#blockBytes, this.#sizes[file] as number) - first * this.#blockBytes
    }, 0)
  }

  /** The server said that nothing is missing. */
  get complete (): boolean { return this.#complete }
  /** Nothing waits and nothing is under way. */
  get idle (): boolean { return this.#underWay.size === 0 && this.#again.length === 0 && this.#ranges.length === 0 }

  /** The Ok of AUTHENTICATION: how to send, and what. `able` is what we said we can do. */
  offered ({ blockSize, window, rawBlocks, missing, complete }: Response, able: { readonly blockBytes: number, readonly window: number, readonly rawBlocks: boolean }): void {
    this.#blockBytes = blockSize ?? BLOCK_BYTES
    if (this.#blockBytes < MIN_BLOCK_BYTES || this.#blockBytes > Math.min(MAX_BLOCK_BYTES, Math.max(able.blockBytes, BLOCK_BYTES))) {
      throw new IpcUploadError('ERR_BAD_OFFER', 'connection', `blocks of ${this.#blockBytes} bytes, not ${MIN_BLOCK_BYTES} to ${able.blockBytes}`)
    }
    this.#window = Math.max(1, Math.min(window ?? 1, able.window, MAX_WINDOW))
    this.#rawBlocks = able.rawBlocks && rawBlocks === true
    this.#complete = complete ?? false
    this.#ranges.length = 0
    const counts = this.#sizes.map(size => Math.ceil(size / this.#blockBytes))
    for (const range of missing ?? everything(counts)) {
      const [file, first, last] = range
      const before = this.#ranges.at(-1)
      if (last >= (counts[file] ?? 0)) throw new IpcUploadError('ERR_BAD_OFFER', 'connection', `there is no block ${file}/${last}`)
      if (before !== undefined && (file < before[0] || (file === before[0] && first <= before[2]))) {
        throw new IpcUploadError('ERR_BAD_OFFER', 'connection', `block ${file}/${first} is named twice, or out of order`)
      }
      this.#ranges.push(range)
    }
    this.#ranges.reverse()
  }

  /** The next blocks to send, as many as the window has room for. */
  next (): Wanted | undefined {
    const room = this.#window - this.#underWay.size
    if (room <= 0) return undefined
    const again = this.#again.shift()
    if (again !== undefined) return { ...again, count: 1 }
    const range = this.#ranges.pop()
    if (range === undefined) return undefined
    const [file, first, last] = range
    const count = Math.min(room, last - first + 1)
    if (first + count <= last) this.#ranges.push([file, first + count, last])
    return { file, index: first, count, tries: 0 }
  }

  sent (messageId: string, block: SentBlock): void {
    this.#underWay.set(messageId, block)
  }

  /** The block that is acknowledged; `undefined` when nothing is. Whether the digest is the block's, `verify` says. */
  receive (response: Response): SentBlock | undefined {
    const block = this.#underWay.get(response.messageId)
    if (block === undefined) {
      if (!this.#superseded.delete(response.messageId) && ++this.#stray >= MAX_STRAY_RESPONSES) {
        throw new IpcUploadError('ERR_STRAY_RESPONSE', 'connection', `${this.#stray} responses to nothing that is under way`)
      }
      return undefined
    }
    this.#underWay.delete(response.messageId)
    if (response.response === 'Error') {
      if (!PASSING.has(response.reason ?? '') || block.tries >= MAX_RETRIES) throw refusal(response)
      this.#again.push({ file: block.file, index: block.index, tries: block.tries + 1 })
      return undefined
    }
    this.#acknowledged++
    if (response.complete === true) this.#complete = true
    return block
  }

  /** No answer came in time: what is under way goes again, under new ids. */
  expire (ms: number): void {
    for (const [messageId, { file, index, tries }] of this.#underWay) {
      if (tries >= MAX_RETRIES) throw new IpcUploadError('ERR_TIMEOUT', 'connection', `no answer in ${ms} ms, ${tries + 1} times`)
      this.#superseded.add(messageId)
      this.#again.push({ file, index, tries: tries + 1 })
    }
    this.#underWay.clear()
  }
}

/** Throws where the peer has stored other bytes than were sent. */
export function verify (block: SentBlock, digest: string | undefined): void {
  if (digest === undefined || digest === block.digest) return
  throw new IpcUploadError('ERR_DIGEST', 'transfer', `the peer stored other bytes than were sent for block ${block.file}/${block.index}`)
}

/** What the peer said, as an error: in its words only where they are those of the specification, for it may repeat our token. */
export function refusal ({ reason = '' }: Pick<Response, 'reason'>, scope: 'transfer' | 'connection' = 'transfer'): IpcUploadError {
  const known = WORDS.has(reason)
  const code = reason === Reason.TokenExpired ? 'ERR_TOKEN_EXPIRED' : reason === Reason.InvalidToken ? 'ERR_TOKEN' : 'ERR_REFUSED'
  return new IpcUploadError(code, scope, `the peer refused: ${known ? reason : 'in words of its own'}`, known ? { reason } : {})
}

function everything (counts: readonly number[]): MissingRange[] {
  return counts.flatMap((count, file): MissingRange[] => count === 0 ? [] : [[file, 0, count - 1]])
}
