/** The pieces of puts and gets in parts, each for itself. */
import { createHash, randomBytes } from 'node:crypto'
import { open, readdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t from 'tap'
import fc from 'fast-check'
import { HashLog } from '../src/parts/hash-log.ts'
import { HashedFile } from '../src/parts/hashed-file.ts'
import { formatManifest, MAX_NODES, MAX_PARTS, parseManifest } from '../src/parts/manifest.ts'
import { PartialFile, partialPath } from '../src/parts/partial-file.ts'
import { MIN_PART_BYTES, planShares } from '../src/parts/plan-state.ts'
import { folder } from './processes.ts'

const DIGEST = createHash('sha256').digest('hex')

function sha256 (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

t.test('shares cover the file without gaps, fit their rooms, and are worth their connection', async t => {
  const rooms = fc.array(fc.oneof(fc.nat(64).map(each => each * 500_000), fc.constant(0), fc.constant(Number.MAX_SAFE_INTEGER)), { minLength: 1, maxLength: 6 })
  fc.assert(fc.property(fc.oneof(fc.nat(80_000_000), fc.constant(0)), rooms, (size, bytes) => {
    const shares = planShares(size, bytes.map((room, node) => ({ node, bytes: room })))
    const all = bytes.reduce((sum, room) => Math.min(Number.MAX_SAFE_INTEGER, sum + room), 0)
    if (shares === undefined) return all < size
    let end = 0
    for (const { node, offset, size: share } of shares) {
      if (offset !== end || share > (bytes[node] as number) || (share === 0 && size > 0)) return false
      end += share
    }
    return end === size && shares.length >= 1 && new Set(shares.map(({ node }) => node)).size === shares.length
  }), { numRuns: 2000 })
  t.same(planShares(1000, [{ node: 0, bytes: 5000 }, { node: 1, bytes: 9000 }]), [{ node: 1, offset: 0, size: 1000 }], 'too small to be split')
  const even = planShares(8 * MIN_PART_BYTES, [{ node: 0, bytes: 1e9 }, { node: 1, bytes: 1e9 }])
  t.same(even?.map(({ size }) => size), [4 * MIN_PART_BYTES, 4 * MIN_PART_BYTES])
})

t.test('a file is hashed once, in whatever pieces it is read and after whatever interruptions', async t => {
  const directory = await folder(t)
  const [path, log] = [join(directory, 'file'), join(directory, 'log')]
  const content = randomBytes(1_000_003)
  await writeFile(path, content)
  const offsets = [0, 300_000, 300_001, 900_000]
  for (const bounds of [[0], offsets]) {
    await writeFile(log, '')
    let acknowledged = 0
    for (let round = 0; acknowledged < content.length; round++) {
      await using file = await HashedFile.open(path)
      await using hashes = await HashLog.open(log)
      await file.begin(bounds, hashes)
      t.equal(file.hashed, acknowledged, `round ${round}`)
      // It reads ahead of what is acknowledged, and from before it too.
      for (let at = Math.max(0, acknowledged - 1000); at < Math.min(content.length, acknowledged + 200_000); at += 60_000) {
        const into = new Uint8Array(60_000)
        const bytes = await file.read(into, at)
        t.ok(Buffer.from(into.subarray(0, bytes)).equals(content.subarray(at, at + 60_000)))
      }
      file.acknowledged(file.hashed)
      acknowledged = file.hashed
    }
    await using file = await HashedFile.open(path)
    await using hashes = await HashLog.open(log)
    await file.begin(bounds, hashes)
    t.equal(file.hashed, content.length)
    t.equal(await file.digest(), sha256(content))
  }
  await using whole = await HashedFile.open(path)
  await whole.begin(offsets)
  for (const [index, offset] of offsets.entries()) {
    const end = offsets[index + 1] ?? content.length
    t.equal(await whole.partDigest(offset, end), sha256(content.subarray(offset, end)))
  }
  t.equal(await whole.digest(), sha256(content))
})

t.test('who was told before the first read what a node has keeps that point as soon as it is hashed', async t => {
  const directory = await folder(t)
  const [path, log] = [join(directory, 'file'), join(directory, 'log')]
  await writeFile(path, randomBytes(1_000_000))
  {
    await using file = await HashedFile.open(path)
    await using hashes = await HashLog.open(log)
    await file.begin([0], hashes)
    file.acknowledged(786_432)
    await file.read(new Uint8Array(50_000), 786_432)
  }
  await using file = await HashedFile.open(path)
  await using hashes = await HashLog.open(log)
  await file.begin([0], hashes)
  t.equal(file.hashed, 786_432, 'and not what nobody has yet')
})

t.test('a file that is written to meanwhile is noticed', async t => {
  const path = join(await folder(t), 'file')
  await writeFile(path, 'content')
  await using file = await HashedFile.open(path)
  await file.begin([0])
  await writeFile(path, 'contents')
  await t.rejects(file.read(new Uint8Array(7), 0), { code: 'ERR_FILE_CHANGED' })
  await t.rejects(file.digest(), { code: 'ERR_FILE_CHANGED' })
})

t.test('a hash log that was torn gives the point before, and garbage none', async t => {
  const path = join(await folder(t), 'log')
  const point = (offset: number): { offset: number, whole: Uint8Array, part: Uint8Array } => ({ offset, whole: Buffer.alloc(112, offset), part: new Uint8Array() })
  {
    await using log = await HashLog.open(path)
    t.equal(await log.load(), undefined)
    log.save(point(1))
  }
  {
    // The slots are written in turn, and a new process begins with the second.
    await using log = await HashLog.open(path)
    t.equal((await log.load())?.offset, 1)
  }
  const handle = await open(path, 'r+')
  const bytes = Buffer.alloc(2048)
  await handle.read(bytes, 0, 2048, 0)
  const text = bytes.toString('latin1')
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\0' || text[at] === ' ' || text[at] === '\n') continue
    const torn = text.slice(0, at) + (text[at] === '7' ? '8' : '7') + text.slice(at + 1)
    await handle.write(torn, 0, 'latin1')
    await using log = await HashLog.open(path)
    if (await log.load() !== undefined) t.fail(`a change at ${at} is not noticed`)
  }
  await handle.close()
})

t.test('a manifest says what it said, and nothing that could harm', async t => {
  const part = (index: number): { id: string, address: string, offset: number, size: number, sha256: string } => ({ id: index.toString(16).padStart(32, '0'), address: 'mdsftp+tcp://127.0.0.1:1', offset: index * 10, size: 10, sha256: DIGEST })
  const good = { name: 'holiday.mov', size: 30, sha256: DIGEST, parts: [part(0), part(1), part(2)] }
  t.same(parseManifest(formatManifest(good)), good)
  t.equal(parseManifest(formatManifest({ ...good, name: 'cafe\u0301' })).name, 'caf\u00e9', 'one form of each name')
  const document = JSON.parse(formatManifest(good)) as { parts: Array<Record<string, unknown>> } & Record<string, unknown>
  const [first] = document.parts
  const hostile: Array<[string, unknown, RegExp]> = [
    ['no object', [], /it is not an object/],
    ['null', null, /it is not an object/],
    ['another format', { ...document, format: 'x' }, /format/],
    ['no parts', { ...document, parts: [] }, /parts/],
    ['parts that are no list', { ...document, parts: { length: 1 } }, /parts/],
    ['a part that is none', { ...document, parts: [7] }, /parts\[0\]/],
    ['negative size', { ...document, size: -1 }, /size/],
    ['a size that no number holds', { ...document, size: 2 ** 53 }, /size/],
    ['a fraction', { ...document, size: 0.5 }, /size/],
    ['too short', { ...document, size: 31 }, /have 30 < 31/],
    ['too long', { ...document, size: 29 }, /ends at 30 > 29/],
    ['a gap', { ...document, parts: [document.parts[0], document.parts[2]] }, /the part before ends at 10/],
    ['twice the same', { ...document, parts: [first, { ...document.parts[1], id: first?.['id'] }, document.parts[2]] }, /two parts/],
    ['an empty part', { ...document, size: 10, parts: [first, { ...document.parts[1], size: 0 }] }, /parts\[1\]\.size is 0/],
    ['an id that is a path', { ...document, parts: [{ ...first, id: '../../../etc/passwd' }] }, /id is not a UUID/],
    ['a digest that is none', { ...document, sha256: 'x'.repeat(64) }, /sha256/],
    ['another scheme', { ...document, parts: [{ ...first, address: 'file:///etc/passwd' }] }, /is no address/],
    ['an endless address', { ...document, parts: [{ ...first, address: `mdsftp+unix:/${'a'.repeat(5000)}` }] }, /is not an address/],
    ['an object for a number', { ...document, size: { valueOf: 30 } }, /size/]
  ]
  for (const name of ['', '.', '..', '.bashrc', '../x', 'a/b', 'a\\b', 'a\0b', 'a\nb', '\u001b[31m', 'x'.repeat(201), '\ud800', 'CON', 'aux.txt', 'a.', 'a ', 'c:x', 7, null]) hostile.push([`the name ${JSON.stringify(name)}`, { ...document, name }, /name/])
  for (const [what, value, message] of hostile) t.throws(() => parseManifest(JSON.stringify(value)), { code: 'ERR_MANIFEST', message }, what)
  t.throws(() => parseManifest('{'), { message: 'it is not JSON' })
  t.throws(() => parseManifest(`${'['.repeat(100_000)}`), { code: 'ERR_MANIFEST' })

  const many = (count: number, address: (index: number) => string): string => formatManifest({ name: 'x', size: count * 10, sha256: DIGEST, parts: Array.from({ length: count }, (_, index) => ({ ...part(index), address: address(index) })) })
  t.equal(parseManifest(many(MAX_PARTS, () => 'mdsftp+tcp://127.0.0.1:1')).parts.length, MAX_PARTS)
  t.throws(() => parseManifest(many(MAX_PARTS + 1, () => 'mdsftp+tcp://127.0.0.1:1')), { message: /1025 > 1024 parts/ })
  t.throws(() => parseManifest(many(MAX_NODES + 1, index => `mdsftp+tcp://127.0.0.1:${index + 1}`)), { message: /64 nodes/ })
  fc.assert(fc.property(fc.jsonValue(), value => {
    try {
      parseManifest(JSON.stringify({ ...document, ...(typeof value === 'object' ? value : {}) }))
      return true
    } catch (error) {
      return (error as { code?: string }).code === 'ERR_MANIFEST'
    }
  }))
})

t.test('what killed processes left of records is taken away, and nothing else', async t => {
  const directory = await folder(t)
  const target = join(directory, 'x')
  const left = `.${basename(partialPath(target))}.json.0123456789abcdef`
  for (const name of [left, `${left}0`, '.y.ropewalk-part.json', left.replace('.x.', '.y.')]) await writeFile(join(directory, name), '{')
  await using file = await PartialFile.open(target, { size: 1, sha256: undefined, pieces: [{ id: '0'.repeat(32), offset: 0, size: 1, sha256: undefined }] })
  t.equal(file.done(), 0)
  t.same((await readdir(directory)).sort(), [`${left}0`, left.replace('.x.', '.y.'), '.x.ropewalk-part', '.y.ropewalk-part.json'].sort())
})
