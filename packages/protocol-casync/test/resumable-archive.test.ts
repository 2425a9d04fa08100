import { Buffer } from 'node:buffer'
import type { TreeKept, TreeMark, TreeNode } from '@ropewalk/interface'
import t from 'tap'
import type { ArchivePart } from '../src/archive-decoder-codec.ts'
import { ArchiveEncoder } from '../src/archive-encoder-codec.ts'
import { archiveFeatures } from '../src/features.ts'
import { resumableArchive } from '../src/resumable-archive.ts'
import { ARCHIVES, decode } from './archives.ts'

type Part = ArchivePart | TreeMark | TreeKept

async function all (parts: AsyncIterable<Part | readonly Part[]>): Promise<Part[]> {
  const found: Part[] = []
  for await (const part of parts) found.push(...'kind' in part ? [part] : part)
  return found
}

/** Bytes of content that follow each other as their number, so that it does not matter how they came. */
function told (parts: readonly Part[]): unknown[] {
  const list: unknown[] = []
  let bytes = 0
  for (const part of parts) {
    if (part.kind === 'mark') continue
    if (part.kind === 'data' || part.kind === 'kept') {
      bytes += part.kind === 'data' ? part.bytes.length : part.bytes
      continue
    }
    if (bytes > 0) list.push(bytes)
    bytes = 0
    list.push(part)
  }
  return list
}

const marksOf = (parts: readonly Part[]): Uint8Array[] => parts.filter(part => part.kind === 'mark').map(({ trace }) => trace)
const cut = (bytes: Uint8Array, pieceBytes: number): Uint8Array[] => Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) => bytes.slice(i * pieceBytes, (i + 1) * pieceBytes))

t.test('whoever has the marks goes on behind the last of them, wherever that is', async t => {
  for (const { options, bytes } of ARCHIVES.slice(0, 4)) {
    const wanted = told(decode(bytes))
    for (const pieceBytes of [1, 61, 700]) {
      const pieces = cut(bytes, pieceBytes)
      const marks = marksOf(await all(resumableArchive().read(pieces)))
      t.equal(marks.length, pieces.length)
      const wrong: number[] = []
      for (let read = 0; read <= pieces.length; read += pieceBytes === 1 ? 97 : 1) {
        const archive = resumableArchive()
        const before = await all(archive.retrace(marks.slice(0, read)))
        if (archive.position !== Math.min(bytes.length, read * pieceBytes)) wrong.push(read)
        const behind = await all(archive.read([bytes.subarray(archive.position)]))
        if (JSON.stringify(told([...before, ...behind]), show) !== JSON.stringify(wanted, show)) wrong.push(read)
        // What it marks is behind the marks that there are.
        const third = resumableArchive()
        await all(third.retrace([...marks.slice(0, read), ...marksOf(behind)]))
        if (third.position !== bytes.length) wrong.push(read)
      }
      t.same(wrong, [], `${options.join(' ')}, pieces of ${pieceBytes}`)
    }
  }
})

t.test('a mark keeps nothing of what was lent, and of content its length', async t => {
  const bytes = (ARCHIVES[0] as typeof ARCHIVES[number]).bytes
  const lent = new Uint8Array(1000)
  async function * pieces (): AsyncGenerator<Uint8Array> {
    for (const piece of cut(bytes, lent.length)) {
      lent.set(piece)
      yield lent.subarray(0, piece.length)
      lent.fill(0xff)
    }
  }
  const marks = marksOf(await all(resumableArchive().read(pieces())))
  t.same(told(await all(resumableArchive().retrace(marks))), told(decode(bytes)))
  const content = told(decode(bytes)).filter(part => typeof part === 'number').reduce<number>((sum, part) => sum + (part as number), 0)
  t.ok(content > 0)
  t.ok(marks.reduce((sum, { length }) => sum + length, 0) < bytes.length - content + 8 * (marks.length + 100))
})

t.test('nothing is kept of what was lent, however long records are and wherever they are cut', async t => {
  const value = Buffer.alloc(5000, 'value ')
  const nodes: TreeNode[] = [
    { path: '', type: 'directory', permissions: 0o755, uid: 0, gid: 0, mtime: 1n, xattrs: [{ name: 'user.long', value }] },
    { path: 'a'.repeat(255), type: 'file', permissions: 0o644, uid: 1, gid: 2, mtime: 3n, size: 0, xattrs: [{ name: `user.${'b'.repeat(200)}`, value }] },
    { path: 'link', type: 'symlink', permissions: 0o777, uid: 0, gid: 0, mtime: 5n, target: 'c/'.repeat(1500) }
  ]
  const encoder = new ArchiveEncoder(archiveFeatures())
  const bytes = Buffer.concat([...nodes.flatMap(node => encoder.node(node)), ...encoder.end()])
  for (const length of [1, 15, 16, 17, 600, 700, 4999, 6000]) {
    const lent = new Uint8Array(length)
    async function * pieces (): AsyncGenerator<Uint8Array> {
      for (const piece of cut(bytes, length)) {
        lent.set(piece)
        yield lent.subarray(0, piece.length)
        lent.fill(0xff)
      }
    }
    const found = (await all(resumableArchive().read(pieces()))).flatMap(part => part.kind === 'node' ? [part.node] : [])
    t.same(found.map(node => ({ ...node, xattrs: node.xattrs?.map(({ name, value }) => ({ name, value: Buffer.from(value) })) })), nodes.map(node => ({ ...node, xattrs: node.xattrs })), `pieces of ${length}`)
  }
})

t.test('what is no trace, or of another archive, is refused', async t => {
  const [first, second] = ARCHIVES as [typeof ARCHIVES[number], typeof ARCHIVES[number]]
  const marks = marksOf(await all(resumableArchive().read(cut(first.bytes, 500))))
  const whole = Buffer.concat(marks)
  await t.rejects(all(resumableArchive().retrace([whole.subarray(0, 3)])), RangeError)
  await t.rejects(all(resumableArchive().retrace([whole.subarray(0, 40)])), RangeError, 'one that ends early')
  await t.rejects(all(resumableArchive().retrace([marks[1] as Uint8Array])), { code: 'ERR_ARCHIVE' }, 'without its beginning')
  await t.rejects(all(resumableArchive().retrace([whole, whole])), { code: 'ERR_ARCHIVE' }, 'bytes behind the end')
  await t.rejects(all(resumableArchive().retrace([Buffer.from('010000800000', 'hex').subarray(0, 4)])), { code: 'ERR_ARCHIVE', message: /a trace of another archive/ }, 'content where there is no file')
  const archive = resumableArchive()
  await all(archive.retrace(marks.slice(0, 2)))
  await t.rejects(all(archive.read([second.bytes.subarray(0, 100)])), { code: 'ERR_ARCHIVE' })
  const cutShort = resumableArchive()
  await all(cutShort.retrace(marks.slice(0, 2)))
  await t.rejects(all(cutShort.read([])), { code: 'ERR_TRUNCATED' })
})

function show (_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}
