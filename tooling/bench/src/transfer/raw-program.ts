/**
 * Copies files over plain sockets, with as little in between as Node allows:
 *
 *      raw-program serve tcp|tls FOLDER
 *      raw-program put|get tcp|tls FOLDER PORT NAME...      prints the seconds from the first byte to the last rename
 *
 * A socket carries one file after the other: `put NAME SIZE` and the content, answered by a line when the file is durable;
 * `get NAME`, answered by a line with the size and the content.
 *
 * @module
 */
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { connect as connectSocket, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { createIdentity } from '@ropewalk/transport-tcp'
import { Input } from './raw-input.ts'

/** As many as `ropewalk` has files under way. */
const SOCKETS = 16

const READ_BYTES = 262_144

const [role = '', carrier = '', folder = '', port = '', ...names] = process.argv.slice(2)

if (role === 'serve') await serve()
else process.stdout.write(`${await run()}\n`)

async function serve (): Promise<void> {
  const server = carrier === 'tls' ? createTlsServer(await credentials()) : createServer({ noDelay: true })
  server.on(carrier === 'tls' ? 'secureConnection' : 'connection', socket => { void answer(socket) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.stdout.write(`${JSON.stringify({ event: 'listening', address: (server.address() as AddressInfo).port })}\n`)
  // Through the front door, so that a profile is written.
  process.on('SIGTERM', () => process.exit())
}

async function credentials (): Promise<{ cert: string, key: string, minVersion: 'TLSv1.3', noDelay: true }> {
  const { certificate, privateKey } = await createIdentity()
  return { cert: certificate, key: privateKey, minVersion: 'TLSv1.3', noDelay: true }
}

async function answer (socket: Socket): Promise<void> {
  socket.on('error', () => {})
  const input = new Input(socket)
  for (let line = await input.line(); line !== undefined; line = await input.line()) {
    const [verb, name = '', size = ''] = line.split(' ')
    if (verb === 'put') {
      await receive(input, join(folder, name), Number(size))
      socket.write('ok\n')
    } else {
      socket.write(`${(await stat(join(folder, name))).size}\n`)
      await send(socket, join(folder, name))
    }
  }
  socket.end()
}

async function run (): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: Math.min(SOCKETS, names.length) }, dial))
  let next = 0
  const began = performance.now()
  await Promise.all(sockets.map(async socket => {
    const input = new Input(socket)
    while (next < names.length) {
      const name = names[next++] as string
      if (role === 'put') {
        const path = join(folder, name)
        socket.write(`put ${name} ${(await stat(path)).size}\n`)
        await send(socket, path)
        if (await input.line() !== 'ok') throw new Error('not stored')
      } else {
        socket.write(`get ${name}\n`)
        await receive(input, join(folder, name), Number(await input.line()))
      }
    }
  }))
  const seconds = (performance.now() - began) / 1000
  for (const socket of sockets) socket.destroy()
  return seconds
}

async function dial (): Promise<Socket> {
  const plain = connectSocket({ host: '127.0.0.1', port: Number(port), noDelay: true })
  if (carrier === 'tcp') {
    await once(plain, 'connect')
    return plain
  }
  const socket = connectTls({ socket: plain, rejectUnauthorized: false, minVersion: 'TLSv1.3' })
  await once(socket, 'secureConnect')
  return socket
}

async function send (socket: Socket, path: string): Promise<void> {
  for await (const bytes of createReadStream(path, { highWaterMark: READ_BYTES })) {
    if (!socket.write(bytes)) await once(socket, 'drain')
  }
}

async function receive (input: Input, path: string, bytes: number): Promise<void> {
  const handle = await open(`${path}.part`, 'wx')
  try {
    for (let left = bytes; left > 0;) {
      const piece = await input.some(left)
      await handle.write(piece)
      left -= piece.length
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${path}.part`, path)
}
