/**
 * Everything of one file system to the disk at once, by the program `sync` of the system: Node has no such call. It spares most of what an
 * fsync for each file costs, and stands in for none of them: where it fails or is missing, the fsyncs that follow do all of it.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process'

const WORDS = ['-f', '--'] as const

/** Whether there is one that takes a path: known after the first attempt. */
let able = process.platform === 'linux'

/** True when everything that was written to the file system of `path` before the call is on the disk. */
export function flushFileSystem (path: string): boolean {
  if (!able) return false
  const { status } = spawnSync('sync', [...WORDS, path], { stdio: 'ignore' })
  return able = status === 0
}

/** The same, without standing still meanwhile. Never rejects. */
export async function startFlush (path: string): Promise<boolean> {
  if (!able) return false
  const status = await new Promise<number | null>(resolve => {
    const child = spawn('sync', [...WORDS, path], { stdio: 'ignore' })
    child.once('error', () => resolve(null))
    child.once('exit', resolve)
  })
  return able = status === 0
}
