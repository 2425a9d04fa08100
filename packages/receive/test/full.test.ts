import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { makeFolder, staged, tree } from './folder.ts'

const CHILD = fileURLToPath(new URL('full-child.ts', import.meta.url))
const SIZE = 4 * 1_048_576

t.test('X8: where the system takes no more in the middle of a file, that is said; nothing of it stays, and a transfer goes on behind what was taken', { skip: process.platform === 'win32' && 'has no limits of processes' }, async t => {
  const { root, open } = await makeFolder(t)
  // Of one file no more than this, in blocks of 512 or 1024 bytes: what a full disk says, without one.
  const child = spawn('sh', ['-c', `ulimit -f 2048; exec '${process.execPath}' --conditions=@ropewalk/source '${CHILD}' '${root}' ${SIZE}`], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { said += text })
  t.same(await once(child, 'close'), [0, null])
  const [, kept = '0'] = /^ERR_NO_SPACE\nERR_NO_SPACE (\d+)\n$/.exec(said) ?? [said]
  t.ok(Number(kept) >= 1_000_000 && Number(kept) < SIZE, `${said}: what was taken is kept`)
  t.same(await tree(root), [])
  t.equal((await staged(root)).length, 1, 'and nothing of the single file')

  const receiver = await open()
  const transfer = await receiver.transfer('t')
  const writer = await transfer.file('part', { size: SIZE })
  t.equal(writer.size, Number(kept))
  await writer.write(new Uint8Array(SIZE - writer.size).fill(7))
  await writer.finish()
  await transfer.finish()
  t.ok((await readFile(join(root, 'part'))).equals(Buffer.alloc(SIZE, 7)))
})
