import type { Chunk, ChunkCompression, ChunkId, ChunkSource, Source, Bytes } from '@ropewalk/interface'
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

/** What is sent, and what is to be called once nothing of it is needed any more. */
export interface Answer {
  readonly message: Message
  readonly release?: (() => void) | undefined
}

/** The answers to `ids`, in order, several of them being fetched and compressed at a time. */
export function answers (ids: AsyncIterable<ChunkId>, store: ChunkSource, compression: ChunkCompression, signal: AbortSignal): AsyncGenerator<Answer, void, undefined> {
  return lookahead(ids, async (id, turn): Promise<Answer> => {
    const options = { signal: turn.signal, urgent: turn.urgent }
    const lent = await store.lend?.(id, options)
    const data = lent?.bytes ?? await compressed(await store.get(id, options), compression)
    if (data === undefined) return { message: { type: 'MISSING', id } }
    if (data.length > MAX_WIRE_CHUNK_BYTES) {
      throw new CasyncError('ERR_FRAME_SIZE', 'transfer', `chunk ${id} does not fit a frame: ${data.length} > ${MAX_WIRE_CHUNK_BYTES} bytes`, { id, remote: false })
    }
    return { message: { type: 'CHUNK', compressed: true, id, data }, release: lent === undefined ? undefined : () => { lent.release() } }
  }, { maxItems: ANSWERS_AHEAD, signal })
}

/** desync reads nothing but compressed chunks. */
async function compressed (chunk: Chunk | undefined, compression: ChunkCompression): Promise<Uint8Array | undefined> {
  return chunk === undefined ? undefined : chunk.compressed ?? await compression.compress(chunk.bytes)
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
