/**
 * hashicorp/yamux: the program in `go/`, built once into the folder of caches.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { find } from '../installed.ts'

const SOURCE: string = fileURLToPath(new URL('../../go/', import.meta.url))
const PROGRAM: string = fileURLToPath(new URL('../../node_modules/.cache/bench/go-yamux', import.meta.url))

/** Builds it; or says why that cannot be. */
export async function missingGo (): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'reads the clock of Linux'
  return buildGo(SOURCE, PROGRAM, '.')
}

/** Builds `what` of the module in `folder` as `program`; or says why that cannot be. */
export function buildGo (folder: string, program: string, what: string): string | undefined {
  const go = find('go')
  if (go === undefined) return 'Go is not installed'
  mkdirSync(join(program, '..'), { recursive: true })
  const { status, stderr } = spawnSync(go, ['build', '-mod=readonly', '-o', program, what], { cwd: folder, encoding: 'utf8' })
  return status === 0 ? undefined : `go build: ${stderr.trim().split('\n').at(-1) ?? ''}`
}

/** Both roles are one program: the orders say which. */
export function goCommand (): [string] {
  return [PROGRAM]
}
