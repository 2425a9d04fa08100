/**
 * Ours: the built command line, as somebody would call it.
 *
 * @module
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mover } from './mover.ts'
import { profile } from '../profile.ts'
import { startNode, stop } from './server.ts'

const MAIN: string = fileURLToPath(new URL('../../../../apps/ropewalk/dist/main.js', import.meta.url))

export const ropewalk: Mover = {
  about: 'ropewalk serve, put and get, as built',
  carriers: ['tcp', 'tls'],

  async serve ({ source, names, kept, fetched, state }, carrier) {
    const env = { ...process.env, ROPEWALK_STATE: join(state, 'ropewalk') }
    const scheme = `mdsftp+${carrier}`
    const { child, address } = await startNode(process.execPath, [...profile('ropewalk', 'serve'), MAIN, 'serve', '--json', '--listen', `${scheme}://127.0.0.1:0`, '--store', kept], env)
    const command = (name: string, args: readonly string[]): { file: string, args: string[], env: NodeJS.ProcessEnv, own: (stdout: string) => number } => (
      { file: process.execPath, args: [...profile('ropewalk', name), MAIN, name, '--json', ...args], env, own: elapsed }
    )
    return {
      pid: child.pid,
      put: () => command('put', ['--to', address, ...names.map(name => join(source, name))]),
      get: stdout => command('get', ['--from', address, '-o', `${fetched}/`, ...facts(stdout, 'stored').map(({ id }) => String(id))]),
      stop: () => stop(child)
    }
  }
}

/** From when the connection stood until the last file was durable. */
function elapsed (stdout: string): number {
  const [summary] = facts(stdout, 'summary')
  return Number(summary?.['elapsed_ms']) / 1000
}

function facts (stdout: string, event: string): Array<Record<string, unknown>> {
  return stdout.split('\n').filter(line => line.startsWith(`{"event":"${event}"`)).map(line => JSON.parse(line) as Record<string, unknown>)
}
