import { appendFile, truncate, utimes, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { SourceFile } from '../src/source-file.ts'
import { folder } from './processes.ts'

const CONTENT: Buffer = Buffer.alloc(100_000, 'content')

async function opened (t: Parameters<typeof folder>[0]): Promise<{ path: string, file: SourceFile }> {
  const path = join(await folder(t), 'file')
  await writeFile(path, CONTENT)
  return { path, file: await SourceFile.open(path) }
}

t.test('reads in order and knows the digest at the end', async t => {
  await using file = (await opened(t)).file
  const into = new Uint8Array(30_000)
  for (let at = 0; at < file.size;) at += await file.read(into.subarray(0, Math.min(into.length, file.size - at)), at)
  t.equal(file.digest(), createHash('sha256').update(CONTENT).digest('hex'))
  await t.rejects(file.read(into, 5), RangeError)
})

const changes: ReadonlyArray<readonly [string, (path: string) => Promise<void>, RegExp]> = [
  ['grows', path => appendFile(path, '!'), /100000 bytes and now has 100001/],
  ['shrinks', path => truncate(path, 60_000), /100000 bytes and now has 60000/],
  ['vanishes', path => truncate(path, 0), /now has 0/],
  ['is written to', path => utimes(path, 1, 1), /written to/]
]

for (const [how, change, message] of changes) {
  t.test(`a file that ${how} while it is read is refused before its last byte is sent`, async t => {
    const { path, file } = await opened(t)
    await using closing = file
    await closing.read(new Uint8Array(50_000), 0)
    await change(path)
    const readOn = async (): Promise<void> => {
      for (let at = 50_000; at < file.size;) at += await file.read(new Uint8Array(50_000), at)
    }
    await t.rejects(readOn(), { code: 'ERR_FILE_CHANGED', message })
  })
}

t.test('only regular files', async t => {
  const path = await folder(t)
  await t.rejects(SourceFile.open(path), { code: 'ERR_NOT_A_FILE' })
  await t.rejects(SourceFile.open(join(path, 'absent')), { code: 'ERR_FILE', message: 'no such file or directory' })
  await t.rejects(SourceFile.open('/dev/null'), { code: 'ERR_NOT_A_FILE' })
})
