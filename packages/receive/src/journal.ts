/**
 * What a transfer has done, a line each, so that whoever goes on after `kill -9` knows it. Every line carries its checksum;
 * the first that is torn or changed ends the journal, and what was told behind it is done again.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { closeSync, constants, ftruncateSync, openSync, readSync } from 'node:fs'
import { writeAtOnce } from '@ropewalk/disk'
import { MAX_JOURNAL_LINE_BYTES, READ_BYTES } from './constants.ts'
import type { Directory } from './directory.ts'
import { ReceiveError } from './errors.ts'
import { datasync, SharedSync } from './sync.ts'

export type Fact =
  /** The transfer was opened, by a process of that boot of the machine. */
  | { readonly is: 'opened', readonly boot: string }
  /** A file begins, in the part of that number. */
  | { readonly is: 'begun', readonly part: number, readonly name: string }
  /** The same, and it is whole already. */
  | { readonly is: 'whole', readonly part: number, readonly name: string, readonly bytes: number }
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
  readonly #fd: number
  readonly #synced: SharedSync
  #position: number
  /** Lines that are not written yet. */
  #lines: string[] = []
  #open = true

  private constructor (fd: number, position: number) {
    this.#fd = fd
    this.#position = position
    this.#synced = new SharedSync(async () => {
      this.flush()
      await datasync(fd)
    })
  }

  /** Opens the journal in `folder`, made if it is missing, and tells `told` every fact in it. */
  static open (folder: Directory, told: (fact: Fact) => void): Journal {
    const fd = openSync(folder.pathOf(FILE), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
    try {
      const end = replay(fd, told)
      ftruncateSync(fd, end)
      return new Journal(fd, end)
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /** When it returns, the fact survives the death of the process. */
  append (fact: Fact): void {
    this.note(fact)
    this.flush()
  }

  /** The same a moment later, together with others: with what is appended next, with the next sync, or when the event loop turns. */
  note (fact: Fact): void {
    // The number of a descriptor that is closed may be that of another file by now.
    if (!this.#open) throw new ReceiveError('ERR_CLOSED', 'the transfer is closed')
    // What fails is tried again by the next who cannot do without.
    if (this.#lines.push(encode(fact)) === 1) setImmediate(() => { this.#attempt() })
  }

  /** Resolves when what was told survives loss of power. Those who wait at the same time share a sync. */
  sync (): Promise<void> {
    return this.#synced.sync()
  }

  /** What was told survives the death of the process. */
  flush (): void {
    const text = Buffer.from(this.#lines.join(''))
    if (!this.#open || text.length === 0) return
    writeAtOnce(this.#fd, text, this.#position)
    this.#position += text.length
    this.#lines = []
  }

  close (): void {
    if (!this.#open) return
    this.#attempt()
    this.#open = false
    closeSync(this.#fd)
  }

  #attempt (): void {
    try {
      this.flush()
    } catch {
      // The lines are still there.
    }
  }
}

function replay (fd: number, told: (fact: Fact) => void): number {
  const chunk = Buffer.alloc(READ_BYTES)
  let rest = Buffer.alloc(0)
  let good = 0
  for (let at = 0; ;) {
    const bytesRead = readSync(fd, chunk, 0, chunk.length, at)
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
