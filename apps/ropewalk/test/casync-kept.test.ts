/** What an extraction of a tree keeps for whoever begins again. */
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Chunk } from '@ropewalk/interface'
import t from 'tap'
import { KeptChunks } from '../src/casync/kept-chunks.ts'
import { compression, noise, sha512 } from './casync-scene.ts'
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
