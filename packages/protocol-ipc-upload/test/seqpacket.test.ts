/** Over sockets of packets, where the system has them: the framing that the original of 2020 listens on. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection, Listener } from '@ropewalk/interface'
import { dial, listen, type SeqpacketAddress } from '@ropewalk/transport-seqpacket'
import t, { type Test } from 'tap'
import { decodeFinal, decodePacket, frameReader } from '../src/codec.ts'
import { downloadFinal, serve, upload, uploadFinal, type UploadNode } from '../src/index.ts'
import { nodeHashes } from '../src/node/index.ts'
import { bytesOf, capture, vector } from './recorded.ts'
import { FID, fileOf, scene } from './scene.ts'

async function open (t: Test, node: UploadNode): Promise<Listener<SeqpacketAddress> & { served: Promise<PromiseSettledResult<void>>[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'packets-'))
  const listener = await listen({ transport: 'seqpacket', path: join(folder, 'sock') })
  const served: Promise<PromiseSettledResult<void>>[] = []
  t.teardown(async () => {
    await listener.close()
    await rm(folder, { recursive: true })
  })
  void (async () => {
    for await (const connection of listener) {
      served.push(Promise.allSettled([serve(connection, { node, profile: 'auto', framing: 'seqpacket' })]).then(([result]) => result))
    }
  })()
  return Object.assign(listener, { served })
}

const available = await listen({ transport: 'seqpacket', path: '/nowhere/at/all' }).catch((error: { code: string }) => error.code) !== 'ERR_UNAVAILABLE'

t.test('a chunk is a packet, and a packet is a frame: nothing is put together', async t => {
  const reader = frameReader('seqpacket')
  t.match([...reader.push(bytesOf(vector('frame-empty').hex))], [{ userType: 7 }])
  for (const name of ['frame-declares-too-much', 'frame-trailing-bytes', 'frame-two-in-one-packet']) t.throws(() => [...reader.push(bytesOf(vector(name).hex))], { code: 'ERR_BAD_LENGTH' }, name)
  for (let end = 1; end < 6; end++) t.throws(() => [...reader.push(bytesOf(vector('frame-empty').hex).subarray(0, end))], { code: 'ERR_BAD_LENGTH' })
  reader.end()
})

if (available) {
  t.test('both profiles, window and block size included, there and back', async t => {
    const { node, token } = scene()
    const listener = await open(t, node)
    const file = fileOf('a', 3_000_000)
    const options = { token: await token(), hashes: nodeHashes, framing: 'seqpacket' } as const
    t.match(await upload(await dial(listener.address), [file], { ...options, fid: FID }), { complete: true, blockBytes: 16_384, window: 64, blocks: 184 })
    const small = fileOf('b', 2500, 2)
    t.same(await uploadFinal(await dial(listener.address), [small], options), [{ blocks: 3, present: false }])
    const got = new Uint8Array(2500)
    await downloadFinal(await dial(listener.address), { name: 'b' }, (bytes, position) => { got.set(bytes, position) }, options)
    t.same(got, small.content)
    t.ok((await Promise.all(listener.served)).every(({ status }) => status === 'fulfilled'))
  })

  t.test('a recorded session of the original, packet by packet', async t => {
    const { node } = scene()
    const listener = await open(t, node)
    const connection = await dial(listener.address)
    const steps = capture('upload-in-order').filter(({ from }) => from !== undefined)
    const answers = connection.source[Symbol.asyncIterator]()
    const heard: Uint8Array[] = []
    const next = Promise.withResolvers<void>()
    await Promise.all([
      connection.sink((async function * () {
        for (const { from, hex } of steps) {
          if (from === 'client') yield bytesOf(hex as string)
          else {
            while (heard.length === 0) {
              const { done, value } = await answers.next()
              if (done === true) throw new Error('the end')
              heard.push(...value)
            }
            const [wanted, got] = [decodePacket(bytesOf(hex as string)), decodePacket(heard.shift() as Uint8Array)]
            t.equal(got.userType, wanted.userType)
            t.same(decodeFinal(got.userType, got.payload), decodeFinal(wanted.userType, wanted.payload))
          }
        }
        next.resolve()
      })()),
      next.promise
    ])
    t.match(await listener.served[0], { status: 'fulfilled' })
  })

  t.test('packets that lie end their own connection, and nobody else\'s: what blocked the original for ever', async t => {
    const { node, token } = scene()
    const listener = await open(t, node)
    const bystander = await dial(listener.address)
    for (const name of ['frame-declares-too-much', 'frame-trailing-bytes', 'frame-two-in-one-packet']) {
      const connection: Connection = await dial(listener.address)
      await connection.sink([bytesOf(vector(name).hex)]).catch(() => {})
      for await (const list of connection.source) t.fail(`${list.byteLength} bytes`)
    }
    t.match(await upload(bystander, [fileOf('a', 5000)], { token: await token(), hashes: nodeHashes, framing: 'seqpacket' }), { complete: true })
    const ended = await Promise.all(listener.served)
    t.same(ended.map(result => result.status === 'rejected' ? (result.reason as { code: string }).code : 'served'), ['served', 'ERR_BAD_LENGTH', 'ERR_BAD_LENGTH', 'ERR_BAD_LENGTH'])
  })
}
