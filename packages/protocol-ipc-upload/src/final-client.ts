/**
 * Uploads and downloads in the profile `final`, as the original takes them: in order, one request at a time.
 *
 * @module
 */
import { toHex } from '@ropewalk/framing'
import type { Channel } from '@ropewalk/interface'
import { decodeBase64, encodeBase64 } from './base64-codec.ts'
import { isDigest } from './chunk-id-codec.ts'
import type { ClientOptions, UploadFile } from './client.ts'
import { refusal } from './client-state.ts'
import { systemClock } from './clock.ts'
import { ANSWER_TIMEOUT_MS, BASE64_LINE, BLOCK_BYTES, FinalError, MAX_FILE_BYTES, MAX_RANGE_BYTES, MAX_RETRIES, RANGES_AHEAD } from './constants.ts'
import { Conversation } from './conversation.ts'
import { IpcUploadError } from './errors.ts'
import { decodeFinal, encodeFinal, type Failure, type FileInfo, type FinalAnswer, type FinalRequest, type PutChunkOk } from './final-codec.ts'

export interface FinalOptions extends ClientOptions {
  /** Makes the ids of messages. Default: random UUIDs. */
  readonly messageId?: (() => string) | undefined
  /** Asks the server for the digest of what it stored in every answer; the original ignores it. Default true. */
  readonly ackDigest?: boolean | undefined
  /** Told of every block that the server has, of the file with that place among `files`. */
  readonly onBlock?: ((block: { readonly file: number, readonly index: number, readonly bytes: number }) => void) | undefined
}

export interface FinalDownloadOptions extends FinalOptions {
  /** Fetches a window of blocks at a time, without JSON, where the server agrees; the original ignores the question. Default true. */
  readonly ranges?: boolean | undefined
  /** Largest file to be taken. Default 10,000,000 bytes. */
  readonly maxFileBytes?: number | undefined
  /** Told of the file before its first block comes. */
  readonly onFound?: ((file: FileInfo) => void | Promise<void>) | undefined
}

export interface FinalUploadResult {
  /** Blocks that were sent and stored. */
  readonly blocks: number
  /** True when the server had all of it before. */
  readonly present: boolean
}

/** A file whose name is its digest. */
export type DigestFile = UploadFile & { readonly digest: string }

/** Sends `files`, each from where the server says it has a gap. */
export async function uploadFinal (channel: Channel, files: readonly DigestFile[], options: FinalOptions): Promise<FinalUploadResult[]> {
  for (const { digest } of files) if (!isDigest(digest)) throw new TypeError('a file without its SHA-256 in lower-case hex')
  return await converse(channel, options, false, async dialogue => {
    const results: FinalUploadResult[] = []
    for (const [at, file] of files.entries()) results.push(await sendFile(dialogue, file, at, options))
    return results
  })
}

/** What the server says of a file, and its content, block by block, written where `write` is told to; rejects at the end when the digest is not the file's. */
export async function downloadFinal (
  channel: Channel, wanted: { readonly digest?: string, readonly name?: string, readonly tags?: readonly string[] },
  write: (bytes: Uint8Array, position: number) => void | Promise<void>, options: FinalDownloadOptions
): Promise<FileInfo> {
  return await converse(channel, options, options.ranges ?? true, async dialogue => {
    const found = await dialogue.ask({ type: 'Download', mid: '', ...wanted })
    if (found.type !== 'DownloadOk') throw failed(found)
    const { file } = found
    const most = options.maxFileBytes ?? MAX_FILE_BYTES
    if (file.size > BigInt(most)) throw new IpcUploadError('ERR_TOO_LARGE', 'transfer', `file too large: ${file.size} > ${most} bytes`)
    if (!isDigest(file.digest) || (wanted.digest !== undefined && file.digest !== wanted.digest)) throw new IpcUploadError('ERR_MALFORMED', 'transfer', 'another file than was asked for')
    await options.onFound?.(file)

    const hash = options.hashes.running()
    if (dialogue.ranges) await fetchRanges(dialogue, file, async (bytes, position) => {
      hash.update(bytes)
      await write(bytes, position)
    })
    else for (let n = 0; n * BLOCK_BYTES < Number(file.size); n++) {
      const answer = await dialogue.ask({ type: 'GetChunk', mid: '', digest: file.digest, n })
      if (answer.type !== 'GetChunkOk') throw failed(answer)
      if (answer.chunk.n !== n) throw new IpcUploadError('ERR_STRAY_RESPONSE', 'connection', `block ${answer.chunk.n} instead of ${n}`)
      const bytes = decodeBase64(answer.data)
      const length = Math.min(BLOCK_BYTES, Number(file.size) - n * BLOCK_BYTES)
      if (bytes.length !== length) throw new IpcUploadError('ERR_BAD_LENGTH', 'transfer', `block of ${bytes.length} instead of ${length} bytes`)
      hash.update(bytes)
      await write(bytes, n * BLOCK_BYTES)
    }
    if (toHex(await hash.digest()) !== file.digest) throw new IpcUploadError('ERR_DIGEST', 'transfer', 'the content is not the file\'s')
    return file
  })
}

/** A window of blocks at a time, and the next asked for before one is there. */
async function fetchRanges (dialogue: Dialogue, file: FileInfo, take: (bytes: Uint8Array, position: number) => Promise<void>): Promise<void> {
  const size = Number(file.size)
  let asked = 0
  const askFor = (): void => {
    const length = Math.min(MAX_RANGE_BYTES, size - asked)
    if (length > 0) dialogue.send({ type: 'GetRange', mid: '', digest: file.digest, position: asked, length })
    asked += length
  }
  for (let ahead = 0; ahead < RANGES_AHEAD; ahead++) askFor()
  for (let position = 0; position < size;) {
    const answer = await dialogue.next('GetRange')
    if (answer.type !== 'Piece') throw failed(answer)
    if (answer.data.length === 0 || position + answer.data.length > size) throw new IpcUploadError('ERR_BAD_LENGTH', 'transfer', `a piece of ${answer.data.length} bytes, where ${size - position} are left`)
    const before = position
    position += answer.data.length
    await take(answer.data, before)
    if (Math.floor(before / MAX_RANGE_BYTES) < Math.floor(position / MAX_RANGE_BYTES)) askFor()
  }
}

async function sendFile (dialogue: Dialogue, file: DigestFile, at: number, { hashes, tags = [], onBlock }: FinalOptions): Promise<FinalUploadResult> {
  const { name, size, digest } = file
  const count = Math.ceil(size / BLOCK_BYTES)
  const answer = await dialogue.ask({ type: 'Upload', mid: '', file: { name, size: BigInt(size), chunks: BigInt(count), digest, tags } })
  if (answer.type === 'Failure' && answer.code === FinalError.FileComplete) return { blocks: 0, present: true }
  let n = 0
  if (answer.type === 'Failure' && answer.code === FinalError.FilePresent) n = answer.nextChunk ?? 0
  else if (answer.type !== 'UploadOk') throw failed(answer)
  if (n < 0) throw new IpcUploadError('ERR_BAD_OFFER', 'connection', `there is no block ${n}`)

  let blocks = 0
  let tries = 0
  while (n < count) {
    const bytes = await file.read(n * BLOCK_BYTES, Math.min(BLOCK_BYTES, size - n * BLOCK_BYTES))
    const data = encodeBase64(bytes, BASE64_LINE)
    const chunk = { n, on: count - 1, digest: toHex(hashes.sha256(new TextEncoder().encode(data))) }
    const put = await dialogue.ask({ type: 'PutChunk', mid: '', digest, chunk, data })
    if (put.type === 'PutChunkOk') {
      checkAck(put, n, digest, toHex(hashes.sha256(bytes)))
      blocks++
    } else if (put.type === 'Failure' && put.code === FinalError.FileComplete) {
      return { blocks, present: false }
    } else if (!(put.type === 'Failure' && put.code === FinalError.ChunkPresent)) {
      // The original writes in the order of arrival: the same block again, before any other.
      if (put.type === 'Failure' && put.reason === 'unexpected error' && ++tries <= MAX_RETRIES) continue
      throw failed(put)
    }
    tries = 0
    onBlock?.({ file: at, index: n, bytes: bytes.length })
    n++
  }
  return { blocks, present: false }
}

function checkAck ({ n: said, digest: file, stored }: PutChunkOk, n: number, digest: string, sent: string): void {
  if (said !== n || file !== digest) throw new IpcUploadError('ERR_STRAY_RESPONSE', 'connection', `an answer for block ${said} instead of ${n}`)
  if (stored !== undefined && stored !== sent) throw new IpcUploadError('ERR_DIGEST', 'transfer', `the peer stored other bytes than were sent for block ${n}`)
}

function failed (answer: FinalAnswer): IpcUploadError {
  if (answer.type !== 'Failure') return new IpcUploadError('ERR_STRAY_RESPONSE', 'connection', `${answer.type} answers another question`)
  const { code, reason } = answer as Failure
  if (code === FinalError.NoFile || reason.startsWith('Unknown file digest') || reason.startsWith('File not found')) {
    return new IpcUploadError('ERR_NOT_FOUND', 'transfer', 'the peer has no such file')
  }
  return refusal({ reason })
}

async function converse<T> (channel: Channel, options: FinalOptions, ranges: boolean, talk: (dialogue: Dialogue) => Promise<T>): Promise<T> {
  options.signal?.throwIfAborted()
  const { clock = systemClock, framing = 'stream6', signal } = options
  const conversation = new Conversation(channel, { framing, clock, signal })
  try {
    const dialogue = new Dialogue(conversation, options)
    await dialogue.login(ranges)
    const result = await talk(dialogue)
    await conversation.close()
    return result
  } catch (error) {
    conversation.abort(error as Error)
    throw error
  }
}

/** One request at a time. Answers are matched by their order: the original's errors do not carry the id of the request. */
class Dialogue {
  /** Agreed on with the server. */
  ranges = false
  readonly #conversation: Conversation
  readonly #options: FinalOptions
  readonly #answerMs: number

  constructor (conversation: Conversation, options: FinalOptions) {
    this.#conversation = conversation
    this.#options = options
    this.#answerMs = options.answerMs ?? ANSWER_TIMEOUT_MS
  }

  async login (ranges: boolean): Promise<void> {
    const { token, ackDigest = true } = this.#options
    const answer = await this.ask({ type: 'Login', mid: '', token, ...(ackDigest ? { ackDigest } : {}), ...(ranges ? { ranges } : {}) })
    if (answer.type !== 'LoginOk') throw new IpcUploadError('ERR_TOKEN', 'connection', 'the peer did not accept the token')
    this.ranges = ranges && answer.ranges === true
  }

  async ask (request: FinalRequest): Promise<FinalAnswer> {
    const mid = this.send(request)
    const answer = await this.next(request.type)
    if (answer.type !== 'Failure' && answer.mid !== mid) throw new IpcUploadError('ERR_STRAY_RESPONSE', 'connection', `an answer to another ${request.type}`)
    return answer
  }

  /** Does not wait for the answer. Resolves with the id. */
  send (request: FinalRequest): string {
    const mid = this.#options.messageId?.() ?? globalThis.crypto.randomUUID()
    this.#conversation.send(encodeFinal({ ...request, mid }))
    return mid
  }

  /** The next answer, to a request of that type. */
  async next (to: FinalRequest['type']): Promise<FinalAnswer> {
    const frame = await this.#conversation.receive(this.#answerMs)
    if (frame === undefined) throw new IpcUploadError('ERR_TIMEOUT', 'connection', `no answer to ${to} in ${this.#answerMs} ms`)
    return decodeFinal(frame.userType, frame.payload) as FinalAnswer
  }
}
