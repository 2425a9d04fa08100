/**
 * What the system says of processes: Linux only, nought elsewhere.
 *
 * @module
 */
import { readFileSync } from 'node:fs'

/** Of `/proc`, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** CPU seconds of a process and of those of its children that have ended. */
export function cpuSecondsOf (pid: number): number {
  // The name of the program, in parentheses, may hold anything.
  const fields = read(`/proc/${pid}/stat`).replace(/^.*\) /s, '').split(' ')
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0) / TICKS_PER_SECOND
}

/** Most bytes of memory that a process has had. */
export function peakRssOf (pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}

/** All that live below a process. */
export function descendantsOf (pid: number): number[] {
  return childrenOf(pid).flatMap(child => [child, ...descendantsOf(child)])
}

/** Most bytes of memory that a process has had, and with it those that live below it now. What a copy of its parent shares with it is counted once. */
export function peakBytesBelow (pid: number, parent?: number): number[] {
  const own = parent !== undefined && isCopyOf(pid, parent) ? ownBytesOf(pid) : peakRssOf(pid)
  return [own, ...childrenOf(pid).flatMap(child => peakBytesBelow(child, pid))]
}

function childrenOf (pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(text => text !== '').map(Number)
}

/** Whether a process is still the copy of `parent` that it has begun as: a moment before another program begins in it, or for good, as rsync has it. */
function isCopyOf (pid: number, parent: number): boolean {
  const command = read(`/proc/${pid}/cmdline`)
  return command !== '' && command === read(`/proc/${parent}/cmdline`)
}

/** Bytes of memory that a process shares with nobody, now. */
function ownBytesOf (pid: number): number {
  return [...read(`/proc/${pid}/smaps_rollup`).matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].reduce((sum, [, kib]) => sum + Number(kib), 0) * 1024
}

function read (path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
