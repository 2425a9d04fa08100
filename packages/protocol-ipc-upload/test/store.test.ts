import { createHash, randomBytes } from 'node:crypto'
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { link } from '@ropewalk/testing'
import t from 'tap'
import { serve, upload, uploadFinal, type UploadPlan } from '../src/index.ts'
import { nodeHashes, openUploadFile, openUploadStore, readKeyFile } from '../src/node/index.ts'
import { FID, fileOf, KEY, scene } from './scene.ts'

const DIGEST = 'ab'.repeat(32)
const plan = (id: string, size: number): UploadPlan => ({ id, owner: 5, blockBytes: 1000, files: [{ name: '../../evil', size, ...(id === DIGEST ? { digest: id } : {}) }], tags: ['x'], createdAt: 1 })

t.test('what was written is known after a restart, wherever it stopped; a line cut short says nothing', async t => {
  const root = join(t.testdir({}), 'root')
  const store = await openUploadStore(root)
  t.match(await store.create(plan(FID, 3500)), { created: true, missing: [[0, 0, 3]] })
  await store.write(plan(FID, 3500), [{ file: 0, index: 3, bytes: new Uint8Array(500).fill(3) }, { file: 0, index: 1, bytes: new Uint8Array(1000).fill(1) }])
  await appendFile(join(root, 'parts', FID, 'journal'), '9')

  const again = await openUploadStore(root)
  t.match(await again.open(FID), { created: false, missing: [[0, 0, 0], [0, 2, 2]], plan: { owner: 5 } })
  t.same(await again.read(plan(FID, 3500), 0, 3), new Uint8Array(500).fill(3))
  await again.write(plan(FID, 3500), [0, 2].map(index => ({ file: 0, index, bytes: new Uint8Array(1000).fill(index) })))
  await again.finish(plan(FID, 3500), 0)
  await again.finish(plan(FID, 3500), 0)
  t.same((await (await openUploadStore(root)).open(FID))?.missing, [])
  const content = await readFile(join(root, 'files', '5', FID, '0.bin'))
  t.same([content.length, content[0], content[1000], content[2000], content[3499]], [3500, 0, 1, 2, 3])
  t.same(await again.read(plan(FID, 3500), 0, 1), new Uint8Array(1000).fill(1))
})

t.test('a file that turned out wrong is set aside, and begun again', async t => {
  const root = join(t.testdir({}), 'root')
  const store = await openUploadStore(root)
  await store.create(plan(DIGEST, 1000))
  await store.write(plan(DIGEST, 1000), [{ file: 0, index: 0, bytes: new Uint8Array(1000).fill(9) }])
  await store.reset(plan(DIGEST, 1000), 0)
  t.match(await store.open(DIGEST), { missing: [[0, 0, 0]] })
  t.ok((await readdir(join(root, 'parts', DIGEST))).includes('0.rejected'))
  await store.write(plan(DIGEST, 1000), [{ file: 0, index: 0, bytes: new Uint8Array(1000).fill(1) }])
  await store.finish(plan(DIGEST, 1000), 0)
  t.same(await readdir(join(root, 'files')), [DIGEST])
  t.match(await store.find({ name: '../../evil', tags: ['x'], owner: 6 }), { plan: { id: DIGEST } })
  t.equal(await store.find({ tags: ['y'], owner: 5 }), undefined)
})

t.test('ids become paths only when they are ids; what is old and incomplete is swept', async t => {
  const root = join(t.testdir({}), 'root')
  const store = await openUploadStore(root)
  for (const id of ['../x', '', 'AB'.repeat(32), FID.toUpperCase(), `${FID}/..`]) await t.rejects(store.create(plan(id, 1)), TypeError)
  await store.create(plan(FID, 10))
  await store.create(plan(DIGEST, 0))
  t.equal(await store.sweep(1), 0)
  t.equal(await store.sweep(2), 1)
  t.equal(await store.open(FID), undefined)
  t.match(await store.open(DIGEST), { missing: [] })
  t.same(await readdir(join(root, 'parts')), [DIGEST])
})

t.test('an upload that is killed and gone on with by another process, over and over, is whole', async t => {
  const root = join(t.testdir({}), 'root')
  const file = fileOf('a', 61_234)
  let sent = 0
  for (let life = 0; ; life++) {
    const { node, token } = scene({ store: await openUploadStore(root), blockBytes: 1000, window: 3 })
    const { left, right, cut } = link()
    const served = serve(right, { node }).catch(() => {})
    let blocks = 0
    const result = await upload(left, [file], { token: await token(), hashes: nodeHashes, fid: FID, onBlock: () => { sent++; if (++blocks === 7) cut('reset') } }).catch(() => undefined)
    await served
    if (result !== undefined) break
    t.ok(life < 20)
  }
  t.same(await readFile(join(root, 'files', '1002', FID, '0.bin')), Buffer.from(file.content))
  t.ok(sent <= 62, `${sent} acknowledged of 62: nothing twice`)
})

t.test('a file of the disk, in both profiles, the empty one too', async t => {
  const folder = t.testdir({ 'a.bin': 'x'.repeat(2500), empty: '', key: 'nico-nico-nii\n' })
  t.same(await readKeyFile(join(folder, 'key')), KEY)
  const root = join(folder, 'root')
  await mkdir(root)
  const { node, token } = scene({ store: await openUploadStore(root) })
  await using a = await openUploadFile(join(folder, 'a.bin'))
  await using empty = await openUploadFile(join(folder, 'empty'))
  t.match(a, { name: 'a.bin', size: 2500 })
  for (const profile of ['readme', 'final'] as const) {
    const { left, right } = link()
    const served = serve(right, { node, profile })
    const options = { token: await token(), hashes: nodeHashes }
    if (profile === 'readme') t.match(await upload(left, [a, empty], { ...options, fid: FID }), { complete: true })
    else t.same(await uploadFinal(left, [a, empty], options), [{ blocks: 3, present: false }, { blocks: 0, present: false }])
    await served
  }
  t.equal(await readFile(join(root, 'files', a.digest), 'utf8'), 'x'.repeat(2500))
  t.equal(await readFile(join(root, 'files', empty.digest), 'utf8'), '')
  t.equal(await readFile(join(root, 'files', '1002', FID, '1.bin'), 'utf8'), '')
  await writeFile(join(folder, 'a.bin'), 'short')
  const { left, right } = link()
  serve(right, { node }).catch(() => {})
  await t.rejects(upload(left, [a], { token: await token(), hashes: nodeHashes }), { code: 'ERR_STORE', remote: false })
})

t.test('a file of several pieces has the digest of its bytes, at both ends, whatever its last piece', async t => {
  const folder = t.testdir({})
  const { node, token } = scene({ store: await openUploadStore(join(folder, 'root')) })
  for (const size of [1_048_575, 1_048_576, 2_097_152, 3_145_729]) {
    const content = randomBytes(size)
    await writeFile(join(folder, 'content'), content)
    await using file = await openUploadFile(join(folder, 'content'))
    t.equal(file.digest, createHash('sha256').update(content).digest('hex'), `${size} bytes`)
    const { left, right } = link()
    const served = serve(right, { node })
    const { fid, complete } = await upload(left, [file], { token: await token(), hashes: nodeHashes })
    await served
    t.equal(complete, true)
    t.ok(content.equals(await readFile(join(folder, 'root/files/1002', fid, '0.bin'))))

    // Announced with a digest that is not its own.
    const again = link()
    const refusing = serve(again.right, { node }).catch(() => {})
    await t.rejects(upload(again.left, [{ ...file, digest: DIGEST }], { token: await token(), hashes: nodeHashes }), { code: 'ERR_REFUSED', message: /digest mismatch/ })
    await refusing
  }
})

t.test('blocks of one call lie where they belong, in whatever order they are given', async t => {
  const store = await openUploadStore(t.testdir({}))
  const content = [randomBytes(350), randomBytes(120)]
  const plan = { id: FID, owner: 1002, blockBytes: 100, files: content.map((bytes, at) => ({ name: `f${at}`, size: bytes.length })), tags: [], createdAt: 0 }
  await store.create(plan)
  const blocks = ([[0, 2], [0, 3], [1, 0], [0, 0], [1, 1], [0, 1]] as const).map(([file, index]) => ({ file, index, bytes: (content[file] as Buffer).subarray(index * 100, index * 100 + 100) }))
  await store.write(plan, blocks)
  for (const { file, index, bytes } of blocks) t.ok(bytes.equals(await store.read(plan, file, index)), `${file}/${index}`)
  t.same((await store.open(FID))?.missing, [])
})
