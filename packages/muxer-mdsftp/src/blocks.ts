/**
 * The content of fragments as it arrives, in memory that is used again once whoever reads it is done with it. Fresh memory
 * for every fragment costs more than the copy into memory that is warm: the system has to find it, clear it and take it back.
 * The blocks begin where pages do, so that a disk can take them without the system's cache.
 *
 * @module
 */
import { Inbox } from '@ropewalk/mux'
import { Uint8ArrayList } from 'uint8arraylist'
import { BLOCK_BYTES, MAX_BLOCKS } from './constants.ts'

/** What takes the pieces of one fragment. */
export interface Gathering {
  readonly bytes: number
  /** `lent` bytes are copied: they are only valid now. */
  push (bytes: Uint8Array, lent: boolean): void
  take (): Uint8ArrayList
}

/** Blocks that nobody uses, of all connections together: most of a thousand are idle. */
const free: Uint8Array[] = []
let made = 0
let memory: ArrayBuffer | undefined

/** Which blocks content lies in, until they are given back. */
const blocksOf = new WeakMap<Uint8ArrayList, Uint8Array[]>()

/** For the content of a fragment of so many bytes, in blocks if whoever reads it gives them back. What is small has no use for a block. */
export function gather (contentBytes: number, reused: boolean): Gathering {
  return reused && contentBytes >= BLOCK_BYTES / 2 ? new BlockInbox() : new Inbox()
}

/** Nobody reads `content` any more. What does not lie in blocks, or was given back already, is left alone. */
export function giveBack (content: Uint8ArrayList): void {
  const blocks = blocksOf.get(content)
  if (blocks === undefined) return
  blocksOf.delete(content)
  for (const block of blocks) give(block)
}

function give (block: Uint8Array): void {
  if (block.buffer === memory) free.push(block)
}

/** When all are in use, memory that is nobody's afterwards. */
function take (): Uint8Array {
  const block = free.pop()
  if (block !== undefined) return block
  if (made === MAX_BLOCKS) return new Uint8Array(BLOCK_BYTES)
  memory ??= pages(MAX_BLOCKS * BLOCK_BYTES)
  return new Uint8Array(memory, BLOCK_BYTES * made++, BLOCK_BYTES)
}

/** The only memory of which the language says that it begins with a page. */
function pages (bytes: number): ArrayBuffer {
  const { WebAssembly: machine } = globalThis as { WebAssembly?: { Memory: new (options: { initial: number }) => { buffer: ArrayBuffer } } }
  return machine === undefined ? new ArrayBuffer(bytes) : new machine.Memory({ initial: bytes / WEBASSEMBLY_PAGE_BYTES }).buffer
}

/** From the specification of WebAssembly. */
const WEBASSEMBLY_PAGE_BYTES = 65_536

class BlockInbox implements Gathering {
  readonly #pieces: Uint8Array[] = []
  readonly #blocks: Uint8Array[] = []
  /** Where the last block is filled to, and from where on it is not in the pieces yet. */
  #used = BLOCK_BYTES
  #from = BLOCK_BYTES
  bytes = 0

  push (bytes: Uint8Array, lent: boolean): void {
    this.bytes += bytes.length
    // Memory of its own, and as large as a block: nothing is gained by another.
    if (!lent && bytes.length >= BLOCK_BYTES && bytes.length === bytes.buffer.byteLength) {
      this.#cut()
      this.#pieces.push(bytes)
      return
    }
    for (let at = 0; at < bytes.length;) {
      if (this.#used === BLOCK_BYTES) this.#next()
      const end = Math.min(bytes.length, at + BLOCK_BYTES - this.#used)
      const block = this.#blocks[this.#blocks.length - 1] as Uint8Array
      block.set(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end), this.#used)
      this.#used += end - at
      at = end
    }
  }

  take (): Uint8ArrayList {
    this.#trim()
    this.#cut()
    const list = new Uint8ArrayList(...this.#pieces)
    if (this.#blocks.length > 0) blocksOf.set(list, this.#blocks)
    return list
  }

  #next (): void {
    this.#cut()
    this.#blocks.push(take())
    this.#used = this.#from = 0
  }

  /** A few bytes must not keep a whole block for as long as they wait. */
  #trim (): void {
    if (this.#used - this.#from >= BLOCK_BYTES / 2 || this.#from > 0 || this.#used === 0) return
    const block = this.#blocks.pop()
    if (block === undefined) return
    this.#pieces.push(block.slice(0, this.#used))
    give(block)
    this.#used = this.#from = BLOCK_BYTES
  }

  #cut (): void {
    const block = this.#blocks[this.#blocks.length - 1]
    if (block !== undefined && this.#used > this.#from) this.#pieces.push(block.subarray(this.#from, this.#used))
    this.#from = this.#used
  }
}
