/**
 * A thread that hashes blocks of a file, one after the other, until none is left.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { readSync } from 'node:fs'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'

export interface FactsWork {
  readonly fd: number
  readonly size: number
  readonly blockBytes: number
  /** The block that nobody has taken yet: its one element. Shared. */
  readonly next: Int32Array
  /** Of all blocks. Shared. */
  readonly digests: Uint8Array
}

/** Whether all bytes were there. */
export interface FactsTold { readonly whole: boolean }

export const DIGEST_BYTES = 32

/** Bytes read at a time. Ours: they are hashed before they have left the cache of the processor. */
const READ_BYTES = 262_144

if (parentPort !== null) tell(parentPort, workerData as FactsWork)

function tell (port: MessagePort, { fd, size, blockBytes, next, digests }: FactsWork): void {
  const buffer = new Uint8Array(READ_BYTES)
  for (let block = Atomics.add(next, 0, 1); block * DIGEST_BYTES < digests.length; block = Atomics.add(next, 0, 1)) {
    const hash = createHash('sha256')
    const end = Math.min(size, (block + 1) * blockBytes)
    for (let at = block * blockBytes; at < end;) {
      const read = readSync(fd, buffer, 0, Math.min(buffer.length, end - at), at)
      if (read === 0) return port.postMessage({ whole: false } satisfies FactsTold)
      hash.update(buffer.subarray(0, read))
      at += read
    }
    digests.set(hash.digest(), block * DIGEST_BYTES)
  }
  port.postMessage({ whole: true } satisfies FactsTold)
}
