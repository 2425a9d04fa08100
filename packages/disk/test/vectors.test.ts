import * as fs from 'node:fs'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import { Uint8ArrayList } from 'uint8arraylist'
import { DIRECT_BYTES, DirectFile, diskMemory, fileOf, MAX_VECTORS, MIN_VECTOR_BYTES, vectorsOf, writeAll, writeAtOnce, type DiskFile } from '../src/index.ts'

const folder = await mkdtemp(join(tmpdir(), 'disk-vectors-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))

/** A file in memory that takes at most so many bytes at a time, in turn. */
function sparing (most: readonly number[]): { file: Pick<DiskFile, 'write' | 'writev'>, content: () => Buffer, calls: number[] } {
  const calls: number[] = []
  let taken = Buffer.alloc(0)
  const take = (bytes: Uint8Array, position: number | undefined): { bytesWritten: number } => {
    const bytesWritten = Math.min(bytes.length, most[calls.length % most.length] as number)
    const at = position ?? taken.length
    const grown = Buffer.alloc(Math.max(taken.length, at + bytesWritten))
    grown.set(taken)
    grown.set(bytes.subarray(0, bytesWritten), at)
    taken = grown
    calls.push(bytesWritten)
    return { bytesWritten }
  }
  return {
    calls,
    content: () => taken,
    file: {
      write: async (bytes, offset, length, position) => take(bytes.subarray(offset, length === undefined ? undefined : offset + length), position),
      writev: async (vectors, position) => take(Buffer.concat(vectors), position)
    }
  }
}

const lists = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 12 })

t.test('everything is written, however little the system takes at a time', async t => {
  await fc.assert(fc.asyncProperty(lists, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), fc.option(fc.nat(20), { nil: undefined }), async (vectors, most, position) => {
    const { file, content } = sparing(most)
    await writeAll(file, vectors, position)
    const wanted = Buffer.concat(vectors)
    t.equal(Buffer.compare(content(), wanted.length === 0 ? wanted : Buffer.concat([Buffer.alloc(position ?? 0), wanted])), 0)
  }))
})

t.test('a list of more pieces than the system takes at once is written whole', async t => {
  const path = join(folder, 'many')
  const file = await open(path, 'w')
  let calls = 0
  const pieces = Array.from({ length: 2 * MAX_VECTORS + 1 }, (_, index) => Uint8Array.of(index, index >> 8))
  await writeAll({
    write: (...written) => file.write(...written),
    writev: (vectors, position) => {
      calls++
      return file.writev(vectors, position)
    }
  }, pieces, 5)
  await file.close()
  t.equal(calls, 2, 'and the last one alone')
  t.equal(Buffer.compare(readFileSync(path), Buffer.concat([Buffer.alloc(5), ...pieces])), 0)
})

t.test('without a position, bytes are written where the file is', async t => {
  const path = join(folder, 'behind')
  const file = await open(path, 'w')
  for (const vectors of [[Uint8Array.of(1)], [Uint8Array.of(2), Uint8Array.of(3)]]) await writeAll(file, vectors)
  writeAtOnce(file.fd, Uint8Array.of(4, 5))
  await writeAll(fileOf(file.fd), [Uint8Array.of(6)])
  await file.close()
  t.same([...readFileSync(path)], [1, 2, 3, 4, 5, 6])
})

t.test('what can go past the cache goes first, and the rest behind it', async t => {
  const path = join(folder, 'past')
  const [first, last] = [diskMemory(DIRECT_BYTES).fill(1), Uint8Array.of(2, 3)]
  let past = 0
  const direct = new DirectFile(() => {
    const file = fileOf(openSync(path, 'w'))
    return {
      ...file,
      writev: async (vectors, position) => {
        // The system may take a part of it.
        const { bytesWritten } = await file.writev([(vectors[0] as Uint8Array).subarray(0, 4096)], position)
        past += bytesWritten
        return { bytesWritten }
      }
    }
  })
  writeFileSync(path, '')
  const fd = openSync(path, 'r+')
  await writeAll(fileOf(fd), [first, last], 4096, direct)
  closeSync(fd)
  await direct.close()
  t.equal(past, 4096)
  t.equal(Buffer.compare(readFileSync(path), Buffer.concat([Buffer.alloc(4096), first, last])), 0)
})

t.test('at once, everything is written before it returns, of a list too', async t => {
  const path = join(folder, 'at once')
  const fd = openSync(path, 'w')
  writeAtOnce(fd, Uint8Array.of(1, 2), 3)
  writeAtOnce(fd, new Uint8ArrayList(Uint8Array.of(3), Uint8Array.of(4)), 5)
  writeAtOnce(fd, new Uint8Array(0), 99)
  t.same([...readFileSync(path)], [0, 0, 0, 1, 2, 3, 4])
  closeSync(fd)
})

t.test('at once, everything is written however little the system takes', async t => {
  const fd = openSync(join(folder, 'little'), 'w')
  const most = [2, 1, 3]
  const sparing = await t.mockImport<typeof import('../src/vectors.ts')>('../src/vectors.ts', {
    'node:fs': { ...fs, writeSync: (to: number, bytes: Uint8Array, offset: number, length: number, position?: number) => fs.writeSync(to, bytes, offset, Math.min(length, most.shift() ?? 0), position) }
  })
  sparing.writeAtOnce(fd, Uint8Array.of(1, 2, 3, 4, 5), 1)
  t.same([...readFileSync(join(folder, 'little'))], [0, 1, 2, 3, 4, 5])
  t.throws(() => sparing.writeAtOnce(fd, Uint8Array.of(6), 7), { code: 'EIO', message: 'EIO: the system took 0 bytes at 7, write' })
  closeSync(fd)
})

t.test('a system that takes nothing is not asked for ever', async t => {
  const { file, calls } = sparing([2, 0])
  await t.rejects(writeAll(file, [Uint8Array.of(1, 2, 3)], 7), { code: 'EIO', message: 'EIO: the system took 0 bytes at 9, write' })
  await t.rejects(writeAll(file, [Uint8Array.of(1, 2, 3)]), { code: 'EIO', message: 'EIO: the system took 0 bytes, write' })
  t.same(calls, [2, 0, 2, 0])
})

t.test('a failure is the caller’s to hear of', async t => {
  const fd = openSync(join(folder, 'many'), 'r')
  await t.rejects(writeAll(fileOf(fd), [Uint8Array.of(1)], 0), { code: 'EBADF' })
  await t.rejects(writeAll(fileOf(fd), [Uint8Array.of(1), Uint8Array.of(2)], 0), { code: 'EBADF' })
  t.throws(() => writeAtOnce(fd, Uint8Array.of(1), 0), { code: 'EBADF' })
  closeSync(fd)
})

t.test('pieces are written as they lie, unless they are small on average', async t => {
  const [large, small, none] = [new Uint8Array(2 * MIN_VECTOR_BYTES).fill(1), new Uint8Array(MIN_VECTOR_BYTES - 1).fill(2), new Uint8Array(0)]
  t.same(vectorsOf(none), [])
  t.same(vectorsOf(new Uint8ArrayList()), [])
  t.equal(vectorsOf(small)[0], small)
  const kept = vectorsOf(new Uint8ArrayList(large, none, small))
  t.ok(kept.length === 2 && kept[0] === large && kept[1] === small)
  const joined = vectorsOf(new Uint8ArrayList(small, small))
  t.equal(joined.length, 1)
  t.equal(Buffer.compare(joined[0] as Uint8Array, Buffer.concat([small, small])), 0)
  t.equal(vectorsOf(new Uint8ArrayList(small))[0], small)
})
