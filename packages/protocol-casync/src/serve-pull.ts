/**
 * What a server gives to a client: an index, chunks, an archive.
 *
 * @module
 */
import type { Bytes, Channel, ChunkCompression, ChunkId, ChunkSource, Source } from '@ropewalk/interface'
import { answers, Bell, sendFile } from './answering.ts'
import { MAX_QUEUED_REQUESTS } from './constants.ts'
import { CasyncError } from './errors.ts'
import type { Message } from './message-codec.ts'
import { PullServerState } from './pull-state.ts'
import { Wire, type SessionOptions } from './wire.ts'

export interface ServePullOptions extends SessionOptions {
  /** The bytes of the index; only iterated for a client that wishes it. */
  readonly index?: Source<Bytes> | undefined
  /** The bytes of the archive, likewise. */
  readonly archive?: Source<Bytes> | undefined
  /** Where the chunks are. Without it none is offered. */
  readonly store?: ChunkSource | undefined
  readonly compression: ChunkCompression
  /** Requests that wait, above which nothing more is read. Default 65,536. */
  readonly maxQueued?: number | undefined
}

/** What a server gave. */
export interface PullServed {
  readonly chunks: number
  readonly missing: number
  /** Bytes of chunks, as they were sent. */
  readonly bytes: number
}

/** Serves one client, until it goes. Rejects when it breaks the protocol, or when a chunk is damaged. */
export async function servePull (channel: Channel, options: ServePullOptions): Promise<PullServed> {
  const { index, archive, store, compression, maxQueued = MAX_QUEUED_REQUESTS } = options
  const state = new PullServerState({ index: index !== undefined, archive: archive !== undefined, chunks: store !== undefined })
  const wire = new Wire(channel, state.hello, options)
  const stop = new AbortController()
  const requested = new Bell()
  const answered = new Bell()
  const served = { chunks: 0, missing: 0, bytes: 0 }
  let over = false
  let answering: Promise<void> | undefined

  async function * ids (): AsyncGenerator<ChunkId, void, undefined> {
    for (;;) {
      const id = state.next()
      if (id !== undefined) {
        answered.ring()
        yield id
      } else if (over) {
        return
      } else {
        await requested.heard()
      }
    }
  }

  async function answer (source: ChunkSource): Promise<void> {
    for await (const { message, release, more } of answers(ids(), source, compression, wire, stop.signal)) {
      count(served, message)
      await wire.send(message, { release, more })
    }
  }

  async function give (): Promise<void> {
    const files: Array<Promise<void>> = []
    if (index !== undefined && state.wants('index')) files.push(sendFile(wire, 'INDEX', index))
    if (archive !== undefined && state.wants('archive')) files.push(sendFile(wire, 'ARCHIVE', archive))
    if (store !== undefined) files.push(answer(store))
    await Promise.all(files)
    // A client that has what it wants says so, or goes.
    while (!over) await requested.heard()
    await wire.finish()
    wire.linger()
  }

  try {
    await wire.listen({
      async message (message) {
        const fact = state.receive(message)
        if (fact.type === 'greeted') {
          answering = give()
          answering.catch((error: unknown) => { wire.fail(ourTrouble(error)) })
        }
        if (fact.type === 'goodbye') over = true
        requested.ring()
        while (state.queued > maxQueued && wire.failure === undefined) await answered.heard()
      },
      end () {
        state.end()
        over = true
        requested.ring()
      },
      waiting: () => !over
    })
    await answering
    await wire.finish()
    return served
  } finally {
    over = true
    stop.abort(new CasyncError('ERR_INTERRUPTED', 'channel', 'the session is over', { remote: false }))
    requested.ring()
    answered.ring()
  }
}

function count (served: { chunks: number, missing: number, bytes: number }, message: Message): void {
  if (message.type === 'MISSING') served.missing++
  if (message.type !== 'CHUNK') return
  served.chunks++
  served.bytes += message.data.length
}

/** What a store, or whoever gives a file, could not do. */
export function ourTrouble (error: unknown): unknown {
  if (error instanceof CasyncError || !(error instanceof Error)) return error
  const code = 'code' in error && (error.code === 'ERR_CHUNK_DAMAGED' || error.code === 'ERR_CHUNK_SIZE') ? error.code : 'ERR_STORE'
  return new CasyncError(code, 'transfer', error.message, { remote: false, cause: error, id: 'id' in error ? String(error.id) : undefined })
}
