/**
 * Which start of the system this is: what the system has taken is there until the next one.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Where the system does not tell, nothing is believed across processes. */
export function bootId (): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return `process ${process.pid}`
  }
}

/** The same as 32 bytes. */
export function bootMark (): Uint8Array {
  return createHash('sha256').update(bootId()).digest()
}
