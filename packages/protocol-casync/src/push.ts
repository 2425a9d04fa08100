/**
 * What a client gives to a server: an index and the chunks that the server lacks, or an archive.
 *
 * @module
 */
import type { Bytes, Channel, ChunkCompression, ChunkId, ChunkSource, Source } from '@ropewalk/interface'
import { answers, Bell, sendFile } from './answering.ts'
import { MAX_QUEUED_REQUESTS } from './constants.ts'
import { CasyncError } from './errors.ts'
import { PushClientState } from './push-state.ts'
import { ourTrouble } from './serve-pull.ts'
import { Wire, type SessionOptions } from './wire.ts'

export interface PushOptions extends SessionOptions {
  /** The bytes of the index. It may grow while they are sent. */
  readonly index?: Source<Bytes> | undefined
  /** The bytes of the archive. */
  readonly archive?: Source<Bytes> | undefined
  /** Where the chunks of the index are. */
  readonly store?: ChunkSource | undefined
  readonly compression: ChunkCompression
  /** Requests that wait, above which nothing more is read. Default 65,536. */
  readonly maxQueued?: number | undefined
  /** Chunks that the server may ask for. Default 1,048,576. */
  readonly maxChunks?: number | undefined
}

/** What a client gave. */
export interface Pushed {
  readonly chunks: number
  /** Chunks that the server asked for and the store does not have. */
  readonly missing: number
  /** Bytes of chunks, as they were sent. */
  readonly bytes: number
}

/** Resolves when the server has said that it has everything; anything else is an error. */
export async function push (channel: Channel, options: PushOptions): Promise<Pushed> {
  const { index, archive, store, compression, maxQueued = MAX_QUEUED_REQUESTS } = options
  const state = new PushClientState({ index: index !== undefined, archive: archive !== undefined, chunks: store !== undefined }, options.maxChunks)
  const wire = new Wire(channel, state.hello, options)
  const stop = new AbortController()
  const requested = new Bell()
  const answered = new Bell()
  const pushed = { chunks: 0, missing: 0, bytes: 0 }
  let over = false
  let giving: Promise<void> | undefined

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
      if (message.type === 'CHUNK') {
        pushed.chunks++
        pushed.bytes += message.data.length
      } else {
        pushed.missing++
      }
      // Before it is sent: the goodbye of a server that is content may overtake our waiting for room.
      state.answered()
      await wire.send(message, { release, more })
    }
  }

  async function give (kind: 'index' | 'archive', source: Source<Bytes>): Promise<void> {
    await sendFile(wire, kind === 'index' ? 'INDEX' : 'ARCHIVE', source, () => { state.sent(kind) })
  }

  try {
    await wire.listen({
      async message (message) {
        const fact = state.receive(message)
        if (fact.type === 'greeted') {
          giving = Promise.all([
            index === undefined ? undefined : give('index', index),
            archive === undefined ? undefined : give('archive', archive),
            store === undefined ? undefined : answer(store)
          ]).then(() => {})
          giving.catch((error: unknown) => { wire.fail(ourTrouble(error)) })
        }
        if (fact.type === 'goodbye') {
          over = true
          void wire.finish().catch(() => {})
          wire.linger()
        }
        requested.ring()
        while (state.queued > maxQueued && wire.failure === undefined) await answered.heard()
      },
      end: () => { state.end() },
      waiting: () => !over
    })
    await giving
    return pushed
  } finally {
    over = true
    stop.abort(new CasyncError('ERR_INTERRUPTED', 'channel', 'the session is over', { remote: false }))
    requested.ring()
    answered.ring()
  }
}
