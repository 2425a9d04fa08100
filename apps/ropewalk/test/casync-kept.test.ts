/** What an extraction of a tree keeps for whoever begins again. */
import { appendFile, chown, mkdir, readFile, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Chunk } from '@ropewalk/interface'
import { decodeIndex, type IndexItem } from '@ropewalk/protocol-casync'
import { duplexPair } from '@ropewalk/testing'
import t from 'tap'
import { KeptChunks } from '../src/casync/kept-chunks.ts'
import { Partial } from '../src/casync/partial.ts'
import { serveCall } from '../src/casync/serving.ts'
import { TreeJournal } from '../src/casync/tree-journal.ts'
import { casync, compression, makeBlob, makeTree, noise, sha512 } from './casync-scene.ts'
import { folder } from './processes.ts'

const chunkOf = (bytes: Uint8Array): Chunk => ({ id: sha512(bytes), bytes })

t.test('chunks that were noted are there for the next, unhashed until the system has started anew', async t => {
  const at = await folder(t)
  const [plain, packed, last] = [chunkOf(noise('plain', 5000)), chunkOf(Buffer.alloc(9000, 'packed')), chunkOf(noise('last', 100))]
  {
    await using kept = await KeptChunks.open(at, 'sha512-256')
    const puts = [plain, { ...packed, compressed: await compression.compress(packed.bytes) }, plain].map(async chunk => await kept.put(chunk))
    t.same(await Promise.all(puts), [true, true, false])
    t.equal(await kept.put(last), true)
    t.same((await kept.get(packed.id, { length: 9000 }))?.bytes, Buffer.from(packed.bytes))
  }
  // Killed while the last note was written.
  await truncate(join(at, 'notes'), 32 + 3 * 48 - 1)
  {
    await using kept = await KeptChunks.open(at, 'sha512-256')
    t.equal(kept.size, 2)
    t.same((await kept.get(plain.id))?.bytes, Buffer.from(plain.bytes))
    t.equal(await kept.get(packed.id, { length: 8999 }), undefined, 'nothing longer than it may be')
    t.equal(await kept.get(last.id), undefined)
    t.equal(await kept.put(last), true)
  }
  const stored = await readFile(join(at, 'chunks'))
  stored[17] = (stored[17] as number) ^ 1
  await writeFile(join(at, 'chunks'), stored)
  {
    await using kept = await KeptChunks.open(at, 'sha512-256')
    t.not((await kept.get(plain.id))?.bytes[17], plain.bytes[17], 'not hashed again')
  }
  const notes = await readFile(join(at, 'notes'))
  notes.fill(0, 0, 32)
  await writeFile(join(at, 'notes'), notes)
  {
    await using kept = await KeptChunks.open(at, 'sha512-256')
    t.equal(await kept.get(plain.id), undefined, 'hashed, and not believed')
    t.same((await kept.get(packed.id))?.bytes, Buffer.from(packed.bytes))
    t.same((await kept.get(last.id))?.bytes, Buffer.from(last.bytes))
    t.equal(await kept.put(plain), true)
    t.same((await kept.get(plain.id))?.bytes, Buffer.from(plain.bytes))
  }
  await writeFile(join(at, 'notes'), 'nothing of ours')
  await using kept = await KeptChunks.open(at, 'sha512-256')
  t.equal(kept.size, 0)
})

t.test('a note of any bytes, as a lost start of the system leaves it, is a chunk that is not there', async t => {
  const at = await folder(t)
  const [id, record] = [sha512(noise('any', 10)), Buffer.alloc(48)]
  record.write(id, 'hex')
  record.writeDoubleLE(1.5, 32)
  record.writeUInt32LE(10, 40)
  await writeFile(join(at, 'notes'), Buffer.concat([Buffer.alloc(32), record]))
  await writeFile(join(at, 'chunks'), noise('any', 100))
  await using kept = await KeptChunks.open(at, 'sha512-256')
  t.equal(await kept.get(id), undefined)
})

t.test('half a note of where a chunk is does not spoil those behind it', async t => {
  const at = await folder(t)
  const index = await makeBlob(noise('index', 1000), join(at, 'a.caibx'), join(at, 'default.castr'))
  const noted = async (...starts: number[]): Promise<number[]> => {
    const partial = await Partial.open(join(at, 'out'))
    await partial.keepIndex([index], { add: () => {}, expect: () => {}, end: () => {} })
    const before = [...partial.resume() ?? [NaN]]
    for (const start of starts) partial.note(start)
    await partial.close(false)
    return before
  }
  t.same(await noted(1, 2), [])
  await appendFile(join(at, '.#out.part', 'journal'), 'abc')
  t.same(await noted(3), [1, 2])
  t.same(await noted(), [1, 2, 3])
})

t.test('half a trace of a tree is none, and does not spoil those behind it', async t => {
  const at = await folder(t)
  const noted = async (of: string, ...texts: string[]): Promise<string[]> => {
    await using journal = await TreeJournal.open(at, of)
    const before: string[] = []
    for await (const trace of journal.traces()) before.push(Buffer.from(trace).toString())
    for (const text of texts) journal.note(Buffer.from(text))
    return before
  }
  t.same(await noted('tree', 'one', 'two'), [])
  for (const torn of ['', 'ab', '\u0003\0\0\0ab', '\u{7f}'.repeat(100), '\u{7f}\0\0\0a\u0001\0\0\0b']) {
    const path = join(at, 'tree-journal')
    const whole = await readFile(path)
    await appendFile(path, torn)
    t.same(await noted('tree', 'x'), ['one', 'two'], JSON.stringify(torn.slice(0, 10)))
    t.same(await noted('tree'), ['one', 'two', 'x'])
    await writeFile(path, whole)
  }
  t.same(await noted('another', 'three'), [])
  t.same(await noted('another'), ['three'])
  t.same(await noted('tree'), [])
})

t.test('a tree of which a chunk lacks goes on when it is there, unless it is another tree, or the system was started anew', async t => {
  const at = await folder(t)
  await makeTree(at)
  const digest = (await casync(at, ['make', '--with=unix', '--chunk-size=1K:2K:8K', 't.caidx', 'src'])).fact('made')['digest']
  await writeFile(join(at, 'src/a/file 0'), 'another')
  const other = (await casync(at, ['make', '--with=unix', '--chunk-size=1K:2K:8K', 'u.caidx', 'src'])).fact('made')['digest']
  const items: IndexItem[] = []
  for await (const item of decodeIndex()([await readFile(join(at, 't.caidx'))])) items.push(item)
  // Of the large file, which comes last: all small ones are written.
  const { id } = items.at(-10) as IndexItem
  const chunk = join(at, 'default.castr', id.slice(0, 4), `${id}.cacnk`)
  const journal = join(at, '.#out.part', 'tree-journal')
  const flip = async (position: number): Promise<void> => {
    const bytes = await readFile(journal)
    bytes[position] = (bytes[position] as number) ^ 1
    await writeFile(journal, bytes)
  }
  const table: ReadonlyArray<readonly [what: string, change: () => Promise<unknown>, next: string, least: number, most: number]> = [
    ['as it was', async () => {}, 't.caidx', items.length - 300, items.length],
    ['half a trace at the end', async () => { await truncate(journal, (await readFile(journal)).length - 1) }, 't.caidx', items.length - 300, items.length],
    ['bytes behind the last trace', async () => { await appendFile(journal, Buffer.alloc(100, 0xff)) }, 't.caidx', items.length - 300, items.length],
    ['another start of the system', async () => { await flip(0) }, 't.caidx', 0, 0],
    ['a journal that is none', async () => { await flip(45) }, 't.caidx', 0, 0],
    ['another tree', async () => {}, 'u.caidx', 0, 0]
  ]
  for (const [what, change, next, least, most] of table) {
    await rename(chunk, join(at, 'chunk'))
    const failed = await casync(at, ['extract', 't.caidx', 'out'])
    t.match(failed.fact('failed'), { code: 'ERR_CHUNK_MISSING', chunk: id })
    t.same((await readdir(at)).filter(name => name.startsWith('.') || name === 'out'), ['.#out.part'])
    await rename(join(at, 'chunk'), chunk)
    await change()
    const { code, stderr, fact } = await casync(at, ['extract', next, 'out'])
    t.equal(code, 0, stderr)
    const { resumed } = fact('extracted')['from'] as { resumed: number }
    t.ok(resumed >= least && resumed <= most, `${what}: ${resumed} chunks from before, not ${least} ... ${most}`)
    t.match((await casync(at, ['digest', '--with=unix', 'out'])).fact('digest'), { digest: next === 't.caidx' ? digest : other })
    await rm(join(at, 'out'), { recursive: true })
  }
})

t.test('what another user has laid beside the output is not believed', { skip: process.geteuid?.() !== 0 && 'only root can give a folder away' }, async t => {
  const at = await folder(t)
  await mkdir(join(at, '.#out.part'))
  await chown(join(at, '.#out.part'), 65_534, 65_534)
  await t.rejects(Partial.open(join(at, 'out')), { code: 'ERR_FILE', message: /of another user \(65534, not 0\)/ })
  t.same(await readdir(join(at, '.#out.part')), [])
  await chown(join(at, '.#out.part'), 0, 0)
  await (await Partial.open(join(at, 'out'))).close(true)
  t.same(await readdir(at), [])
})

t.test('a push of which one file cannot be made leaves nothing of the other', async t => {
  const at = await folder(t)
  const [connection] = duplexPair()
  const file = (path: string): { kind: 'file', path: string } => ({ kind: 'file', path: join(at, path) })
  await t.rejects(serveCall(connection, { verb: 'push', index: file('a.caibx'), archive: file('nowhere/a.catar'), stores: [undefined] }, { env: {}, signal: new AbortController().signal }), { code: 'ENOENT' })
  t.same(await readdir(at), [])
})
