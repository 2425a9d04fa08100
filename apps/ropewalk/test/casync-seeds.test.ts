/** Seeds that are no files: folders, archives and block devices. */
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { BLOB, casync, countingServer, makeBlob, noise } from './casync-scene.ts'
import { folder } from './processes.ts'

const run = promisify(execFile)

/** Trees that have most files in common. */
async function trees (at: string): Promise<void> {
  for (const name of ['older', 'newer']) {
    await mkdir(join(at, name, 'sub'), { recursive: true })
    for (let i = 0; i < 40; i++) await writeFile(join(at, name, 'sub', `file ${String(i).padStart(2, '0')}`), noise(name === 'newer' && i === 20 ? 'changed' : `file ${i}`, 50_000))
  }
  await run('find', [at, '-exec', 'touch', '-h', '-d', '2020-01-01T00:00:00Z', '{}', '+'])
  await casync(at, ['make', '--with=unix', '--chunk-size=4K:16K:64K', 'newer.caidx', 'newer'])
  await casync(at, ['make', '--with=unix', 'older.catar', 'older'])
}

interface Extracted {
  readonly fetched: number
  readonly from: Readonly<Record<string, number>>
}

t.test('a folder, an archive and what is at the output are seeds of a tree', async t => {
  const at = await folder(t)
  await trees(at)
  const { digest } = (await casync(at, ['digest', '--with=unix', 'newer'])).fact('digest')
  for (const seed of ['older', 'older.catar']) {
    const { fetched, from } = (await casync(at, ['extract', '--seed', seed, 'newer.caidx', `by ${seed.slice(5)}.`])).fact('extracted') as unknown as Extracted
    t.ok(fetched < 200_000, `${fetched} of 2,000,000 bytes from the store`)
    t.ok(Number(from['seed']) > 80, `${from['seed']} chunks from ${seed}`)
    t.match((await casync(at, ['digest', '--with=unix', `by ${seed.slice(5)}.`])).fact('digest'), { digest })
  }

  // A seed that has nothing, and one that cannot be read, do no harm; one that is not there is a mistake.
  await writeFile(join(at, 'other'), noise('other', 10_000))
  const nothing = (await casync(at, ['extract', '--seed=other', '--seed=/proc/1/mem', 'newer.caidx', 'out'])).fact('extracted') as unknown as Extracted
  t.match(nothing, { from: { seed: 0 } })
  t.match(await casync(at, ['extract', '--seed=none', 'newer.caidx', 'out']), { code: 1, stderr: /none/ })
  t.match(await casync(at, ['extract', '--seed=older', 'older.catar', 'out']), { code: 2, stderr: /seeds are for indexes/ })
  t.match((await casync(at, ['digest', '--with=unix', 'out'])).fact('digest'), { digest }, 'what was there is still there')

  const server = await countingServer(t, at)
  void server.answer(Infinity)
  await rm(join(at, 'out'), { recursive: true })
  await run('cp', ['-a', join(at, 'older'), join(at, 'out')])
  await casync(at, ['extract', '--in-place', `${server.url}/newer.caidx`, 'out'])
  server.nextRun()
  t.match((await casync(at, ['digest', '--with=unix', 'out'])).fact('digest'), { digest })
  t.ok((server.runs[0]?.length ?? 0) > 0 && (server.runs[0]?.length ?? 0) < 15, `${server.runs[0]?.length} chunks were fetched over what was there`)
  t.same((await readdir(at)).filter(name => name.startsWith('.#')), [])
})

t.test('a block device is a seed of a blob, as far as it goes', async t => {
  const at = await folder(t)
  await makeBlob(BLOB, join(at, 'a.caibx'), join(at, 'default.castr'))
  await writeFile(join(at, 'disk'), Buffer.concat([BLOB.subarray(0, 2_999_808), noise('behind', 512 * 11)]))
  const device = await run('losetup', ['--find', '--show', '--read-only', join(at, 'disk')]).then(({ stdout }) => stdout.trim(), (error: unknown) => {
    t.comment(`no loop device here: ${String(error)}`)
    return undefined
  })
  if (device === undefined) return t.pass('a block device cannot be made here')
  t.teardown(async () => { await run('losetup', ['--detach', device]) })
  const { from, fetched } = (await casync(at, ['extract', '--seed', device, 'a.caibx', 'out'])).fact('extracted') as unknown as Extracted
  t.ok(Number(from['seed']) > 30 && fetched < 1_200_000, `${from['seed']} chunks from ${device}, ${fetched} bytes fetched`)
  t.ok(BLOB.equals(await readFile(join(at, 'out'))))
  t.match(await casync(at, ['extract', '--seed=/dev/null', 'a.caibx', 'out']), { code: 1, stderr: /a file or a block device/ })
})
