/** One listener for whoever comes: profile and framing by what is said first; and downloads of what was sent in the profile `readme`. */
import { duplexPair } from '@ropewalk/testing'
import t from 'tap'
import { downloadFinal, serve, upload, uploadFinal, type ClientOptions } from '../src/index.ts'
import { nodeHashes } from '../src/node/index.ts'
import { FID, fileOf, scene, type Scene } from './scene.ts'

type Left = ReturnType<typeof duplexPair>[0]

async function auto<T> ({ node }: Scene, talk: (left: Left) => Promise<T>): Promise<T> {
  const [left, right] = duplexPair({ chunkBytes: 3 })
  const served = serve(right, { node, profile: 'auto', framing: 'auto' })
  served.catch(() => {})
  const result = await talk(left)
  await served
  return result
}

const options = async ({ token }: Scene, uid?: number, framing: 'stream6' | 'stream4' = 'stream6'): Promise<ClientOptions> => ({ token: await token(uid), hashes: nodeHashes, framing })

t.test('both profiles in both framings on one listener', async t => {
  for (const framing of ['stream6', 'stream4'] as const) {
    const setting = scene()
    t.match(await auto(setting, async left => await upload(left, [fileOf('a', 3000)], { ...await options(setting, 1, framing), fid: FID })), { complete: true })
    t.match(await auto(setting, async left => await uploadFinal(left, [fileOf('b', 3000, 2)], await options(setting, 1, framing))), [{ blocks: 3 }])
  }
})

t.test('what was sent in readme is there for its owner by digest, name and tags, and for nobody else', async t => {
  for (const blockBytes of [64, 1000, 1001, 16_384]) {
    const setting = scene()
    const files = [fileOf('a', 40_001), fileOf('b', 0, 2), fileOf('c', 2000, 3)]
    await auto(setting, async left => await upload(left, files, { ...await options(setting, 1), fid: FID, blockBytes, tags: ['x', 'y'] }))
    for (const file of files) {
      for (const wanted of [{ digest: file.digest }, { name: file.name }, { name: file.name, tags: ['y'] }]) {
        const got = new Uint8Array(file.size)
        const info = await auto(setting, async left => await downloadFinal(left, wanted, (bytes, position) => { got.set(bytes, position) }, await options(setting, 1)))
        t.match(info, { name: file.name, size: BigInt(file.size), digest: file.digest })
        t.same(Buffer.from(got), Buffer.from(file.content))
        await t.rejects(auto(setting, async left => await downloadFinal(left, wanted, () => {}, await options(setting, 2))), { code: 'ERR_NOT_FOUND' })
      }
    }
    await t.rejects(auto(setting, async left => await downloadFinal(left, { name: 'a', tags: ['z'] }, () => {}, await options(setting, 1))), { code: 'ERR_NOT_FOUND' })
  }
})

t.test('what is not whole is not there; what was announced without a digest neither', async t => {
  const setting = scene()
  const file = fileOf('a', 3000)
  let reads = 0
  const stops = { ...file, read: (position: number, length: number) => { if (++reads > 2) throw new Error('stop'); return file.read(position, length) } }
  await t.rejects(auto(setting, async left => await upload(left, [stops], { ...await options(setting, 1), fid: FID, blockBytes: 1000, window: 1 })), /stop/)
  const ask = async (wanted: { digest?: string, name?: string }): Promise<unknown> => await auto(setting, async left => await downloadFinal(left, wanted, () => {}, await options(setting, 1)))
  await t.rejects(ask({ digest: file.digest }), { code: 'ERR_NOT_FOUND' })
  await t.rejects(ask({ name: 'a' }), { code: 'ERR_NOT_FOUND' })
  const { digest: _none, ...bare } = fileOf('bare', 10)
  await auto(setting, async left => await upload(left, [bare], await options(setting, 1)))
  await t.rejects(ask({ name: 'bare' }), { code: 'ERR_NOT_FOUND' })
})
