import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { Uint8ArrayList } from 'uint8arraylist'
import { receiveFile } from '../src/index.ts'
import { makeFolder, staged, text, tree } from './folder.ts'

t.test('receives from arrays and lists, small and large', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const pieces = Array.from({ length: 60 }, (_, index) => new Uint8Array(1 + index * 2_000).fill(index))
  async function * source (): AsyncGenerator<Uint8Array | Uint8ArrayList> {
    for (let index = 0; index < pieces.length; index += 2) {
      yield pieces[index] as Uint8Array
      yield new Uint8ArrayList(pieces[index + 1] as Uint8Array, new Uint8Array(0))
    }
  }
  const whole = Buffer.concat(pieces)
  t.same(await receiveFile(receiver, 'a/b', source(), { size: whole.length }), { path: join(root, 'a/b'), name: 'a/b', size: whole.length })
  t.ok((await readFile(join(root, 'a/b'))).equals(whole))
  const bytes = Array.from({ length: 5000 }, (_, index) => Uint8Array.of(index))
  await receiveFile(receiver, 'bytes', bytes)
  t.ok((await readFile(join(root, 'bytes'))).equals(Buffer.concat(bytes)))
})

t.test('a source that fails, or says too much, leaves nothing and is closed', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  let closed = 0
  async function * source (fail: boolean): AsyncGenerator<Uint8Array> {
    try {
      for (let index = 0; index < 4; index++) yield new Uint8Array(700_000)
      if (fail) throw Object.assign(new Error('the line is dead'), { code: 'MINE' })
      for (let index = 0; index < 1000; index++) yield new Uint8Array(700_000)
    } finally {
      closed++
    }
  }
  await t.rejects(receiveFile(receiver, 'a', source(true)), { code: 'MINE' })
  await t.rejects(receiveFile(receiver, 'b', source(false), { size: 1_000_000 }), { code: 'ERR_SIZE' })
  t.equal(closed, 2)
  t.same(await tree(root), [])
  t.same(await staged(root), [])
})

t.test('a source that never speaks again does not hold an aborted transfer', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const controller = new AbortController()
  let waiting: () => void = () => {}
  const waits = new Promise<void>(resolve => { waiting = resolve })
  async function * source (): AsyncGenerator<Uint8Array> {
    yield text('x')
    waiting()
    await new Promise(() => {})
  }
  const receiving = receiveFile(receiver, 'a', source(), { signal: controller.signal })
  await waits
  controller.abort(Object.assign(new Error('no longer wanted'), { code: 'MINE' }))
  await t.rejects(receiving, { code: 'MINE' })
  t.same(await tree(root), [])
  t.same(await staged(root), [])
})
