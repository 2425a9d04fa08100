import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Directory } from '../src/directory.ts'
import { GATHER_BYTES, GATHER_PIECES, MAX_OPEN_ATTEMPTS, MAX_RENAME_ATTEMPTS, receiveFile, ReceiveError, type Receiver } from '../src/index.ts'
import { Staging } from '../src/staging.ts'
import { makeFolder, text } from './folder.ts'

t.test('no more other names are tried than so many', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const receive = async (): Promise<string> => (await receiveFile(receiver, 'a.txt', [text('x')], { overwrite: 'rename' })).name
  await writeFile(join(root, 'a.txt'), '')
  for (let number = 1; number < MAX_RENAME_ATTEMPTS; number++) await writeFile(join(root, `a (${number}).txt`), '')
  t.equal(await receive(), `a (${MAX_RENAME_ATTEMPTS}).txt`)
  await t.rejects(receive(), { code: 'ERR_EXISTS' })
})

t.test('a staging folder that others remove again and again is given up', async t => {
  const { root } = await makeFolder(t)
  let made = 0
  const gone = new ReceiveError('ERR_IO', 'gone', { cause: Object.assign(new Error('gone'), { code: 'ENOENT' }) })
  const staging = {
    path: root,
    pathOf: () => root,
    stat: async () => ({ uid: process.geteuid?.() ?? 0, mode: 0o700 }),
    enter: async () => undefined,
    make: async () => { throw gone },
    close: async () => {}
  }
  const parent = { make: async () => { made++; return staging } }
  await t.rejects(Staging.open(parent as unknown as Directory, 0), { code: 'ERR_IO' })
  t.equal(made, MAX_OPEN_ATTEMPTS + 1)
})

t.test('what is gathered for one write is bounded in bytes and in pieces, and the next waits for it', async t => {
  for (const pieceBytes of [65_536, 1]) {
    const writes: Array<{ bytes: number, pieces: number }> = []
    let underWay = 0
    let most = 0
    const writer = {
      name: 'a',
      size: 0,
      async write (bytes: Iterable<Uint8Array> & { byteLength: number }) {
        most = Math.max(most, ++underWay)
        writes.push({ bytes: bytes.byteLength, pieces: [...bytes].length })
        await Promise.resolve()
        underWay--
      },
      finish: async () => ({ path: '/a', name: 'a', size: 0 }),
      abort: async () => {}
    }
    const receiver = { file: async () => writer } as unknown as Receiver
    await receiveFile(receiver, 'a', (function * () {
      for (let index = 0; index < 2 * GATHER_PIECES + 1; index++) yield new Uint8Array(pieceBytes)
    })())
    t.equal(most, 1, 'one write at a time')
    t.ok(writes.every(({ bytes, pieces }) => bytes <= GATHER_BYTES && pieces <= GATHER_PIECES))
    t.same(writes[0], pieceBytes === 1 ? { bytes: GATHER_PIECES, pieces: GATHER_PIECES } : { bytes: GATHER_BYTES, pieces: GATHER_BYTES / pieceBytes })
  }
})
