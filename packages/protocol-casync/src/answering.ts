import type { ChunkCompression, ChunkId, ChunkSource, Source, Bytes } from '@ropewalk/interface'
import { ByteQueue } from '@ropewalk/framing'
import { ANSWERS_AHEAD, INDEX_SLICE_BYTES, MAX_WIRE_CHUNK_BYTES } from './constants.ts'
import { CasyncError } from './errors.ts'
import { lookahead } from './lookahead.ts'
import type { Message } from './message-codec.ts'
import type { Wire } from './wire.ts'

/** Lets one side of a session wait for what the other brings. */
export class Bell {
  #ring: (() => void) | undefined
  #rung = false

  ring (): void {
    this.#rung = true
    this.#ring?.()
  }

  /** Resolves when it rings, or at once when it rang since the last time. */
  async heard (): Promise<void> {
    if (!this.#rung) await new Promise<void>(resolve => { this.#ring = resolve })
    this.#rung = false
    this.#ring = undefined
  }
}

/** The answers to `ids`, in order, several of them being fetched and compressed at a time. */
export function answers (ids: AsyncIterable<ChunkId>, store: ChunkSource, compression: ChunkCompression, signal: AbortSignal): AsyncGenerator<Message, void, undefined> {
  return lookahead(ids, async (id, turn): Promise<Message> => {
    const chunk = await store.get(id, { signal: turn.signal, urgent: turn.urgent })
    if (chunk === undefined) return { type: 'MISSING', id }
    // desync reads nothing but compressed chunks.
    const data = chunk.compressed ?? await compression.compress(chunk.bytes)
    if (data.length > MAX_WIRE_CHUNK_BYTES) {
      throw new CasyncError('ERR_FRAME_SIZE', 'transfer', `chunk ${id} does not fit a frame: ${data.length} > ${MAX_WIRE_CHUNK_BYTES} bytes`, { id, remote: false })
    }
    return { type: 'CHUNK', compressed: true, id, data }
  }, { maxItems: ANSWERS_AHEAD, signal })
}

/** Sends a file in slices of 64 KiB, since casync misreads an index of which fewer than 64 bytes come first. */
export async function sendFile (wire: Wire, kind: 'INDEX' | 'ARCHIVE', source: Source<Bytes>, onSent: () => void = () => {}): Promise<void> {
  const held = new ByteQueue({ maxBytes: INDEX_SLICE_BYTES, maxChunks: INDEX_SLICE_BYTES })
  const send = async (): Promise<void> => { await wire.send({ type: kind, data: held.take(held.byteLength) }) }
  for await (const bytes of source) {
    for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
      for (let at = 0; at < piece.length;) {
        const end = Math.min(piece.length, at + INDEX_SLICE_BYTES - held.byteLength)
        held.push(piece.subarray(at, end))
        at = end
        if (held.byteLength === INDEX_SLICE_BYTES) await send()
      }
    }
  }
  if (held.byteLength > 0) await send()
  // Told before: the answer to it may come while we wait for room.
  onSent()
  await wire.send({ type: `${kind}_EOF` })
}
