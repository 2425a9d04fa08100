import fc from 'fast-check'
import t from 'tap'
import { BLOCK_BYTES, MAX_BLOCKS } from '../src/constants.ts'
import { checkBlocks, ContentCheck, ContentDigest } from '../src/content-digest.ts'
import { blockBytesOf, checkManifest } from '../src/manifest-codec.ts'
import { listOf, readInfo, infoJson, type FileInfo } from '../src/codec.ts'
import { sha256, sha256Of } from './nodes.ts'

const BYTES = Uint8Array.from({ length: 2 * BLOCK_BYTES + 5 }, (_, i) => i * 7 + (i >> 13))

async function factsOf (bytes: Uint8Array, cuts: readonly number[] = []): Promise<FileInfo> {
  const digest = new ContentDigest(sha256, bytes.length)
  for (const [index, cut] of [0, ...cuts].entries()) digest.update(bytes.subarray(cut, [...cuts, bytes.length][index]))
  return { uri: 'a', path: '', size: bytes.length, isDir: false, perm: 0o644, mime: '', name: 'a', ...await digest.digest() }
}

t.test('a file of one block has the SHA-256 of its content, a longer one that of the digests of its blocks, however it is cut', async t => {
  for (const length of [0, 1, BLOCK_BYTES]) t.match(await factsOf(BYTES.subarray(0, length)), { sha256: sha256Of(BYTES.subarray(0, length)), blocks: undefined })
  const blocks = [0, 1, 2].map(block => sha256Of(BYTES.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES))).join('')
  const wanted = { blocks, sha256: sha256Of(Buffer.from(blocks, 'hex')) }
  t.match(await factsOf(BYTES), wanted)
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(BYTES.length), { maxLength: 5 }), async cuts => {
    const { blocks, sha256 } = await factsOf(BYTES, cuts.sort((a, b) => a - b))
    return blocks === wanted.blocks && sha256 === wanted.sha256
  }), { numRuns: 10 })
})

t.test('a wrong byte is noticed at the end of its block, and what is before is verified', async t => {
  const facts = await factsOf(BYTES)
  for (const [at, verified] of [[0, 0], [BLOCK_BYTES - 1, 0], [BLOCK_BYTES, BLOCK_BYTES], [BYTES.length - 1, 2 * BLOCK_BYTES]] as const) {
    const bad = BYTES.slice()
    bad[at] = (bad[at] as number) ^ 1
    const check = new ContentCheck(sha256, facts, 0)
    await t.rejects(async () => {
      await check.update(bad)
      await check.end()
    }, { code: 'ERR_DIGEST' })
    t.equal(check.verified, verified)
  }
  const rest = new ContentCheck(sha256, facts, BLOCK_BYTES)
  t.equal(rest.verified, BLOCK_BYTES)
  await rest.update(BYTES.subarray(BLOCK_BYTES))
  await rest.end()
  t.equal(rest.verified, BYTES.length)
  const short = new ContentCheck(sha256, facts, 2 * BLOCK_BYTES)
  await t.rejects(async () => { await short.update(BYTES.subarray(2 * BLOCK_BYTES, BYTES.length - 1)); await short.end() }, { code: 'ERR_DIGEST' })
})

t.test('blocks that do not fit the size, or the SHA-256 of the file, are refused with the offer', async t => {
  const facts = await factsOf(BYTES)
  t.same(listOf([infoJson(facts)], 1, readInfo), [facts])
  checkManifest([facts])
  await checkBlocks([facts], sha256)
  const { blocks = '' } = facts
  for (const bad of [{ blocks: blocks.slice(64) }, { blocks: blocks + blocks }, { blocks: blocks.toUpperCase() }, { blocks: '' }, { size: BLOCK_BYTES }, { sha256: undefined }]) {
    t.throws(() => { checkManifest([{ ...facts, ...bad }]) }, { code: 'ERR_BAD_VALUE' }, Object.keys(bad)[0] as string)
  }
  await t.rejects(checkBlocks([{ ...facts, sha256: sha256Of(BYTES) }], sha256), { code: 'ERR_BAD_VALUE' })
})

t.test('of larger files the blocks are larger, never more than so many', async t => {
  t.equal(blockBytesOf(MAX_BLOCKS * BLOCK_BYTES), BLOCK_BYTES)
  t.equal(blockBytesOf(MAX_BLOCKS * BLOCK_BYTES + 1), 2 * BLOCK_BYTES)
  t.ok(Number.MAX_SAFE_INTEGER / blockBytesOf(Number.MAX_SAFE_INTEGER) <= MAX_BLOCKS)
})
