/**
 * What a transfer has done, a line each, so that whoever goes on after `kill -9` knows it. Every line carries its checksum;
 * the first that is torn or changed ends the journal, and what was told behind it is done again.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { MAX_JOURNAL_LINE_BYTES, READ_BYTES } from './constants.ts'
import type { Directory } from './directory.ts'

export type Fact =
  /** The transfer was opened, by a process of that boot of the machine. */
  | { readonly is: 'opened', readonly boot: string }
  /** A file begins, in the part of that number. */
  | { readonly is: 'begun', readonly part: number, readonly name: string }
  /** So many bytes of it were verified, and survive loss of power. */
  | { readonly is: 'verified', readonly part: number, readonly bytes: number }
  /** It is whole, and may have got its name since. */
  | { readonly is: 'sealed', readonly part: number, readonly bytes: number }
  /** It has that name. */
  | { readonly is: 'placed', readonly part: number, readonly as: string }
  /** It was given up. */
  | { readonly is: 'dropped', readonly part: number }
  /** A folder or a link was made. */
  | { readonly is: 'folder', readonly name: string, readonly mode?: number | undefined, readonly mtimeMs?: number | undefined }
  | { readonly is: 'link', readonly name: string }

export class Journal {
  readonly #handle: FileHandle
  #position: number
  #tail: Promise<unknown> = Promise.resolve()
  #syncing: Promise<void> | undefined

  private constructor (handle: FileHandle, position: number) {
    this.#handle = handle
    this.#position = position
  }

  /** Opens the journal in `folder`, made if it is missing, and tells `told` every fact in it. */
  static async open (folder: Directory, told: (fact: Fact) => void): Promise<Journal> {
    const handle = await open(folder.pathOf(FILE), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
    try {
      const end = await replay(handle, told)
      await handle.truncate(end)
      return new Journal(handle, end)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Resolves when it survives the death of the process. */
  append (fact: Fact): Promise<void> {
    const line = Buffer.from(encode(fact))
    const position = this.#position
    this.#position += line.length
    const appended = this.#tail.then(async () => {
      for (let done = 0; done < line.length;) done += (await this.#handle.write(line, done, undefined, position + done)).bytesWritten
    })
    this.#tail = appended.catch(() => {})
    return appended
  }

  /** Resolves when what was appended survives loss of power. Those who wait at the same time share a sync. */
  sync (): Promise<void> {
    this.#syncing ??= this.#tail.then(async () => {
      this.#syncing = undefined
      await this.#handle.datasync()
    })
    return this.#syncing
  }

  async close (): Promise<void> {
    await this.#tail
    await this.#handle.close()
  }
}

async function replay (handle: FileHandle, told: (fact: Fact) => void): Promise<number> {
  const chunk = Buffer.alloc(READ_BYTES)
  let rest = Buffer.alloc(0)
  let good = 0
  for (let at = 0; ;) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at)
    if (bytesRead === 0) return good
    at += bytesRead
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
    let begin = 0
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a, begin)) {
      const fact = decode(rest.subarray(begin, end).toString('utf8'))
      if (fact === undefined) return good
      told(fact)
      good += end + 1 - begin
      begin = end + 1
    }
    rest = rest.subarray(begin)
    if (rest.length > MAX_JOURNAL_LINE_BYTES) return good
  }
}

function encode (fact: Fact): string {
  const text = JSON.stringify(fact)
  return `${checksum(text)} ${text}\n`
}

function decode (line: string): Fact | undefined {
  const text = line.slice(SUM_DIGITS + 1)
  return line[SUM_DIGITS] === ' ' && line.slice(0, SUM_DIGITS) === checksum(text) ? JSON.parse(text) as Fact : undefined
}

function checksum (text: string): string {
  return hash('sha256', text).slice(0, SUM_DIGITS)
}

const FILE = 'journal'
const SUM_DIGITS = 16
