/**
 * Retrieval: a chunk, or a part of it, as a stream that is acknowledged as it is consumed.
 *
 * @module
 */
import type { ByteRange, TransferEvent } from '@ropewalk/interface'
import type { Fragment, Id, WireRange } from '@ropewalk/muxer-mdsftp'
import type { Uint8ArrayList } from 'uint8arraylist'
import { assertSize, limits, query, refused, type ClientOptions } from './client.ts'
import type { StorageConnection } from './connection.ts'
import { RETRIEVE_WINDOW } from './constants.ts'
import { StorageError } from './errors.ts'
import { closedEarly, openExchange, type Exchange } from './exchange.ts'
import { ReceiverState } from './receiver-state.ts'
import { Report } from './transfer.ts'

export interface RetrieveOptions extends ClientOptions {
  /** The bytes wanted; the end is cut to the chunk's. By default all. Not in the seed profile. */
  range?: ByteRange | undefined
  /** The size of the whole chunk, where it is known; otherwise the peer is asked first. */
  size?: number | undefined
  /** Fragments that may be under way, 1 to 16. Default 16. */
  window?: number | undefined
  /** The arrays are valid only until the next are asked for: their memory is used again, which is much faster. By default they are the reader's. */
  lend?: boolean | undefined
  /** What people call the transfer, in its events. By default the chunk's id. */
  name?: string | undefined
  onEvent?: ((event: TransferEvent) => void) | undefined
}

/**
 * The content of a committed chunk. Every number and the total are checked: what ends without an error is whole.
 * A fragment is acknowledged when the next is asked for; leaving early cancels the retrieval.
 * `ERR_NOT_FOUND`, `ERR_NOT_AVAILABLE`, `ERR_BAD_RANGE`, `ERR_INCOMPLETE`, `ERR_OVERFLOW`, `ERR_FRAGMENT_ORDER`, `ERR_TIMEOUT`, `ERR_INTERRUPTED`.
 */
export function retrieve (connection: StorageConnection, chunkId: Id, options: RetrieveOptions = {}): AsyncIterable<Uint8ArrayList> {
  const { range, size, window = RETRIEVE_WINDOW } = options
  if (!Number.isInteger(window) || window < 1 || window > RETRIEVE_WINDOW) throw new RangeError(`window ${window}: 1 to ${RETRIEVE_WINDOW}`)
  if (size !== undefined) assertSize(size)
  if (range !== undefined) {
    if (connection.profile.name === 'seed') throw new RangeError('the seed profile has no ranges')
    if (!Number.isSafeInteger(range.start) || !Number.isSafeInteger(range.end) || range.start < 0 || range.end < range.start) throw new RangeError(`range ${range.start} to ${range.end}`)
  }
  return fetch(connection, chunkId, options, window)
}

async function * fetch (connection: StorageConnection, chunkId: Id, options: RetrieveOptions, window: number): AsyncGenerator<Uint8ArrayList, void, undefined> {
  const { name = chunkId, onEvent } = options
  const { total, range } = await extent(connection, chunkId, options)
  const report = new Report(onEvent, name, 'receive', total)
  // A chunk of which the peer says that it has 0 bytes is asked for all the same: it may be empty, or not there yet.
  if (total === 0 && (range !== undefined || options.size !== undefined)) return report.finished()

  const { firstFragmentMs, progressMs } = limits(options)
  const exchange = openExchange(connection, options)
  const state = new ReceiverState(total)
  let left = true
  try {
    // The original has up to one fragment more under way than the window says (section 4.3).
    exchange.channel.reuses = options.lend === true
    exchange.channel.grant(window + 1)
    exchange.send({ type: 'Retrieve', chunkId, chunkBuffer: window, range })
    exchange.within(firstFragmentMs, 'first fragment')
    while (!state.complete) {
      const fragment = await nextFragment(exchange, chunkId, state, total)
      if (fragment === undefined) break
      exchange.pause()
      try {
        state.fragment(fragment.number, fragment.content.byteLength, fragment.last)
        if (fragment.content.byteLength > 0) yield fragment.content
      } finally {
        exchange.channel.release(fragment)
      }
      report.progress(state.received)
      if (!fragment.last) exchange.channel.grant(1)
      exchange.send({ type: 'RecvAck', number: fragment.number })
      exchange.within(progressMs, 'fragment')
    }
    left = false
    report.finished()
  } catch (error) {
    left = false
    report.failed(error)
    throw error
  } finally {
    if (left) report.failed(new StorageError('ERR_INTERRUPTED', 'transfer', 'the reader left', { remote: false }))
    exchange.end()
  }
}

/** The next fragment; `undefined` when there is none because there is nothing to send. */
async function nextFragment (exchange: Exchange, chunkId: Id, state: ReceiverState, total: number | undefined): Promise<Fragment | undefined> {
  for (;;) {
    const packet = await exchange.next()
    if (packet === undefined) {
      // An empty chunk: no fragment may be empty, so there is none (specification section 4.6).
      if (total === 0) return undefined
      if (state.received === 0) throw closedEarly('before any content')
      throw new StorageError('ERR_INCOMPLETE', 'transfer', `the peer closed the channel after ${state.received} of ${total ?? 'unknown'} bytes`)
    }
    if (packet.type === 'FileChunk') return packet
    if (packet.type === 'LockErr') throw refused(packet.errorKind, `retrieval of ${chunkId}`)
    if (packet.type === 'RecvAck') exchange.violation(packet.type)
  }
}

/** How many bytes will come, and the range that says so. In the seed profile nobody knows. */
async function extent (connection: StorageConnection, chunkId: Id, options: RetrieveOptions): Promise<{ total: number | undefined, range: WireRange | undefined }> {
  const { range } = options
  let { size } = options
  if (size === undefined && connection.profile.name !== 'seed') {
    size = (await query(connection, chunkId, options))?.size
    if (size === undefined) throw refused('not_found', `retrieval of ${chunkId}`)
  }
  if (range === undefined || size === undefined) return { total: size, range: undefined }
  if (range.start > size) throw new StorageError('ERR_BAD_RANGE', 'transfer', `the range starts at ${range.start} > ${size} bytes`, { remote: false })
  const end = Math.min(range.end, size)
  // No wire can say "nothing": 0 to 0 is the whole chunk. Such a range is answered here.
  return { total: end - range.start, range: { start: BigInt(range.start), end: BigInt(end) } }
}
