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
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(text => text !== '').map(Number)
  return children.flatMap(child => [child, ...descendantsOf(child)])
}

function read (path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
