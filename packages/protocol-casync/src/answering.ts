import type { Chunk, ChunkCompression, ChunkId, ChunkSource, LentBytes, Source, Bytes } from '@ropewalk/interface'
import { ByteQueue } from '@ropewalk/framing'
import { ANSWERS_AHEAD, INDEX_SLICE_BYTES, LENT_AHEAD, MAX_WIRE_CHUNK_BYTES } from './constants.ts'
import { CasyncError } from './errors.ts'
import { lookahead } from './lookahead.ts'
import type { Message } from './message-codec.ts'
import type { SendOptions } from './outbox.ts'
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

/** What is sent, what is to be called once nothing of it is needed any more, and whether another is there already. */
export interface Answer extends SendOptions {
  readonly message: Message
}

interface Asked {
  readonly id: ChunkId
  readonly lent: LentBytes | undefined
}

/** The answers to `ids`, in order, several of them being fetched and compressed at a time. What the store lends is used only where `wire` tells when it has been sent. */
export async function * answers (ids: AsyncIterable<ChunkId>, store: ChunkSource, compression: ChunkCompression, wire: Wire, signal: AbortSignal): AsyncGenerator<Answer, void, undefined> {
  const asked = wire.releases && store.lend !== undefined ? lookahead(ids, async (id, turn) => ({ id, lent: await store.lend?.(id, turn) }), { maxItems: LENT_AHEAD, signal }) : unlent(ids)
  // In their order, those that were found and those that are still looked for.
  const begun: Array<{ ready: boolean }> = []
  const found = lookahead(asked, async ({ id, lent }, turn): Promise<Omit<Answer, 'more'>> => {
    const own = { ready: false }
    begun.push(own)
    const data = lent?.bytes ?? await compressed(await store.get(id, turn), compression)
    if (data !== undefined && data.length > MAX_WIRE_CHUNK_BYTES) {
      throw new CasyncError('ERR_FRAME_SIZE', 'transfer', `chunk ${id} does not fit a frame: ${data.length} > ${MAX_WIRE_CHUNK_BYTES} bytes`, { id, remote: false })
    }
    own.ready = true
    if (data === undefined) return { message: { type: 'MISSING', id } }
    return { message: { type: 'CHUNK', compressed: true, id, data }, release: lent === undefined ? undefined : () => { lent.release() } }
  }, { maxItems: ANSWERS_AHEAD, signal })
  for await (const answer of found) {
    begun.shift()
    yield { ...answer, more: begun[0]?.ready === true }
  }
}

async function * unlent (ids: AsyncIterable<ChunkId>): AsyncGenerator<Asked, void, undefined> {
  for await (const id of ids) yield { id, lent: undefined }
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
