/**
 * A web server with the page and its scripts, and behind it a storage node that the page reaches over WebSocket.
 *
 * @module
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Connection, FragmentReader, FragmentStore } from '@ropewalk/interface'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { acceptNode, serve, StorageNode } from '@ropewalk/protocol-mdsftp'
import { openFsStore } from '@ropewalk/store-fs'
import { listen } from '@ropewalk/transport-ws/node'
import { bundle } from './bundle.ts'
import { portableEntries, type Entry } from './entries.ts'

const PAGE = new URL('../page/', import.meta.url)

const OWN: readonly Entry[] = ['main', 'cases'].map(name => ({ name: `page/${name}`, path: new URL(`${name}.ts`, PAGE) }))

/** What `/bytes` sends on each channel. */
export const BYTES_PER_CHANNEL: number = 16 * 1024 * 1024

export interface Site {
  readonly url: string
  /** Bytes that the node has read from its store to send them. */
  readonly read: number
  /** Bytes that each channel of `/bytes` has accepted, in the order in which they were opened. */
  readonly accepted: readonly number[]
  /** What went wrong on connections. */
  readonly troubles: readonly unknown[]
  close (): Promise<void>
}

/** Serves on a free port of this machine, or on `port`. Chunks are kept in `directory`. */
export async function openSite (directory: string, port = 0): Promise<Site> {
  const scripts = await bundle([...portableEntries(), ...OWN])
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname
    const script = scripts.get(path.slice(1))
    if (path === '/') return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(readFileSync(new URL('index.html', PAGE)))
    if (script === undefined) return response.writeHead(404).end()
    return response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(script)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`

  const state = { read: 0, accepted: [] as number[], troubles: [] as unknown[] }
  const store = await openFsStore(directory, { unfinished: 'remove' })
  const node = new StorageNode({ store: counting(store, bytes => { state.read += bytes }) })
  const options = { server, origins: [`http://${host}`] }
  const listeners = [await listen(`ws://${host}/node`, options), await listen(`ws://${host}/bytes`, options)] as const
  const open = new Set<Connection>()

  const accept = async (listener: AsyncIterable<Connection>, serveOne: (connection: Connection) => Promise<void>): Promise<void> => {
    for await (const connection of listener) {
      open.add(connection)
      void serveOne(connection).catch(error => { state.troubles.push(error) }).finally(() => open.delete(connection))
    }
  }
  void accept(listeners[0], async connection => {
    const peer = await acceptNode(connection)
    await serve(peer, { node })
    await peer.close()
  })
  void accept(listeners[1], connection => pour(connection, state.accepted))

  return {
    url: `http://${host}/`,
    get read () { return state.read },
    get accepted () { return state.accepted },
    get troubles () { return state.troubles },
    async close () {
      for (const listener of listeners) await listener.close()
      for (const connection of open) connection.abort(new Error('the site closes'))
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      await store.close()
    }
  }
}

/** Sends `BYTES_PER_CHANNEL` on every channel that the peer opens, and counts how far it has come on each. */
async function pour (connection: Connection, accepted: number[]): Promise<void> {
  for await (const channel of mdsftp(connection, { role: 'acceptor' })) {
    const at = accepted.push(0) - 1
    void channel.sink((function * () {
      const piece = new Uint8Array(65_536)
      for (let sent = 0; sent < BYTES_PER_CHANNEL; sent += piece.length) {
        accepted[at] = sent + piece.length
        yield piece
      }
    })()).catch(() => {})
  }
}

/** The same store, which says how many bytes are read from it. */
function counting (store: FragmentStore, count: (bytes: number) => void): FragmentStore {
  return new Proxy(store, {
    get (target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (key === 'read') return async (...args: Parameters<FragmentStore['read']>) => countingReader(await target.read(...args), count)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

function countingReader (reader: FragmentReader, count: (bytes: number) => void): FragmentReader {
  return new Proxy(reader, {
    get (target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (key === 'read') {
        return async (...args: Parameters<FragmentReader['read']>) => {
          const bytes = await target.read(...args)
          count(bytes)
          return bytes
        }
      }
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
