/**
 * The SHA-256 of a file as our extension tells it: of the content, or of a file longer than a block of the digests of its blocks. So each
 * block is verified as it comes, and what is verified is not hashed again.
 *
 * @module
 */
import { fromHex, toHex } from '@ropewalk/framing'
import { WarpdriveError } from './errors.ts'
import type { FileInfo } from './json-codec.ts'
import { blockBytesOf } from './manifest-codec.ts'
import type { Sha256 } from './ports.ts'

/** What an offer tells of the content: `sha256`, and the digests of its `blocks` where there are several. */
export interface ContentFacts { readonly sha256: string, readonly blocks?: string }

/** Takes the content of a file of `size` bytes in order, and tells its facts. */
export class ContentDigest {
  readonly #sha256: Sha256
  readonly #blocks: Blocks
  readonly #digests: Array<Promise<Uint8Array> | Uint8Array> = []

  constructor (sha256: Sha256, size: number) {
    this.#sha256 = sha256
    this.#blocks = new Blocks(sha256, blockBytesOf(size), 0, digest => { this.#digests.push(digest) })
  }

  /** The array may be used again when it returns, or what it returns resolves. */
  update (bytes: Uint8Array): void | Promise<void> {
    return this.#blocks.update(bytes)
  }

  async digest (): Promise<ContentFacts> {
    this.#blocks.end()
    return await factsOf(this.#sha256, await Promise.all(this.#digests))
  }
}

/** The facts of content whose blocks, at least one, have these digests. */
export async function factsOf (sha256: Sha256, digests: readonly Uint8Array[]): Promise<ContentFacts> {
  if (digests.length === 1) return { sha256: toHex(digests[0] as Uint8Array) }
  const blocks = digests.map(toHex).join('')
  return { sha256: await digestOf(sha256, fromHex(blocks)), blocks }
}

/** Takes the content of an offered file, and throws `ERR_DIGEST` at the end of the first block that is another. */
export class ContentCheck {
  readonly #blocks: Blocks
  readonly #wanted: string
  readonly #blockBytes: number
  readonly #size: number
  #block: number
  readonly #ended: Array<Promise<Uint8Array> | Uint8Array> = []

  /** `from`: what is before was verified, and is a whole number of blocks. */
  constructor (sha256: Sha256, { size, sha256: wanted = '', blocks }: FileInfo, from: number) {
    this.#wanted = blocks ?? wanted
    this.#size = size
    this.#blockBytes = blocks === undefined ? Math.max(size, 1) : blockBytesOf(size)
    this.#block = from / this.#blockBytes
    this.#blocks = new Blocks(sha256, this.#blockBytes, from, digest => { this.#ended.push(digest) })
  }

  /** So many of the first bytes are verified. */
  get verified (): number {
    return Math.min(this.#block * this.#blockBytes, this.#size)
  }

  /** The array may be used again when it returns, or what it returns resolves. */
  update (bytes: Uint8Array): void | Promise<void> {
    return this.#blocks.update(bytes)
  }

  async end (): Promise<void> {
    this.#blocks.end()
    await this.compare()
  }

  /** Nothing more comes. */
  leave (): void {
    this.#blocks.end()
  }

  /** Compares the blocks that have come to their end. Resolves to whether there were any. */
  async compare (): Promise<boolean> {
    const ended = await Promise.all(this.#ended.splice(0))
    for (const digest of ended) {
      const at = this.#block * DIGEST_DIGITS
      if (toHex(digest) !== this.#wanted.slice(at, at + DIGEST_DIGITS)) {
        throw new WarpdriveError('ERR_DIGEST', `block ${this.#block} has another SHA-256 than offered`, { scope: 'transfer' })
      }
      this.#block++
    }
    return ended.length > 0
  }
}

/** Throws `ERR_BAD_VALUE` where the SHA-256 of a file is not that of its blocks. */
export async function checkBlocks (files: readonly FileInfo[], sha256: Sha256): Promise<void> {
  for (const [index, { sha256: told, blocks }] of files.entries()) {
    if (blocks === undefined || told === await digestOf(sha256, fromHex(blocks))) continue
    throw new WarpdriveError('ERR_BAD_VALUE', `entry ${index} has another SHA-256 than its blocks`)
  }
}

/** Cuts content into blocks. An empty file has one. */
class Blocks {
  readonly #sha256: Sha256
  readonly #blockBytes: number
  readonly #told: (digest: Promise<Uint8Array> | Uint8Array) => void
  #hash: ReturnType<Sha256> | undefined
  #have = 0

  constructor (sha256: Sha256, blockBytes: number, from: number, told: (digest: Promise<Uint8Array> | Uint8Array) => void) {
    this.#sha256 = sha256
    this.#blockBytes = blockBytes
    this.#told = told
    if (from === 0) this.#hash = sha256()
  }

  update (bytes: Uint8Array): void | Promise<void> {
    let taken: Promise<unknown> | undefined
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + this.#blockBytes - this.#have)
      this.#hash ??= this.#sha256()
      const its = this.#hash.update(piece)
      if (its !== undefined) taken = taken === undefined ? its : Promise.all([taken, its])
      this.#have += piece.length
      at += piece.length
      if (this.#have === this.#blockBytes) this.end()
    }
    return taken?.then(() => {})
  }

  end (): void {
    if (this.#hash === undefined) return
    const digest = this.#hash.digest()
    // It is awaited with the others; until then its failure must not count as nobody's.
    if (digest instanceof Promise) digest.catch(() => {})
    this.#told(digest)
    this.#hash = undefined
    this.#have = 0
  }
}

async function digestOf (sha256: Sha256, bytes: Uint8Array): Promise<string> {
  const hash = sha256()
  await hash.update(bytes)
  return toHex(await hash.digest())
}

const DIGEST_DIGITS = 64
