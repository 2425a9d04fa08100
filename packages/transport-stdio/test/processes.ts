import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type ChildConnection, spawn, type SpawnOptions } from '../src/index.ts'

const { PATH } = process.env

/** A child that goes away with the test. */
export async function child (t: Test, command: string, args: string[] = [], options: SpawnOptions = {}): Promise<ChildConnection> {
  const connection = await spawn(command, args, { env: { PATH }, killTimeoutMs: 100, ...options })
  t.teardown(async () => {
    connection.abort(new Error('the test is over'))
    await connection.exited
  })
  return connection
}

/** A child that runs `script`, in Node. */
export function node (t: Test, script: string, options: SpawnOptions = {}): Promise<ChildConnection> {
  return child(t, process.execPath, ['--input-type=module', '--eval', script], options)
}

/** Where a program of `children/` is. */
export function program (name: string): string {
  return fileURLToPath(new URL(`children/${name}.ts`, import.meta.url))
}

/** A child that runs a program of `children/`. */
export function ours (t: Test, name: string, args: string[] = [], options: SpawnOptions = {}): Promise<ChildConnection> {
  return child(t, process.execPath, [program(name), ...args], options)
}

/** Everything that a source yields, joined. */
export async function bytesOf (source: ChildConnection['source']): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const list of source) parts.push(list.subarray())
  return Buffer.concat(parts)
}

export async function textOf (connection: ChildConnection): Promise<string> {
  return new TextDecoder().decode(await bytesOf(connection.source))
}

export function text (string: string): Uint8Array {
  return new TextEncoder().encode(string)
}

export function * endless (): Generator<Uint8Array> {
  for (;;) yield new Uint8Array(65536)
}

export async function * never (): AsyncGenerator<Uint8Array> {
  yield await new Promise<Uint8Array>(() => {})
}
