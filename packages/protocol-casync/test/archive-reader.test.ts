import t from 'tap'
import { openArchive, type ArchivePlace, type ArchiveReader } from '../src/archive-reader.ts'
import { blobReader } from '../src/blob-reader.ts'
import { chunk } from '../src/chunk.ts'
import { CasyncError } from '../src/errors.ts'
import { identify } from '../src/identify.ts'
import { MemoryStore } from '../src/memory-store.ts'
import type { RandomRead } from '../src/seed.ts'
import { ARCHIVES, decode } from './archives.ts'
import { nodeHash } from './inputs.ts'

class Counted implements RandomRead {
  readonly #bytes: Uint8Array
  reads = 0
  bytes = 0

  constructor (bytes: Uint8Array) {
    this.#bytes = bytes
  }

  async read (into: Uint8Array, position: number): Promise<number> {
    const piece = this.#bytes.subarray(position, position + into.length)
    into.set(piece)
    this.reads++
    this.bytes += piece.length
    return piece.length
  }
}

async function bytesOf (archive: ArchiveReader, place: ArchivePlace): Promise<string> {
  const pieces = []
  for await (const piece of archive.read(place)) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

async function pathsOf (archive: ArchiveReader, place: ArchivePlace = archive.root): Promise<string[]> {
  const paths = [place.node.path]
  if (place.node.type === 'directory') for await (const child of archive.children(place)) paths.push(...await pathsOf(archive, child))
  return paths
}

t.test('every path of the original\'s archives is found where it stands, and nothing else is', async t => {
  for (const { options, bytes } of ARCHIVES) {
    const archive = await openArchive(new Counted(bytes), bytes.length)
    const parts = decode(bytes)
    for (const [i, part] of parts.entries()) {
      if (part.kind !== 'node') continue
      const place = await archive.find(part.node.path)
      t.same({ node: place?.node, offset: place?.offset }, { node: part.node, offset: part.offset }, `${part.node.path} ${options.join(' ')}`)
      const next = parts[i + 1]
      if (part.node.type === 'file' && next?.kind === 'data') t.equal(await bytesOf(archive, place as ArchivePlace), Buffer.from(next.bytes).toString('latin1'))
    }
    t.same(await pathsOf(archive), parts.filter(part => part.kind === 'node').map(({ node }) => node.path))
    for (const path of ['nothing', 'a/b', 'sub/nothing', '..', '/', 'sub/']) t.equal(await archive.find(path), undefined, path)
  }
})

t.test('a path costs some reads, however much lies before it, and chunks that are not needed are not fetched', async t => {
  const { bytes } = ARCHIVES[0] as typeof ARCHIVES[number]
  const file = new Counted(bytes)
  const archive = await openArchive(file, bytes.length)
  await archive.find('x')
  t.ok(file.bytes < bytes.length / 4, `${file.bytes} of ${bytes.length} bytes`)

  const store = new MemoryStore(nodeHash)
  const items = []
  for await (const item of identify(nodeHash)(chunk({ min: 64, avg: 128, max: 256 })([bytes]))) {
    items.push(item)
    await store.put(item)
  }
  const fetched = new Set<string>()
  const blob = await blobReader(items, { get: async (id, options) => { fetched.add(id); return await store.get(id, options) } })
  t.equal(blob.size, bytes.length)
  const through = await openArchive(blob, blob.size)
  t.equal((await through.find('sub/deeper/f'))?.node.type, 'file')
  t.ok(fetched.size < items.length / 2, `${fetched.size} of ${items.length} chunks`)
  const whole = new Uint8Array(bytes.length + 10)
  t.equal(await blob.read(whole, 0), bytes.length)
  t.ok(Buffer.from(bytes).equals(whole.subarray(0, bytes.length)))
  t.equal(await blob.read(whole, bytes.length), 0)
  await t.rejects(blobReader(items, store, { maxChunks: 3 }), { code: 'ERR_INDEX_TOO_LARGE' })
  await t.rejects((await blobReader(items, new MemoryStore(nodeHash))).read(whole, 0), { code: 'ERR_CHUNK_MISSING' })
})

t.test('a flipped bit in every seventh byte leads nobody astray: another node, none, or a coded error', async t => {
  const { bytes } = ARCHIVES[2] as typeof ARCHIVES[number]
  let refused = 0
  for (let at = 0; at < bytes.length; at += 7) {
    const flipped = bytes.slice()
    flipped[at] = (flipped[at] as number) ^ 1 << at % 8
    try {
      const archive = await openArchive(new Counted(flipped), flipped.length)
      await archive.find('ex/y/sub')
      await pathsOf(archive)
    } catch (error) {
      refused++
      if (!(error instanceof CasyncError && ['ERR_ARCHIVE', 'ERR_TRUNCATED'].includes(error.code))) throw error
    }
  }
  t.ok(refused > bytes.length / 7 / 3, `${refused} of ${bytes.length}`)
})
