/**
 * How far a file was hashed, and the state of the hash there, so that whoever goes on with it need not read again what
 * another node has already. Written beside the journal at every acknowledgement, in place, at once and without a sync: what a loss
 * of power takes is only hashed anew.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { constants, writeSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

export interface HashPoint {
  /** Bytes of the file that are hashed. */
  readonly offset: number
  /** States of the hash of the whole, and of the part that `offset` is in. */
  readonly whole: Uint8Array
  readonly part: Uint8Array
}

/** Bytes of a record with its padding. Two stand in the file, written in turn: one of them is always whole. Ours. */
const SLOT_BYTES = 1024

export class HashLog implements AsyncDisposable {
  readonly #handle: FileHandle
  #slot = 0

  private constructor (handle: FileHandle) {
    this.#handle = handle
  }

  static async open (path: string): Promise<HashLog> {
    return new HashLog(await open(path, constants.O_RDWR | constants.O_CREAT, 0o600))
  }

  /** The farther of the two points that are whole. */
  async load (): Promise<HashPoint | undefined> {
    const buffer = Buffer.alloc(2 * SLOT_BYTES)
    await this.#handle.read(buffer, 0, buffer.length, 0)
    const points = [0, SLOT_BYTES].map(at => parsePoint(buffer.subarray(at, at + SLOT_BYTES).toString('latin1')))
    return points.reduce((best, point) => point !== undefined && (best === undefined || point.offset > best.offset) ? point : best)
  }

  /** Keeps `point`. At once, into the system's cache: a point that waited for a thread would be behind what is acknowledged meanwhile. */
  save (point: HashPoint): void {
    this.#slot = 1 - this.#slot
    try {
      writeSync(this.#handle.fd, formatPoint(point), this.#slot * SLOT_BYTES, 'latin1')
    } catch {
      // One that cannot be written costs a little time later, and nothing else.
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#handle.close()
  }
}

function formatPoint ({ offset, whole, part }: HashPoint): string {
  const text = `${offset} ${Buffer.from(whole).toString('hex')} ${Buffer.from(part).toString('hex')}`
  return `${text} ${check(text)}\n`.padEnd(SLOT_BYTES)
}

function parsePoint (slot: string): HashPoint | undefined {
  const found = /^((\d{1,16}) ([\da-f]+) ([\da-f]*)) ([\da-f]{16})\n/.exec(slot)
  if (found === null || check(found[1] as string) !== found[5]) return undefined
  return { offset: Number(found[2]), whole: Buffer.from(found[3] as string, 'hex'), part: Buffer.from(found[4] as string, 'hex') }
}

function check (text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
