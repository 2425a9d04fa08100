/**
 * The server's side of the profile `readme`, on one connection.
 *
 * Blocks are gathered while more of them are at hand, and stored together; answers come in the order of the requests.
 *
 * @module
 */
import { isDigest, isUuid } from './chunk-id-codec.ts'
import { MAX_OPEN_TRANSFERS, MAX_WINDOW, Reason } from './constants.ts'
import { sha256Hex } from './digest.ts'
import { IpcUploadError } from './errors.ts'
import type { OpenTransfer, UploadNode } from './node.ts'
import type { RawBlock, TakenBlock } from './block-codec.ts'
import { decodeReadme, encodeReadme, type Authentication, type Encoded, type Response, type Transfer } from './readme-codec.ts'
import { ServerState } from './server-state.ts'
import type { BlockPlace } from './transfer-state.ts'

/** Ranges of `missing` in one answer: they fit one message; a client that asks again is told the rest. */
const MAX_RANGES = 1024

interface Waiting {
  readonly message: Pick<Transfer, 'messageId' | 'data'>
  /** Where it came without JSON, and is answered so. */
  readonly sequence?: number | undefined
  readonly transfer: OpenTransfer
  readonly place: BlockPlace
}

type Place = Pick<Waiting, 'transfer' | 'place'>

export class ReadmeSession {
  readonly #node: UploadNode
  readonly #state: ServerState
  readonly #open = new Map<string, OpenTransfer>()
  #last: OpenTransfer | undefined
  #waiting: Waiting[] = []
  /** Agreed on with the client. */
  #rawBlocks = false

  constructor (node: UploadNode) {
    this.#node = node
    this.#state = new ServerState(node.maxTokenTries)
  }

  get over (): boolean {
    return this.#state.over
  }

  /** Answers as far as they are known; those to blocks that were gathered come with `flush`. */
  async receive (userType: number, payload: Uint8Array): Promise<Encoded[]> {
    let message
    try {
      message = decodeReadme(userType, payload, this.#node.hashes.base64)
      if (message.type === 'Response') throw new IpcUploadError('ERR_MALFORMED', 'transfer', 'a response to a server', { messageId: message.messageId })
      if (message.type === 'Taken' || (message.type === 'Block' && !this.#rawBlocks)) throw new IpcUploadError('ERR_UNKNOWN_TYPE', 'transfer', `user type ${userType} without an agreement`)
    } catch (error) {
      return [...await this.flush(), this.#unreadable(error as IpcUploadError)]
    }
    if (message.type === 'Authentication') return [...await this.flush(), encodeReadme(await this.#authenticate(message))]

    const [found, own] = message.type === 'Block'
      ? [this.#numbered(message), { message: { messageId: String(message.sequence), data: message.data }, sequence: message.sequence }] as const
      : [this.#place(message), { message }] as const
    if (typeof found === 'string') return [...await this.flush(), refused(own.message.messageId, found)]
    this.#waiting.push({ ...own, ...found })
    return this.#waiting.length >= MAX_WINDOW ? await this.flush() : []
  }

  /** Stores what was gathered, and answers it. */
  async flush (): Promise<Encoded[]> {
    const waiting = this.#waiting
    if (waiting.length === 0) return []
    this.#waiting = []
    const answers = new Map<Waiting, Response>()
    for (const transfer of this.#open.values()) {
      const own = this.#open.size === 1 ? waiting : waiting.filter(entry => entry.transfer === transfer)
      if (own.length > 0) await this.#node.exclusively(transfer, async () => { await this.#store(transfer, own, answers) })
    }
    return answered(waiting, answers)
  }

  async close (): Promise<void> {
    for (const transfer of this.#open.values()) await this.#node.release(transfer)
    this.#open.clear()
  }

  #unreadable ({ code, messageId = '' }: IpcUploadError): Encoded {
    if (code === 'ERR_BAD_DATA') return refused(messageId, Reason.BadData)
    this.#state.malformed()
    return refused(messageId, code === 'ERR_UNKNOWN_TYPE' ? Reason.UnknownType : Reason.Malformed)
  }

  async #authenticate (message: Authentication): Promise<Response> {
    const { messageId, token } = message
    const no = (reason: Reason): Response => ({ type: 'Response', messageId, response: 'Error', reason })
    try {
      const reason = this.#state.authenticated(await this.#node.verifyToken(token))
      if (reason !== undefined) return no(reason)
    } catch (error) {
      this.#state.tokenRefused()
      return no((error as IpcUploadError).code === 'ERR_TOKEN_EXPIRED' ? Reason.TokenExpired : Reason.InvalidToken)
    }
    try {
      const answer = await this.#openTransfer(message)
      return typeof answer === 'string' ? no(answer) : answer
    } catch {
      return no(Reason.Storage)
    }
  }

  async #openTransfer (message: Authentication): Promise<Response | Reason> {
    const node = this.#node
    const blockBytes = node.blockFor(message.blockSize)
    const refusal = node.refusal(message.files, message.tags, blockBytes)
    if (refusal !== undefined) return refusal
    const fid = (message.fid ?? globalThis.crypto.randomUUID()).toLowerCase()
    if (!isUuid(fid) || !message.files.every(({ digest }) => digest === undefined || isDigest(digest))) return Reason.Malformed

    let transfer = this.#open.get(fid)
    if (transfer === undefined) {
      if (this.#open.size >= MAX_OPEN_TRANSFERS) return Reason.Quota
      const files = message.files.map(({ name, size, digest }) => ({ name, size: Number(size), ...(digest === undefined ? {} : { digest }) }))
      const plan = { id: fid, owner: this.#state.uid as number, blockBytes, files, tags: message.tags, createdAt: node.clock.now() }
      transfer = (await node.open(plan)).transfer
      this.#open.set(fid, transfer)
    }
    const { plan } = transfer.state
    const reason = plan.owner !== this.#state.uid ? Reason.NotYours : fits(plan, message) ? undefined : Reason.FidConflict
    if (reason !== undefined) {
      this.#open.delete(fid)
      await node.release(transfer)
      return reason
    }
    this.#last = transfer
    this.#rawBlocks = message.rawBlocks === true
    return {
      type: 'Response',
      messageId: message.messageId,
      response: 'Ok',
      ...(message.fid === undefined ? { fid } : {}),
      missing: transfer.state.missing(MAX_RANGES),
      ...(message.blockSize === undefined ? {} : { blockSize: plan.blockBytes }),
      ...(message.window === undefined ? {} : { window: Math.max(1, Math.min(message.window, node.window)) }),
      ...(message.rawBlocks === true ? { rawBlocks: true } : {}),
      ...(transfer.state.complete ? { complete: true } : {})
    }
  }

  /** A block that says itself which it is. */
  #numbered ({ file, index, data }: RawBlock): Place | Reason {
    const refusal = this.#state.refusal(this.#node.clock.now())
    const transfer = this.#last
    const place = transfer?.state.at(file, index)
    if (refusal !== undefined) return refusal
    if (transfer === undefined || place === undefined) return Reason.UnknownChunk
    return data.length === transfer.state.length(place) ? { transfer, place } : Reason.BadLength
  }

  /** Which block it is, or why it is none. */
  #place ({ chunk, data }: Transfer): Place | Reason {
    const refusal = this.#state.refusal(this.#node.clock.now())
    if (refusal !== undefined) return refusal
    if (this.#last === undefined) return Reason.UnknownChunk
    let transfer = this.#last
    let place = transfer.state.find(chunk)
    for (const other of this.#open.values()) {
      if (place !== undefined) break
      transfer = other
      place = other.state.find(chunk)
    }
    if (place === undefined && !this.#node.strict) {
      transfer = this.#last
      place = transfer.state.assign(chunk)
    }
    if (place === undefined) return Reason.UnknownChunk
    return data.length === transfer.state.length(place) ? { transfer, place } : Reason.BadLength
  }

  async #store (transfer: OpenTransfer, waiting: readonly Waiting[], answers: Map<Waiting, Response>): Promise<void> {
    const fresh = new Map<number, Waiting>()
    for (const entry of waiting) {
      const { message: { data, messageId }, place } = entry
      let reason: Reason | undefined
      const first = fresh.get(place.number)
      if (first !== undefined) reason = same(first.message.data, data) ? undefined : Reason.ChunkConflict
      else if (transfer.state.has(place.number)) reason = await this.#differs(transfer, entry)
      else fresh.set(place.number, entry)
      answers.set(entry, { type: 'Response', messageId, response: reason === undefined ? 'Ok' : 'Error', ...(reason === undefined ? { digest: sha256Hex(this.#node.hashes, data) } : { reason }) })
    }

    let wrong: ReadonlySet<number> = new Set()
    let failed = false
    if (fresh.size > 0) {
      try {
        wrong = await this.#node.keep(transfer, Array.from(fresh.values(), ({ place: { number, file, index }, message }) => ({ number, file, index, bytes: message.data })))
      } catch {
        failed = true
      }
    }
    for (const entry of waiting) {
      const answer = answers.get(entry) as Response
      if (answer.response !== 'Ok') continue
      const { messageId } = answer
      if (failed && fresh.has(entry.place.number)) answers.set(entry, { type: 'Response', messageId, response: 'Error', reason: Reason.Storage })
      else if (wrong.has(entry.place.file)) answers.set(entry, { type: 'Response', messageId, response: 'Error', reason: Reason.DigestMismatch })
    }
    const last = waiting.at(-1)
    const answer = last === undefined ? undefined : answers.get(last)
    if (last !== undefined && answer?.response === 'Ok' && transfer.state.complete) answers.set(last, { ...answer, complete: true })
  }

  async #differs (transfer: OpenTransfer, { message, place }: Waiting): Promise<Reason | undefined> {
    try {
      return same(await this.#node.store.read(transfer.state.plan, place.file, place.index), message.data) ? undefined : Reason.ChunkConflict
    } catch {
      return Reason.Storage
    }
  }
}

/** In the order of the requests. What came without JSON and is Ok is answered together, unless there is more to say. */
function answered (waiting: readonly Waiting[], answers: ReadonlyMap<Waiting, Response>): Encoded[] {
  const encoded: Encoded[] = []
  let taken: TakenBlock[] = []
  const flush = (): void => {
    if (taken.length > 0) encoded.push(encodeReadme({ type: 'Taken', blocks: taken }))
    taken = []
  }
  for (const entry of waiting) {
    const answer = answers.get(entry) as Response
    if (entry.sequence !== undefined && answer.digest !== undefined && answer.complete !== true) {
      taken.push({ sequence: entry.sequence, digest: answer.digest })
    } else {
      flush()
      encoded.push(encodeReadme(answer))
    }
  }
  flush()
  return encoded
}

/** Whether a transfer is the one that the message speaks of. */
function fits (plan: OpenTransfer['state']['plan'], { files, blockSize }: Authentication): boolean {
  if (plan.files.length !== files.length || !plan.files.every(({ name, size, digest }, index) => {
    const file = files[index]
    return name === file?.name && BigInt(size) === file.size && digest === file.digest
  })) return false
  // Who cannot do the block size that the transfer was begun with cannot go on with it.
  return plan.blockBytes <= (blockSize ?? 1000) && (blockSize !== undefined || plan.blockBytes === 1000)
}

function refused (messageId: string, reason: Reason): Encoded {
  return encodeReadme({ type: 'Response', messageId, response: 'Error', reason })
}

function same (left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}
