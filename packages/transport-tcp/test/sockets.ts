import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type ServerOpts, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection, Listener } from '@ropewalk/interface'
import type { Test } from 'tap'
import { type Address, createIdentity, dial, type DialOptions, type Identity, listen, type ListenOptions } from '../src/index.ts'

export type Kind = 'tcp' | 'tls' | 'unix'

export const KINDS: readonly Kind[] = ['tcp', 'tls', 'unix']

let made: Promise<Identity> | undefined

/** One identity for all tests of a process. */
export function identity (): Promise<Identity> {
  return made ??= createIdentity({ names: ['localhost', '127.0.0.1'] })
}

/** A listener of `kind` that goes away with the test. */
export async function listening (t: Test, kind: Kind, options: ListenOptions = {}): Promise<Listener<Address>> {
  const address: Address = kind === 'unix'
    ? { transport: kind, path: socketPath(t) }
    : { transport: kind, host: '127.0.0.1', port: 0 }
  const listener = await listen(address, kind === 'tls' ? { ...options, tls: { identity: await identity(), ...options.tls } } : options)
  t.teardown(() => listener.close())
  return listener
}

/** Where a unix socket may be: short enough for the system, and gone with the test. */
export function socketPath (t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'rw-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'socket')
}

/** Both ends of a new connection, which go away with the test. */
export async function connected (t: Test, kind: Kind, dialOptions: DialOptions = {}, listenOptions: ListenOptions = {}): Promise<{ dialled: Connection, accepted: Connection }> {
  const listener = await listening(t, kind, listenOptions)
  const [dialled, accepted] = await Promise.all([dial(listener.address, dialOptions), take(listener)])
  t.teardown(() => {
    dialled.abort(new Error('the test is over'))
    accepted.abort(new Error('the test is over'))
  })
  return { dialled, accepted }
}

/** The next connection of a listener. */
export async function take (listener: Listener<Address>): Promise<Connection> {
  const { done, value } = await listener[Symbol.asyncIterator]().next()
  if (done === true) throw new Error('the listener is closed')
  return value
}

/** Everything that a source yields, joined. */
export async function bytesOf (source: Connection['source']): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const list of source) parts.push(list.subarray())
  return Buffer.concat(parts)
}

/** Two plain sockets, connected, which go away with the test. */
export async function rawPair (t: Test, options: ServerOpts = {}): Promise<{ left: Socket, right: Socket }> {
  const server = createServer({ allowHalfOpen: true, ...options })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const accepting = once(server, 'connection') as Promise<[Socket]>
  const left = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const [right] = await accepting
  server.close()
  left.on('error', () => {})
  t.teardown(() => {
    left.destroy()
    right.destroy()
  })
  return { left, right }
}
