/**
 * Whose something is that lies on a disk, by its name, and whether that process still lives: what the dead have left may be cleared away.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile, readlink } from 'node:fs/promises'

/** A process. */
export interface Owner {
  /** Which start of the machine. `0` where nobody can tell. */
  readonly boot: string
  /** In which process ids count: containers have their own. */
  readonly space: string
  readonly pid: number
  /** When the process began, in the clock ticks of its boot: an id may be used again, id and beginning are not. */
  readonly start: string
}

/** Who we are. */
export async function identify (): Promise<Owner> {
  const space = await readlink('/proc/self/ns/pid').catch(() => '')
  return {
    boot: bootId().slice(0, 8) || '0',
    space: /\d+/.exec(space)?.[0] ?? '0',
    pid: process.pid,
    start: await startOf(process.pid) ?? '0'
  }
}

/** A name that says whose it is, which ends with `mark`: hex digits. */
export function ownerName ({ boot, space, pid, start }: Owner, mark: string = randomBytes(6).toString('hex')): string {
  return `${boot}-${space}-${pid}-${start}-${mark}`
}

/** Whose that is, and `undefined` when it is nobody's. */
export function ownerOf (name: string): Owner & { readonly mark: string } | undefined {
  const [, boot, space, pid, start, mark] = /^([0-9a-f]+)-(\d+)-(\d+)-(\d+)-([0-9a-f]+)$/.exec(name) ?? []
  return boot == null || space == null || start == null || mark == null ? undefined : { boot, space, pid: Number(pid), start, mark }
}

/** Which start of the machine this is: what the system has taken is there until the next one. Empty where it does not tell. */
export function bootId (): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return ''
  }
}

/** When that process began. `undefined` when there is no such process. */
export async function startOf (pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
    // The command in parentheses may hold anything; the 22nd field is the 20th after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    if (process.platform === 'linux') return undefined
    try {
      process.kill(pid, 0)
      return '0'
    } catch {
      return undefined
    }
  }
}
