/**
 * What tests of casync need: its helper as a process, blobs, and what stands in for ssh.
 *
 * @module
 */
import { spawn as spawnProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { once } from 'node:events'
import { castr, nodeCompression, nodeHash } from '@ropewalk/store-castr'
import { spawn, type ChildConnection } from '@ropewalk/transport-stdio'
import { chunk, encodeIndex, identify, storeMissing } from '@ropewalk/protocol-casync'

import { factsOf, run, type Ended, type Fact } from './processes.ts'
import { HELPER } from './programs.ts'

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

/** Some of it compresses, and repeats. */
export const BLOB: Buffer = Buffer.concat([noise('blob', 3_000_000), Buffer.alloc(700_000), noise('blob', 200_000)])

/** Runs `casync …` in `at` and hands out its facts. */
export async function casync (at: string, args: readonly string[], input?: Uint8Array): Promise<Ended & { readonly fact: (event: string) => Fact }> {
  const ended = await run(['casync', ...args, '--json'], { state: at, cwd: at, input })
  return { ...ended, fact: event => factsOf(ended.stdout, event).at(-1) ?? { event: `no ${event}: ${ended.stdout}${ended.stderr}` } }
}

export async function withEnv (env: NodeJS.ProcessEnv, work: () => Promise<void>): Promise<void> {
  const before = { ...process.env }
  Object.assign(process.env, env)
  try {
    await work()
  } finally {
    for (const name of Object.keys(env)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  }
}

export function sha512 (bytes: Uint8Array): string {
  return createHash('sha512-256').update(bytes).digest('hex')
}

/** The type of a CHUNK, as it stands in its frame. */
export const CHUNK_TYPE: Buffer = Buffer.from('8cbc840a18dd1352', 'hex')

/** Every chunk file below a store. */
export async function chunkFiles (store: string): Promise<string[]> {
  return (await readdir(store, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name)).sort()
}

export interface CountingServer {
  readonly url: string
  /** Chunks that were answered whole, in order, of each run that is over. */
  readonly runs: readonly string[][]
  /** Answers so many requests for chunks; all others wait for good. Resolves when they are answered. */
  answer (count: number): Promise<void>
  nextRun (): void
}

/** A web server for a folder that counts the chunks which it gives. */
export async function countingServer (t: { teardown (work: () => void): unknown }, root: string): Promise<CountingServer> {
  const runs: string[][] = []
  let run: string[] = []
  let left = 0
  let answered = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    const name = request.url as string
    const isChunk = name.endsWith('.cacnk')
    if (isChunk) {
      if (left <= 0) return
      left--
      const [mine, last] = [run, left === 0 ? answered : undefined]
      response.once('finish', () => {
        mine.push(name)
        last?.resolve()
      })
    }
    readFile(join(root, name)).then(bytes => response.end(bytes), () => response.writeHead(404).end())
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.closeAllConnections(); server.close() })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    runs,
    async answer (count) {
      left = count
      answered = Promise.withResolvers<void>()
      await answered.promise
    },
    nextRun () {
      server.closeAllConnections()
      runs.push(run)
      run = []
      left = 0
    }
  }
}

/** A tree of some five MB in `src`: small files in two folders, and a large one. */
export async function makeTree (at: string): Promise<void> {
  for (const name of ['src', 'src/a', 'src/b']) await mkdir(join(at, name), { recursive: true })
  for (let i = 0; i < 120; i++) await writeFile(join(at, 'src', i % 2 === 0 ? 'a' : 'b', `file ${i}`), noise(`file ${i}`, 20_000 + i * 100))
  await writeFile(join(at, 'src/large'), noise('large', 1_500_000))
}

export async function isThere (path: string): Promise<boolean> {
  return await lstat(path).then(() => true, () => false)
}
