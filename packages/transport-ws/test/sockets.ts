import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Connection, Listener } from '@ropewalk/interface'
import { createIdentity, type Identity } from '@ropewalk/transport-tcp'
import type { Test } from 'tap'
import { type DialOptions, dial as dialPlatform } from '../src/index.ts'
import { dial, type DialOptions as NodeDialOptions, listen, type ListenOptions } from '../src/node/index.ts'

/** Who dials: `ws`, `ws` over TLS, or the platform's WebSocket. */
export type Kind = 'ws' | 'wss' | 'platform'

export const KINDS: readonly Kind[] = ['ws', 'wss', 'platform']

let made: Promise<Identity> | undefined

/** One identity for all tests of a process. */
export function identity (): Promise<Identity> {
  return made ??= createIdentity({ names: ['localhost', '127.0.0.1'] })
}

/** A listener that goes away with the test. */
export async function listening (t: Test, options: ListenOptions = {}, kind: Kind = 'ws'): Promise<Listener<string>> {
  const { certificate, privateKey } = await identity()
  const listener = kind === 'wss'
    ? await listen('wss://127.0.0.1:0/node', { ...options, tls: { cert: certificate, key: privateKey } })
    : await listen('ws://127.0.0.1:0/node', options)
  t.teardown(() => listener.close())
  return listener
}

export async function dialled (kind: Kind, url: string, options: DialOptions & NodeDialOptions = {}): Promise<Connection> {
  if (kind === 'platform') return dialPlatform(url, options)
  return dial(url, kind === 'wss' ? { ...options, tls: { ca: (await identity()).certificate } } : options)
}

/** Both ends of a new connection, which go away with the test. */
export async function connected (t: Test, kind: Kind, dialOptions: DialOptions & NodeDialOptions = {}, listenOptions: ListenOptions = {}): Promise<{ left: Connection, right: Connection }> {
  const listener = await listening(t, listenOptions, kind)
  const [left, right] = await Promise.all([dialled(kind, listener.address, dialOptions), take(listener)])
  t.teardown(() => {
    left.abort(new Error('the test is over'))
    right.abort(new Error('the test is over'))
  })
  return { left, right }
}

/** The next connection of a listener. */
export async function take (listener: Listener<string>): Promise<Connection> {
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

export function next (connection: Connection): Promise<IteratorResult<unknown>> {
  return connection.source[Symbol.asyncIterator]().next()
}

/** A TCP socket to a listener, which goes away with the test. */
export async function raw (t: Test, listener: Listener<string>): Promise<Socket> {
  const { hostname, port } = new URL(listener.address)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** A TCP socket that has asked for a WebSocket and got it: from here on the test writes the frames. */
export async function upgraded (t: Test, listener: Listener<string>, subprotocol = 'ropewalk.1'): Promise<{ socket: Socket, right: Connection }> {
  const socket = await raw(t, listener)
  const protocol = subprotocol === '' ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`
  const taking = take(listener)
  socket.write(`GET /node HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${protocol}\r\n`)
  const right = await taking
  t.teardown(() => right.abort(new Error('the test is over')))
  return { socket, right }
}

export const Opcode = { Continuation: 0x0, Text: 0x1, Binary: 0x2, Close: 0x8, Ping: 0x9 } as const

/** A frame as a client sends it, masked with zeros. */
export function frame (opcode: number, payload: Uint8Array, { fin = true, claimedBytes = payload.length } = {}): Uint8Array {
  const first = (fin ? 0x80 : 0) | opcode
  const length = claimedBytes < 126 ? [0x80 | claimedBytes] : claimedBytes < 65536 ? [0x80 | 126, claimedBytes >> 8, claimedBytes & 255] : [0x80 | 127, ...bigEndian(claimedBytes)]
  return Buffer.concat([Uint8Array.of(first, ...length, 0, 0, 0, 0), payload])
}

function bigEndian (value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}
