import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair, turn } from '@ropewalk/testing'
import t from 'tap'
import { BLOCK_BYTES } from '../src/constants.ts'
import { MemoryState, type ContentHash } from '../src/index.ts'
import { DiskInbox } from './disk.ts'
import { BOB, MemoryInbox, pair, sha256 } from './nodes.ts'

const BYTES = Uint8Array.from({ length: 2 * BLOCK_BYTES + 3 * 1_048_576 }, (_, i) => i * 7 + (i >> 13))

interface Life { readonly hashed: number, readonly reads: ReadonlyArray<[string, number]>, readonly error: string | undefined }

/** Alice offers `a` and `b` once; each life is a new Bob over what is on disk, whose state knows nothing of the last one's progress. */
async function scene (t: { teardown: (dispose: () => Promise<void>) => unknown }, extended: boolean): Promise<{ root: string, live (served: Uint8Array): Promise<Life> }> {
  const root = await mkdtemp(join(tmpdir(), 'warpdrive-'))
  t.teardown(() => rm(root, { recursive: true, force: true }))
  const memory = new MemoryState()
  const { alice, bob, files, clock } = await pair({ a: 'first', b: BYTES }, { alice: { extended }, bob: { state: memory } })
  const { id } = await alice.createOffer(BOB, '')
  await bob.close()
  await clock.advance(2000)
  return {
    root,
    async live (served) {
      files.files.set('b', served)
      files.reads.length = 0
      const inbox = await DiskInbox.open(root)
      let hashed = 0
      const counting = (): ReturnType<typeof sha256> => {
        const hash = sha256()
        return { update: bytes => { hashed += bytes.length; hash.update(bytes) }, digest: () => hash.digest() }
      }
      const state = { load: () => memory.load(), putOffer: async () => {}, removeOffer: async () => {}, putPeer: async () => {}, removePeer: async () => {} }
      const scene = await pair({}, { bob: { state, sha256: counting, parallel: 1, query: async (_peer, port) => {
        const [left, right] = duplexPair()
        void alice.serve(right, BOB, port)
        return left
      } }, inbox: inbox as never })
      const error = await (async () => { await (await scene.bob.accept(id, undefined))?.finished })().then(() => undefined, (error: { code: string }) => error.code)
      if (error === undefined) await inbox.finish()
      await scene.bob.close()
      await inbox.close()
      return { hashed, reads: [...files.reads], error }
    }
  }
}

t.test('whoever goes on asks for the byte behind the last one, and hashes nothing again that was verified', async t => {
  const { root, live } = await scene(t, true)
  const cut = 2 * BLOCK_BYTES + 1_048_576
  const first = await live(BYTES.subarray(0, cut))
  t.match(first, { error: 'ERR_INCOMPLETE', hashed: 5 + cut })
  const second = await live(BYTES)
  t.same(second, { error: undefined, hashed: BYTES.length - 2 * BLOCK_BYTES, reads: [['b', cut]] })
  t.ok((await readFile(join(root, 'b'))).equals(BYTES))
  t.same((await readdir(root)).sort(), ['a', 'b'])
})

t.test('of content that is another only the blocks before are kept, and it goes on behind them', async t => {
  const { root, live } = await scene(t, true)
  const bad = BYTES.slice()
  bad[BLOCK_BYTES + 5] = (bad[BLOCK_BYTES + 5] as number) ^ 1
  t.match(await live(bad), { error: 'ERR_DIGEST' })
  t.same(await readdir(root).then(names => names.filter(name => !name.startsWith('.'))), ['a'])
  t.same(await live(BYTES), { error: undefined, hashed: BYTES.length - BLOCK_BYTES, reads: [['b', BLOCK_BYTES]] })
  t.ok((await readFile(join(root, 'b'))).equals(BYTES))
})

t.test('from the original it goes on at the entry and the byte that are on disk, though the state was written before', async t => {
  const { root, live } = await scene(t, false)
  const cut = 12_345
  t.match(await live(BYTES.subarray(0, cut)), { error: 'ERR_INCOMPLETE', hashed: 0 })
  t.same(await live(BYTES), { error: undefined, hashed: 0, reads: [['b', cut]] })
  t.ok((await readFile(join(root, 'b'))).equals(BYTES))
})

t.test('of what another thread hashes no more is said to be verified than it has said, and what it says of wrong bytes comes before all else', async t => {
  const content = BYTES.slice()
  const wrong = BLOCK_BYTES + 5
  const claims: number[] = []
  const inbox = new MemoryInbox()
  const file = inbox.file.bind(inbox)
  inbox.file = async (...asked) => {
    const writer = await file(...asked)
    let written = 0
    return {
      ...writer,
      write: async bytes => {
        await writer.write(bytes)
        written += bytes.length
      },
      verify: async () => { claims.push(written) }
    }
  }
  /** Behind everything that others do meanwhile. */
  const late = async (): Promise<void> => { for (let turns = 0; turns < 40; turns++) await turn() }
  let left = 0
  const hashing = (): ContentHash => {
    const hash = sha256()
    left++
    return {
      update: async bytes => {
        const seen = bytes.slice()
        await late()
        if (!Buffer.from(seen.buffer).equals(bytes)) throw new Error('the array was used again')
        hash.update(bytes)
      },
      digest: async () => {
        left--
        await late()
        return hash.digest()
      }
    }
  }
  const spoilt = content.map((byte, at) => at === wrong ? byte ^ 1 : byte)
  const lives: Array<[served: Uint8Array, code: string | undefined]> = [
    [spoilt, 'ERR_DIGEST'],
    // It breaks off before it is known what came.
    [spoilt.subarray(0, 2 * BLOCK_BYTES + 100), 'ERR_DIGEST'],
    [content.subarray(0, BLOCK_BYTES + 100), 'ERR_INCOMPLETE'],
    [content, undefined]
  ]
  for (const [served, code] of lives) {
    claims.length = 0
    const { alice, bob, files } = await pair({ b: content }, { bob: { sha256: hashing, parallel: 1 }, inbox })
    const { id } = await alice.createOffer(BOB, '')
    files.files.set('b', served)
    const over = (async () => { await (await bob.accept(id, undefined))?.finished })()
    t.equal(await over.then(() => undefined, (error: { code: string }) => error.code), code)
    t.ok(claims.length > 0, `${claims.length} times`)
    if (code === 'ERR_DIGEST') t.same(claims.filter(bytes => bytes >= 2 * BLOCK_BYTES), [], 'the second block is wrong')
    t.equal(left, 0, 'each digest was asked for, wanted or not')
    await bob.close()
  }
  t.ok(Buffer.from(inbox.files.get('b')?.bytes ?? []).equals(content))
})
