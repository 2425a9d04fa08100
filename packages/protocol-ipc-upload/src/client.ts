/**
 * Uploads in the profile `readme`.
 *
 * @module
 */
import type { AbortOptions, Channel } from '@ropewalk/interface'
import { chunkId } from './chunk-id-codec.ts'
import { ClientState, refusal, verify, type SentBlock, type Wanted } from './client-state.ts'
import { systemClock } from './clock.ts'
import { ANSWER_TIMEOUT_MS, MAX_BLOCK_BYTES, MAX_RETRIES, MAX_WINDOW, ReadmeType } from './constants.ts'
import { Conversation } from './conversation.ts'
import { sha256Hex } from './digest.ts'
import { IpcUploadError } from './errors.ts'
import type { Frame, Framing } from './frame-codec.ts'
import type { Clock, Hashes } from './ports.ts'
import { decodeReadme, encodeReadme, type DataEncoding, type Response } from './readme-codec.ts'

/** A file to be sent, read by position: what is missing may be anywhere. */
export interface UploadFile {
  readonly name: string
  readonly size: number
  /** SHA-256 of the content, in hex: the server checks it when everything is there. */
  readonly digest?: string | undefined
  /** Exactly `length` bytes from `position`, several blocks at once where they follow each other. They are sent as they are: not to be changed afterwards. */
  read (position: number, length: number): Uint8Array | Promise<Uint8Array>
}

/** What clients of both profiles are told. */
export interface ClientOptions extends AbortOptions {
  readonly token: string
  readonly hashes: Hashes
  readonly clock?: Clock | undefined
  /** Default `stream6`; `seqpacket` over channels that keep packets apart. */
  readonly framing?: Framing | undefined
  /** How long an answer may take. Default 10 s. */
  readonly answerMs?: number | undefined
  readonly tags?: readonly string[] | undefined
}

export interface UploadOptions extends ClientOptions {
  /** The transfer, a UUID. Give the same one again to go on where it broke off. */
  readonly fid?: string | undefined
  /** Largest block to agree on. Default 16,384; the server must agree, else it is 1000. */
  readonly blockBytes?: number | undefined
  /** Blocks under way to agree on. Default 64; the server must agree, else it is 1. */
  readonly window?: number | undefined
  readonly dataEncoding?: DataEncoding | undefined
  /** Send blocks as they are, without JSON, where the server agrees. Default true, unless `dataEncoding` says something. */
  readonly rawBlocks?: boolean | undefined
  /** Told what was agreed on, and how many bytes the server misses: `upload` sends those. */
  readonly onOffer?: ((offer: { readonly missingBytes: number, readonly blockBytes: number, readonly window: number }) => void) | undefined
  /** Told of every block that is acknowledged. */
  readonly onBlock?: ((block: { readonly file: number, readonly index: number, readonly bytes: number }) => void) | undefined
}

export interface UploadResult {
  readonly fid: string
  /** Blocks that this call sent and the server acknowledged. */
  readonly blocks: number
  readonly blockBytes: number
  readonly window: number
  /** Whether the server said that everything is there: ours do, others may not. */
  readonly complete: boolean
}

/** Sends what the server misses of `files`. Resolves once all of it is acknowledged. */
export async function upload (channel: Channel, files: readonly UploadFile[], options: UploadOptions): Promise<UploadResult> {
  options.signal?.throwIfAborted()
  const { clock = systemClock, framing = 'stream6', signal } = options
  const fid = (options.fid ?? globalThis.crypto.randomUUID()).toLowerCase()
  const conversation = new Conversation(channel, { framing, clock, signal })
  try {
    const result = await new Uploading(conversation, files, fid, options).run()
    await conversation.close()
    return result
  } catch (error) {
    conversation.abort(error as Error)
    throw error
  }
}

class Uploading {
  readonly #conversation: Conversation
  readonly #files: readonly UploadFile[]
  readonly #fid: string
  readonly #options: UploadOptions
  readonly #state: ClientState
  readonly #able: { readonly blockBytes: number, readonly window: number, readonly rawBlocks: boolean }
  readonly #answerMs: number
  #sequence = 0
  /** Acknowledged, and not compared yet with what was sent. At most a window. */
  #unverified: Array<{ readonly block: SentBlock, readonly digest: string | undefined }> = []

  constructor (conversation: Conversation, files: readonly UploadFile[], fid: string, options: UploadOptions) {
    this.#conversation = conversation
    this.#files = files
    this.#fid = fid
    this.#options = options
    this.#state = new ClientState(files.map(({ size }) => size))
    this.#able = { blockBytes: options.blockBytes ?? MAX_BLOCK_BYTES, window: options.window ?? MAX_WINDOW, rawBlocks: options.rawBlocks ?? options.dataEncoding === undefined }
    this.#answerMs = options.answerMs ?? ANSWER_TIMEOUT_MS
  }

  async run (): Promise<UploadResult> {
    const state = this.#state
    // A server may name its gaps in several lots.
    for (;;) {
      const before = state.acknowledged
      const named = await this.#authenticate()
      if (before === 0) this.#options.onOffer?.({ missingBytes: state.missingBytes, blockBytes: state.blockBytes, window: state.window })
      await this.#transfer()
      if (state.complete || !named || state.acknowledged === before) break
    }
    return { fid: this.#fid, blocks: state.acknowledged, blockBytes: state.blockBytes, window: state.window, complete: state.complete }
  }

  async #authenticate (): Promise<boolean> {
    const messageId = globalThis.crypto.randomUUID()
    const { token, tags = [] } = this.#options
    const files = this.#files.map(({ name, size, digest }) => ({ name, size: BigInt(size), digest }))
    this.#conversation.send(encodeReadme({ type: 'Authentication', messageId, token, files, fid: this.#fid, tags, blockSize: this.#able.blockBytes, window: this.#able.window, ...(this.#able.rawBlocks ? { rawBlocks: true } : {}) }))
    for (let stray = 0; stray < MAX_RETRIES; stray++) {
      const frame = await this.#conversation.receive(this.#answerMs)
      if (frame === undefined) throw new IpcUploadError('ERR_TIMEOUT', 'connection', `no answer to AUTHENTICATION in ${this.#answerMs} ms`)
      const response = responseOf(frame)
      if (response.messageId !== messageId) continue
      if (response.response === 'Error') throw refusal(response, 'connection')
      this.#state.offered(response, this.#able)
      return response.missing !== undefined
    }
    throw new IpcUploadError('ERR_STRAY_RESPONSE', 'connection', `${MAX_RETRIES} responses to nothing that was asked`)
  }

  async #transfer (): Promise<void> {
    const state = this.#state
    while (!state.idle) {
      for (let wanted = state.next(); wanted !== undefined; wanted = state.next()) {
        const { file, index, count, tries } = wanted
        const reading = this.#read(wanted)
        // Hashing is for the time that others need: the disk here, and below the server.
        if (reading instanceof Promise) this.#verify()
        const bytes = whole(await reading, this.#bytesOf(wanted))
        for (let at = 0; at < count; at++) {
          const from = at * state.blockBytes
          this.#send({ file, index: index + at, tries }, bytes.subarray(from, from + state.blockBytes))
        }
      }
      if (this.#unverified.length > 0) {
        await this.#conversation.written()
        this.#verify()
        if (state.idle) break
      }
      const frame = await this.#conversation.receive(this.#answerMs)
      if (frame === undefined) {
        state.expire(this.#answerMs)
        continue
      }
      for (const response of responsesOf(frame)) {
        const block = state.receive(response)
        if (block !== undefined) this.#unverified.push({ block, digest: response.digest })
      }
    }
    this.#verify()
  }

  #verify (): void {
    const unverified = this.#unverified
    this.#unverified = []
    for (const { block, digest } of unverified) {
      verify(block, digest)
      this.#options.onBlock?.({ file: block.file, index: block.index, bytes: this.#length(block.file, block.index) })
    }
  }

  #send (block: { readonly file: number, readonly index: number, readonly tries: number }, data: Uint8Array): void {
    const { hashes, dataEncoding } = this.#options
    const { file, index } = block
    const sent = new LazyBlock(block, data, hashes)
    if (this.#state.rawBlocks) {
      const sequence = this.#sequence++ >>> 0
      this.#state.sent(String(sequence), sent)
      this.#conversation.send(encodeReadme({ type: 'Block', sequence, file, index, data }))
    } else {
      const messageId = globalThis.crypto.randomUUID()
      this.#state.sent(messageId, sent)
      this.#conversation.send(encodeReadme({ type: 'Transfer', messageId, chunk: chunkId(this.#fid, file, index, hashes.sha1), data }, dataEncoding, hashes.base64))
    }
  }

  #read (wanted: Wanted): Uint8Array | Promise<Uint8Array> {
    return (this.#files[wanted.file] as UploadFile).read(wanted.index * this.#state.blockBytes, this.#bytesOf(wanted))
  }

  #bytesOf ({ file, index, count }: Wanted): number {
    return (count - 1) * this.#state.blockBytes + this.#length(file, index + count - 1)
  }

  #length (file: number, index: number): number {
    return Math.min(this.#state.blockBytes, (this.#files[file] as UploadFile).size - index * this.#state.blockBytes)
  }
}

/** A block whose digest nobody needs before it is acknowledged. */
class LazyBlock implements SentBlock {
  readonly file: number
  readonly index: number
  readonly tries: number
  readonly #data: Uint8Array
  readonly #hashes: Hashes

  constructor ({ file, index, tries }: Omit<SentBlock, 'digest'>, data: Uint8Array, hashes: Hashes) {
    this.file = file
    this.index = index
    this.tries = tries
    this.#data = data
    this.#hashes = hashes
  }

  get digest (): string {
    return sha256Hex(this.#hashes, this.#data)
  }
}

function whole (data: Uint8Array, length: number): Uint8Array {
  if (data.length !== length) throw new IpcUploadError('ERR_STORE', 'transfer', `a file that changed: ${data.length} instead of ${length} bytes`, { remote: false })
  return data
}

/** Every block that was taken is an Ok of its own. */
function responsesOf (frame: Frame): readonly Response[] {
  if (frame.userType !== ReadmeType.Taken) return [responseOf(frame)]
  const message = decodeReadme(frame.userType, frame.payload)
  if (message.type !== 'Taken') return []
  return message.blocks.map(({ sequence, digest }) => ({ type: 'Response', messageId: String(sequence), response: 'Ok', digest }))
}

function responseOf ({ userType, payload }: Frame): Response {
  const message = decodeReadme(userType, payload)
  if (message.type !== 'Response') throw new IpcUploadError('ERR_MALFORMED', 'connection', `a server that asks: ${message.type}`)
  return message
}
