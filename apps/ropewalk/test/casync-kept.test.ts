/** What an extraction of a tree keeps for whoever begins again. */
import { appendFile, chown, mkdir, readFile, readdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Chunk } from '@ropewalk/interface'
import { duplexPair } from '@ropewalk/testing'
import t from 'tap'
import { KeptChunks } from '../src/casync/kept-chunks.ts'
import { Partial } from '../src/casync/partial.ts'
import { serveCall } from '../src/casync/serving.ts'
import { compression, makeBlob, noise, sha512 } from './casync-scene.ts'
import { folder } from './processes.ts'

const chunkOf = (bytes: Uint8Array): Chunk => ({ id: sha512(bytes), bytes })

t.test('chunks that were noted are there for the next, unhashed until the system has started anew', async t => {
  const at = await folder(t)
  const [plain, packed, last] = [chunkOf(noise('plain', 5000)), chunkOf(Buffer.alloc(9000, 'packed')), chunkOf(noise('last', 100))]
  {
    await using kept = await KeptChunks.open(at, 'sha512-256')
    const puts = [plain, { ...packed, compressed: await compression.compress(packed.bytes) }, last, plain].map(async chunk => await kept.put(chunk))
    t.same(await Promise.all(puts), [true, true, true, false])
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
