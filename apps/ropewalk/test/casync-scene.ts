/**
 * What tests of casync need: its helper as a process, blobs, and what stands in for ssh.
 *
 * @module
 */
import { spawn as spawnProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { castr, nodeCompression, nodeHash } from '@ropewalk/store-castr'
import { spawn, type ChildConnection } from '@ropewalk/transport-stdio'
import { chunk, encodeIndex, identify, storeMissing } from '@ropewalk/protocol-casync'

export const HELPER: string = fileURLToPath(new URL('../src/main-casync.ts', import.meta.url))
export const compression = nodeCompression()

/** Bytes that look random and are always the same. */
export function noise (name: string, length: number): Buffer {
  const parts: Buffer[] = []
  for (let i = 0; i * 32 < length; i++) parts.push(createHash('sha256').update(`${name} ${i}`).digest())
  return Buffer.concat(parts).subarray(0, length)
}

/** The helper as a casync at the other end would be started. */
export async function helper (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ChildConnection> {
  return await spawn(process.execPath, ['--conditions=@ropewalk/source', HELPER, ...args], { env: { ...process.env, ...env } })
}

/** Runs the helper without a client. */
export async function runHelperAlone (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number | null, stdout: string, stderr: string }> {
  const child = spawnProcess(process.execPath, ['--conditions=@ropewalk/source', HELPER, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close') as Promise<[number | null]>])
  return { code, stdout, stderr }
}

/** Makes an index and a store with the library. */
export async function makeBlob (bytes: Uint8Array, index: string, store: string): Promise<Buffer> {
  await using chunks = castr(store)
  const parts: Uint8Array[] = []
  for await (const part of encodeIndex()(storeMissing(chunks)(identify(nodeHash)(chunk()([bytes]))))) parts.push(part)
  await writeFile(index, Buffer.concat(parts))
  return Buffer.concat(parts)
}

/** A program that stands in for ssh: it runs the command on this machine, as the shell there would. Its calls are logged in `ssh.log`. */
export async function fakeSsh (at: string): Promise<NodeJS.ProcessEnv> {
  const path = join(at, 'ssh')
  await writeFile(path, `#!/bin/sh
printf '%s\\n' "$*" >> '${join(at, 'ssh.log')}'
while [ "$1" != -- ]; do
  case "$1" in -o) shift 2 ;; -*) shift ;; *) break ;; esac
done
[ "$1" = -- ] && shift
shift
exec sh -c "$*"
`, { mode: 0o755 })
  return { CASYNC_SSH_PATH: path, CASYNC_REMOTE_PATH: `${process.execPath} --conditions=@ropewalk/source ${HELPER}` }
}
