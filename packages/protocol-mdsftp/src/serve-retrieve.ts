/**
 * Answers Retrieve. A failure is told by LockErr before any byte is sent, then a close: the original ignores the one and
 * understands the other (finding 7).
 *
 * @module
 */
import type { FragmentReader } from '@ropewalk/interface'
import type { ControlPacket, ErrorKind, WireRange } from '@ropewalk/muxer-mdsftp'
import { ReaderFeed } from './feed.ts'
import { sendContent } from './sending.ts'
import type { Session } from './session.ts'
import { Report } from './transfer.ts'

export async function serveRetrieve (session: Session, request: Extract<ControlPacket, { type: 'Retrieve' }>): Promise<boolean> {
  const { exchange, service: { node } } = session
  const { chunkId } = request
  if (request.range !== undefined && request.range.start >= request.range.end) return refuse('not_available')
  await node.settled(chunkId)
  // What is known to be damaged is not handed out as if it were whole.
  if (node.damaged.has(chunkId) || !node.lock(chunkId, 'read')) return refuse('not_available')

  let reader: FragmentReader | undefined
  try {
    try {
      reader = await node.store.read(chunkId)
    } catch (error) {
      return refuse((error as { code?: unknown }).code === 'ERR_NOT_FOUND' ? 'not_found' : 'not_available')
    }
    const extent = extentOf(request.range, reader.size)
    if (extent === undefined) return refuse('not_available')
    await send(session, request, reader, extent)
    return false
  } finally {
    node.locks.release(chunkId, 'read')
    await reader?.close().catch(() => {})
  }

  function refuse (errorKind: ErrorKind): false {
    exchange.send({ type: 'LockErr', kind: 'read', errorKind, chunkId })
    return false
  }
}

async function send ({ exchange, service }: Session, { chunkId, chunkBuffer }: Extract<ControlPacket, { type: 'Retrieve' }>, reader: FragmentReader, { start, size }: { start: number, size: number }): Promise<void> {
  const { fragments, maxFragments, maxBytes, progressMs, copies, onEvent } = service
  const report = new Report(onEvent, chunkId, 'send', size)
  try {
    // No fragment may be empty: of nothing, nothing is sent (specification section 4.6).
    if (size > 0) {
      const feed = new ReaderFeed(reader, start, copies)
      await sendContent(exchange, feed, { size, ...fragments, window: chunkBuffer, maxFragments, maxBytes, progressMs, onAcknowledged: bytes => report.progress(bytes) })
    }
    report.finished()
  } catch (error) {
    report.failed(error)
    // The close tells the peer; it goes out when what the channel holds is free.
    throw error
  }
}

/** Where to read; `undefined` for what is not in the chunk. 64-bit arithmetic, so that nothing wraps (finding 21). */
function extentOf (range: WireRange | undefined, size: number): { start: number, size: number } | undefined {
  if (range === undefined) return { start: 0, size }
  if (range.end > BigInt(size)) return undefined
  return { start: Number(range.start), size: Number(range.end - range.start) }
}
