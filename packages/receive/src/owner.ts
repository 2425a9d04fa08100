/**
 * Whose a folder in the staging folder is, and whether that process still lives.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'

export interface Identity {
  /** Which start of the machine. `0` where nobody can tell. */
  readonly boot: string
  /** In which process ids count: containers have their own. */
  readonly space: string
  readonly pid: number
  /** When the process began, in the clock ticks of its boot: an id may be used again, id and beginning are not. */
  readonly start: string
}

/** Who we are. */
export async function identify (): Promise<Identity> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'latin1').catch(() => '')
  const space = await readlink('/proc/self/ns/pid').catch(() => '')
  return {
    boot: boot.slice(0, 8) || '0',
    space: /\d+/.exec(space)?.[0] ?? '0',
    pid: process.pid,
    start: await startOf(process.pid) ?? '0'
  }
}

/** The name of a folder of ours. */
export function ownerName ({ boot, space, pid, start }: Identity): string {
  return `${boot}-${space}-${pid}-${start}-${randomBytes(6).toString('hex')}`
}

/** Whose folder that is, and `undefined` when it is nobody's. */
export function ownerOf (name: string): Identity | undefined {
  const [, boot, space, pid, start] = /^([0-9a-f]+)-(\d+)-(\d+)-(\d+)-[0-9a-f]+$/.exec(name) ?? []
  return boot == null || space == null || start == null ? undefined : { boot, space, pid: Number(pid), start }
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
