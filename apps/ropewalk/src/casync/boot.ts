/**
 * Which start of the system this is: what the system has taken is there until the next one.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { bootId as systemBoot } from '@ropewalk/disk'

/** Where the system does not tell, nothing is believed across processes. */
export function bootId (): string {
  const boot = systemBoot()
  return boot === '' ? `process ${process.pid}` : boot
}

/** The same as 32 bytes. */
export function bootMark (): Uint8Array {
  return createHash('sha256').update(bootId()).digest()
}
