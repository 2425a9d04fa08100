// casync as pipelines: a blob becomes chunks and an index; a second version costs only what changed; both come back.
// Run: node chunk-and-assemble.ts
import { chunk, decodeIndex, encodeIndex, fetchChunks, identify, MemoryStore, storeMissing, type StoredChunk } from '@ropewalk/protocol-casync'
import { nodeHash } from '@ropewalk/store-castr'
import { pipe } from 'it-pipe'

const store = new MemoryStore(nodeHash)

// Numbers that look like chance, and are the same each time.
function blob (bytes: number): Uint8Array {
  const content = new Uint8Array(bytes)
  let seed = 1
  for (let i = 0; i < bytes; i++) {
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    content[i] = seed
  }
  return content
}

async function make (content: Uint8Array): Promise<{ index: Uint8Array[], fresh: number }> {
  let fresh = 0
  const index: Uint8Array[] = []
  async function * counted (items: AsyncIterable<StoredChunk>): AsyncGenerator<StoredChunk> {
    for await (const item of items) {
      if (item.fresh) fresh++
      yield item
    }
  }
  for await (const bytes of pipe([content], chunk(), identify(nodeHash), storeMissing(store), counted, encodeIndex())) index.push(bytes)
  return { index, fresh }
}

const first = blob(4_000_000)
const second = first.slice()
second[2_000_000] = (second[2_000_000] as number) ^ 1
const before = await make(first)
const after = await make(second)
console.log(before.fresh > 20, after.fresh <= 2) // true true

let [size, equal] = [0, true]
for await (const { bytes } of pipe(after.index, decodeIndex(), fetchChunks(store))) {
  equal &&= bytes.every((byte, i) => byte === second[size + i])
  size += bytes.length
}
console.log(size, equal) // 4000000 true
