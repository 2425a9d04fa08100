import { readFileSync } from 'node:fs'

/** Whether more than so many bytes wait for the disks of this machine, or nobody can tell. From proc_meminfo(5): `Dirty` and `Writeback`. */
export function isMuchWaiting (bytes: number): boolean {
  try {
    return waitingBytes(readFileSync('/proc/meminfo', 'latin1')) > bytes
  } catch {
    return true
  }
}

/** Of the text of `/proc/meminfo`. Infinity where it does not say. */
export function waitingBytes (memory: string): number {
  const of = (what: string): number => Number(new RegExp(`^${what}: +(\\d+) kB$`, 'm').exec(memory)?.[1] ?? Infinity) * 1024
  return of('Dirty') + of('Writeback')
}

/** Whether `release`, as `6.1.0-18-amd64`, is that version or a later one. */
export function isSince (release: string, major: number, minor: number): boolean {
  const [ours = 0, second = 0] = release.split('.').map(Number.parseFloat)
  return ours > major || (ours === major && second >= minor)
}
