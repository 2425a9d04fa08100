import { closeSync, openSync, readdirSync, truncateSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { BLOCK_BYTES } from '../src/constants.ts'
import { ContentDigest } from '../src/content-digest.ts'
import { fileFacts } from '../src/node/index.ts'
import { sha256 } from './nodes.ts'

const BYTES = Uint8Array.from({ length: 5 * BLOCK_BYTES + 5 }, (_, i) => i * 7 + (i >> 13))

async function opened (t: { teardown: (dispose: () => Promise<void>) => unknown }): Promise<{ readonly path: string, readonly fd: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'facts-'))
  const path = join(folder, 'file')
  await writeFile(path, BYTES)
  const fd = openSync(path, 'r')
  t.teardown(async () => {
    closeSync(fd)
    await rm(folder, { recursive: true })
  })
  return { path, fd }
}

t.test('threads find what one pass over the content finds, whatever its length', async t => {
  const { fd } = await opened(t)
  for (const size of [0, 1, BLOCK_BYTES, BLOCK_BYTES + 1, BYTES.length]) {
    const digest = new ContentDigest(sha256, size)
    digest.update(BYTES.subarray(0, size))
    t.same(await fileFacts(fd, size), await digest.digest(), `${size} bytes`)
  }
})

t.test('who waits is told how much was read: now and then, and in the end all of it', async t => {
  const { path, fd } = await opened(t)
  let read = 0
  await fileFacts(fd, BYTES.length, { onRead: bytes => { read += bytes } })
  t.equal(read, BYTES.length)
  // Of more than anybody waits for.
  truncateSync(path, 2 ** 40)
  const stop = new AbortController()
  const told: number[] = []
  const facts = fileFacts(fd, 2 ** 40, { signal: stop.signal, onRead: bytes => {
    told.push(bytes)
    if (told.length === 3) stop.abort(new Error('enough'))
  } })
  await t.rejects(facts, { message: 'enough' })
  t.ok(told.every(bytes => bytes >= 0 && bytes < 2 ** 40), told.join(' '))
})

t.test('a file that is shorter has none, and who does not want them any more does not wait', async t => {
  const { path, fd } = await opened(t)
  truncateSync(path, 4 * BLOCK_BYTES)
  t.equal(await fileFacts(fd, BYTES.length), undefined)
  const stop = new AbortController()
  // Nothing but a hole; to hash it takes longer than a test may.
  truncateSync(path, 2 ** 40)
  const facts = fileFacts(fd, 2 ** 40, { signal: stop.signal })
  stop.abort(new Error('enough'))
  await t.rejects(facts, { message: 'enough' })
  await t.rejects(fileFacts(fd, 1, { signal: stop.signal }), { message: 'enough' })
  const bad = openSync('/', 'r')
  t.teardown(() => { closeSync(bad) })
  await t.rejects(fileFacts(bad, 1), { code: 'EISDIR' })
  const tasks = readdirSync('/proc/self/task').length
  await fileFacts(fd, 4 * BLOCK_BYTES)
  t.ok(readdirSync('/proc/self/task').length <= tasks, 'its threads have ended')
})
