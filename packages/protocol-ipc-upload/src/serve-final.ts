/** The server's side of the profile `final`, on one connection: one request, one answer, in order. */
import { toHex } from '@ropewalk/framing'
import { decodeBase64, encodeBase64 } from './base64-codec.ts'
import { isDigest } from './chunk-id-codec.ts'
import { BASE64_LINE, BLOCK_BYTES, FinalError, MAX_BLOCK_BYTES, MAX_ID_BYTES, MAX_RANGE_BYTES, Reason } from './constants.ts'
import type { IpcUploadError } from './errors.ts'
import { decodeFinal, encodeFinal, type Download, type Failure, type FileInfo, type FinalAnswer, type FinalRequest, type GetChunk, type GetRange, type Login, type PutChunk, type Upload } from './final-codec.ts'
import type { OpenTransfer, UploadNode } from './node.ts'
import type { UploadPlan } from './ports.ts'
import type { Encoded } from './readme-codec.ts'
import { ServerState } from './server-state.ts'

/** An answer before it is addressed. */
type Body = FinalAnswer extends infer Answer ? Answer extends FinalAnswer ? Omit<Answer, 'mid' | 'id'> : never : never

export class FinalSession {
  readonly #node: UploadNode
  readonly #state: ServerState
  #ackDigest = false
  /** Agreed on with the client. */
  #ranges = false
  /** The file that the last request was about: most requests are about the same. */
  #current: OpenFile | undefined

  constructor (node: UploadNode) {
    this.#node = node
    this.#state = new ServerState(node.maxTokenTries)
  }

  get over (): boolean {
    return this.#state.over
  }

  async receive (userType: number, payload: Uint8Array): Promise<Encoded[]> {
    let message
    try {
      message = decodeFinal(userType, payload)
    } catch (error) {
      this.#state.malformed()
      const { code, messageId = '' } = error as IpcUploadError
      return [encodeFinal({ mid: messageId, ...failure(code === 'ERR_UNKNOWN_TYPE' ? Reason.UnknownType : Reason.Malformed) } as Failure)]
    }
    if (message.type === 'GetRange' && this.#ranges) return await this.#getRange(message)
    let body: Body
    try {
      body = await this.#answer(message as FinalRequest)
    } catch {
      body = failure(Reason.Storage)
    }
    return [encodeFinal({ mid: message.mid, ...(message.id === undefined ? {} : { id: message.id }), ...body } as FinalAnswer)]
  }

  async flush (): Promise<Encoded[]> {
    return []
  }

  async close (): Promise<void> {
    if (this.#current !== undefined) await this.#node.release(this.#current.transfer)
    this.#current = undefined
  }

  async #answer (message: FinalRequest): Promise<Body> {
    if (message.type === 'Login') return await this.#login(message)
    const refusal = this.#state.refusal(this.#node.clock.now())
    if (refusal !== undefined) return failure(refusal)
    switch (message.type) {
      case 'Upload': return await this.#upload(message)
      case 'PutChunk': return await this.#putChunk(message)
      case 'Download': return await this.#download(message)
      case 'GetChunk': return await this.#getChunk(message)
      default: return failure(Reason.Malformed)
    }
  }

  /** What was wrong with the token is not told, as the original does not either. */
  async #login ({ token, ackDigest, ranges = false }: Login): Promise<Body> {
    try {
      if (this.#state.authenticated(await this.#node.verifyToken(token)) !== undefined) return failure(Reason.AlreadyAuthenticated)
    } catch {
      this.#state.tokenRefused()
      return failure(Reason.Unexpected)
    }
    this.#ackDigest = ackDigest ?? false
    this.#ranges = ranges
    return { type: 'LoginOk', ...(ranges ? { ranges } : {}) }
  }

  async #upload ({ file: { name, size, chunks, digest, tags } }: Upload): Promise<Body> {
    const node = this.#node
    const refusal = node.refusal([{ name, size }], tags, BLOCK_BYTES)
    if (refusal === Reason.TooBig) return { ...failure(Reason.TooBig, FinalError.TooBig), limit: node.maxFileBytes }
    if (refusal !== undefined) return failure(refusal)
    if (!isDigest(digest) || chunks !== (size + 999n) / 1000n) return failure(Reason.Malformed)

    const plan = { id: digest, owner: this.#state.uid as number, blockBytes: BLOCK_BYTES, files: [{ name, size: Number(size), digest }], tags, createdAt: node.clock.now() }
    await this.close()
    const { transfer, created } = await node.open(plan)
    this.#current = { transfer, file: 0, digest }
    const { state } = transfer
    if (BigInt((state.plan.files[0] as { size: number }).size) !== size) return failure(Reason.DigestMismatch)
    const path = pathOf(digest)
    if (created && (!state.complete || size === 0n)) return { type: 'UploadOk', path }
    if (state.complete) return { ...failure('file already uploaded fully', FinalError.FileComplete), path }
    return { ...failure('file already present', FinalError.FilePresent), path, nextChunk: state.nextMissing(0) }
  }

  async #putChunk ({ digest, chunk, data: text }: PutChunk): Promise<Body> {
    const transfer = await this.#find(digest)
    if (transfer === undefined) return { ...failure('file does not exist', FinalError.NoFile), digest: shown(digest) }
    return await this.#node.exclusively(transfer, async () => {
      const { state } = transfer
      if (state.plan.owner !== this.#state.uid) return { ...failure(Reason.NotYours, FinalError.NotYours), digest }
      if (state.complete) return { ...failure('file already uploaded fully', FinalError.FileComplete), path: pathOf(digest) }
      const place = state.at(0, chunk.n)
      if (place === undefined || state.has(place.number)) return { ...failure('Chunk already present', FinalError.ChunkPresent), digest, nextChunk: state.nextMissing(0) }

      let data: Uint8Array
      try {
        data = decodeBase64(text)
      } catch {
        return failure(Reason.BadData)
      }
      if (data.length !== state.length(place)) return failure(Reason.BadLength)
      const { sha256 } = this.#node.hashes
      const stored = toHex(sha256(data))
      // The original's client hashes the text; hashing the data is what anybody else would do.
      if (chunk.digest !== stored && chunk.digest !== toHex(sha256(new TextEncoder().encode(text)))) return failure(Reason.DigestMismatch)
      const wrong = await this.#node.keep(transfer, [{ ...place, bytes: data }])
      if (wrong.size > 0) return failure(Reason.DigestMismatch)
      return { type: 'PutChunkOk', digest, n: chunk.n, ...(this.#ackDigest ? { stored } : {}) }
    })
  }

  async #download ({ digest, name, tags }: Download): Promise<Body> {
    if (digest !== undefined) {
      const open = await this.#findAnywhere(digest)
      return open === undefined ? failure(`Unknown file digest: ${shown(digest)}`) : { type: 'DownloadOk', file: infoOf(open.transfer.state.plan, open.file) }
    }
    const found = name === undefined && tags === undefined ? undefined : await this.#node.store.find({ name, tags, owner: this.#state.uid as number })
    return found === undefined ? failure('File not found with provided parameters.') : { type: 'DownloadOk', file: infoOf(found.plan, found.file) }
  }

  async #getChunk ({ digest, n }: GetChunk): Promise<Body> {
    const open = await this.#findAnywhere(digest)
    if (open === undefined) return { ...failure('file does not exist', FinalError.NoFile), digest: shown(digest) }
    const { transfer, file } = open
    const bytes = await this.#node.exclusively(transfer, async () => await this.#node.readBytes(transfer, file, n * BLOCK_BYTES, BLOCK_BYTES))
    if (bytes === undefined) return failure(Reason.Unexpected)
    const data = encodeBase64(bytes, BASE64_LINE)
    const { size } = transfer.state.plan.files[file] as { size: number }
    return { type: 'GetChunkOk', digest, chunk: { n, on: Math.ceil(size / BLOCK_BYTES), digest: toHex(this.#node.hashes.sha256(new TextEncoder().encode(data))) }, data }
  }

  /** In pieces of the largest block; or why there is none. */
  async #getRange ({ mid, id, digest, position, length }: GetRange): Promise<Encoded[]> {
    const no = (body: Omit<Failure, 'mid'>): Encoded[] => [encodeFinal({ mid, ...(id === undefined ? {} : { id }), ...body } as Failure)]
    const refusal = this.#state.refusal(this.#node.clock.now())
    if (refusal !== undefined) return no(failure(refusal))
    if (length < 1 || length > MAX_RANGE_BYTES) return no(failure(Reason.Malformed))
    try {
      const open = await this.#findAnywhere(digest)
      if (open === undefined) return no({ ...failure('file does not exist', FinalError.NoFile), digest: shown(digest) })
      const bytes = await this.#node.exclusively(open.transfer, async () => await this.#node.readBytes(open.transfer, open.file, position, length))
      if (bytes?.length !== length) return no(failure(Reason.Unexpected))
      return Array.from({ length: Math.ceil(length / MAX_BLOCK_BYTES) }, (_, at) => encodeFinal({ type: 'Piece', mid, data: bytes.subarray(at * MAX_BLOCK_BYTES, (at + 1) * MAX_BLOCK_BYTES) }))
    } catch {
      return no(failure(Reason.Storage))
    }
  }

  /** A file that was registered in this profile, whole or not. */
  async #find (digest: string): Promise<OpenTransfer | undefined> {
    if (this.#current?.transfer.state.plan.id === digest) return this.#current.transfer
    if (!isDigest(digest)) return undefined
    const transfer = await this.#node.existing(digest)
    if (transfer !== undefined) await this.#turnTo({ transfer, file: 0, digest })
    return transfer
  }

  /** Or one that the user has sent in the profile `readme`. */
  async #findAnywhere (digest: string): Promise<OpenFile | undefined> {
    if (this.#current?.digest === digest) return this.#current
    if (await this.#find(digest) !== undefined || !isDigest(digest)) return this.#current?.digest === digest ? this.#current : undefined
    const found = await this.#node.store.find({ digest, owner: this.#state.uid as number })
    const transfer = found === undefined ? undefined : await this.#node.existing(found.plan.id)
    if (found === undefined || transfer === undefined) return undefined
    return await this.#turnTo({ transfer, file: found.file, digest })
  }

  async #turnTo (open: OpenFile): Promise<OpenFile> {
    await this.close()
    this.#current = open
    return open
  }
}

interface OpenFile {
  readonly transfer: OpenTransfer
  readonly file: number
  readonly digest: string
}

function failure (reason: string, code: number = FinalError.Generic): Omit<Failure, 'mid'> {
  return { type: 'Failure', code, reason }
}

function pathOf (digest: string): string {
  return `/files/${digest}`
}

function shown (digest: string): string {
  return digest.slice(0, MAX_ID_BYTES)
}

function infoOf ({ files, tags }: UploadPlan, file: number): FileInfo {
  const { name, size, digest } = files[file] as { name: string, size: number, digest: string }
  return { name, size: BigInt(size), chunks: BigInt(Math.ceil(size / BLOCK_BYTES)), digest, tags }
}
