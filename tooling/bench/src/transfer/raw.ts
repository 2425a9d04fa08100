/**
 * A copy over plain sockets: what everything else is compared with.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { profile } from '../profile.ts'
import type { Carrier, Mover } from './mover.ts'
import { startNode, stop } from './server.ts'

const PROGRAM: string = fileURLToPath(new URL('raw-program.ts', import.meta.url))

/** `carried` undefined: plain TCP, whatever the others use. */
export function raw (carried?: Carrier): Mover {
  const carrier = carried ?? 'tcp'
  return {
    about: carrier === 'tls' ? 'the same over TLS 1.3' : 'read, net.Socket, write, fsync, rename; 16 sockets at most',
    carriers: carried === undefined ? ['tcp', 'tls'] : [carried],

    async serve ({ source, names, kept, fetched }) {
      const { child, address } = await startNode(process.execPath, [...profile('raw', 'serve'), PROGRAM, 'serve', carrier, kept])
      const command = (name: string, folder: string): { file: string, args: string[], own: (stdout: string) => number } => (
        { file: process.execPath, args: [...profile('raw', name), PROGRAM, name, carrier, folder, address, ...names], own: stdout => Number(stdout) }
      )
      return { pid: child.pid, put: () => command('put', source), get: () => command('get', fetched), stop: () => stop(child) }
    }
  }
}
