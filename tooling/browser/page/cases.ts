/**
 * What the tests have a page do. It runs in the browser; its arguments and results cross over as JSON.
 *
 * @module
 */
import type { Bytes } from '@ropewalk/interface'
import { mdsftp } from '@ropewalk/muxer-mdsftp'
import { commit, retrieve, upload, type Id, type StorageConnection } from '@ropewalk/protocol-mdsftp'
import { dial } from '@ropewalk/transport-ws'
import { pipe } from 'it-pipe'
import { connect, getFile, putFile, readFile, sha256 } from './remote-node.ts'

export interface RoundTrip {
  readonly size: number
  readonly sent: string
  readonly got: string
}

export interface Cases {
  /** Puts random files of these sizes, all at once over one connection, and gets them back. */
  roundTrips (url: string, sizes: readonly number[]): Promise<RoundTrip[]>
  /** Pipes a file of that size into an upload, commits it, and pipes what is retrieved into a file. */
  pipes (url: string, size: number): Promise<RoundTrip>
  /** Pipes a file of that size into an upload, and has the stage between them fail half-way. Resolves to what the pipe failed with, and how many channels are left open. */
  breakPipe (url: string, size: number): Promise<{ readonly message: string, readonly channels: number }>
  /** Asks for a file of that size, takes the first bytes of it, and then moves small files over the same connection. Resolves to how many were taken. */
  sleepOnFile (url: string, size: number): Promise<number>
  /** Takes the rest of the file. */
  wakeOnFile (): Promise<RoundTrip>
  /** Opens a channel, takes the first bytes, and then all of another channel of the same connection. Resolves to how many were taken of the first. */
  sleepOnChannel (url: string): Promise<number>
  /** Takes the rest of the first channel. Resolves to how many bytes there were in all. */
  wakeOnChannel (): Promise<number>
  /** Imports a module. Resolves to how many names it exports. */
  load (url: string): Promise<number>
}

let file: { connection: StorageConnection, iterator: AsyncIterator<Bytes>, taken: Uint8Array[], sent: string, size: number }
let channel: { iterator: AsyncIterator<Bytes>, taken: number, close (): Promise<void> }

const cases: Cases = {
  async roundTrips (url, sizes) {
    const connection = await connect(url)
    const results = await Promise.all(sizes.map(size => roundTrip(connection, size)))
    await connection.close()
    return results
  },

  async pipes (url, size) {
    const connection = await connect(url)
    const file = random(size)
    const { chunkId } = await pipe(readFile(file), upload(connection, { size }))
    await commit(connection, chunkId)
    const got = await pipe(retrieve(connection, chunkId), async source => {
      const parts: Array<Uint8Array<ArrayBuffer>> = []
      for await (const bytes of source) parts.push(bytes.slice() as Uint8Array<ArrayBuffer>)
      return new Blob(parts)
    })
    await connection.close()
    return { size: got.size, sent: await sha256(file), got: await sha256(got) }
  },

  async breakPipe (url, size) {
    const connection = await connect(url)
    const failing = async function * (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      let bytes = 0
      for await (const part of source) {
        if ((bytes += part.length) > size / 2) throw new Error('enough')
        yield part
      }
    }
    const message = await pipe(readFile(random(size)), failing, upload(connection, { size })).then(() => 'nothing', (error: Error) => error.message)
    const channels = connection.size
    await connection.close()
    return { message, channels }
  },

  async sleepOnFile (url, size) {
    const connection = await connect(url)
    const { id, sha256: sent } = await putFile(connection, random(size))
    const iterator = retrieve(connection, id as Id, { size })[Symbol.asyncIterator]()
    file = { connection, iterator, taken: [(await iterator.next()).value.slice()], sent, size }
    for (let round = 0; round < 20; round++) await roundTrip(connection, 1000)
    return file.taken[0]?.length ?? 0
  },

  async wakeOnFile () {
    const { connection, iterator, taken, sent, size } = file
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) taken.push(next.value.slice())
    await connection.close()
    return { size, sent, got: await sha256(new Blob(taken as Array<Uint8Array<ArrayBuffer>>)) }
  },

  async sleepOnChannel (url) {
    const muxer = mdsftp(await dial(url), { role: 'dialer' })
    const [first, second] = [await muxer.open(), await muxer.open()]
    const iterator = first.source[Symbol.asyncIterator]()
    channel = { iterator, taken: (await iterator.next()).value.byteLength, close: () => muxer.close() }
    await Promise.all([first.sink([]), second.sink([])])
    for await (const bytes of second.source) void bytes
    return channel.taken
  },

  async wakeOnChannel () {
    for (let next = await channel.iterator.next(); next.done !== true; next = await channel.iterator.next()) channel.taken += next.value.byteLength
    await channel.close()
    return channel.taken
  },

  async load (url) {
    return Object.keys(await import(/* @vite-ignore */ url)).length
  }
}

Object.assign(globalThis, { cases })

async function roundTrip (connection: StorageConnection, size: number): Promise<RoundTrip> {
  const { id, sha256: sent } = await putFile(connection, random(size))
  return { size, sent, got: await sha256(await getFile(connection, id)) }
}

function random (size: number): Blob {
  const bytes = new Uint8Array(size)
  // The most that one call gives.
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return new Blob([bytes])
}
