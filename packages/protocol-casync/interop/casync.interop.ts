/**
 * Ours against the original: the same bytes, indexes and stores, made, extracted, pulled and pushed by either.
 *
 * @module
 */
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ChunkSource } from '@ropewalk/interface'
import { castr, nodeCompression, nodeHash } from '@ropewalk/store-castr'
import t from 'tap'
import { assemble } from '../src/assemble.ts'
import { chunk } from '../src/chunk.ts'
import { parseChunkSizes } from '../src/chunk-sizes.ts'
import { identify } from '../src/identify.ts'
import { decodeIndex, encodeIndex, openIndex } from '../src/index-file.ts'
import { pull } from '../src/pull.ts'
import { push } from '../src/push.ts'
import { storeMissing } from '../src/store-missing.ts'
import { input } from '../test/inputs.ts'
import { stdioChannel } from './stdio.ts'

const run = promisify(execFile)
const compression = nodeCompression()
const HERE = fileURLToPath(new URL('.', import.meta.url))

const casync = await run('casync', ['--version']).then(() => true, () => false)
if (!casync) {
  console.error('SKIPPED: casync is not installed (apt-get install casync): nothing here was proved')
  t.pass('casync is not installed: skipped')
  process.exit(0)
}

const work = await mkdtemp(join(tmpdir(), 'casync-interop-'))
t.teardown(() => rm(work, { recursive: true, force: true }))

/** Stands in for ssh: runs the command on this host. */
const ssh = join(work, 'ssh')
await writeFile(ssh, '#!/bin/sh\n[ "$1" = -- ] && shift\nshift\nexec sh -c "$*"\n', { mode: 0o755 })
const env = {
  ...process.env,
  CASYNC_SSH_PATH: ssh,
  TMPDIR: work,
  CASYNC_REMOTE_PATH: `${process.execPath} --conditions=@ropewalk/source ${join(HERE, 'server.ts')}`
}

const BLOBS: Readonly<Record<string, string>> = {
  empty: 'zeros(0)',
  one: "rep('x',1)",
  min: "ctr('min',16384)",
  avg: "ctr('avg',65536)",
  'below max': "ctr('max',262143)",
  max: 'zeros(262144)',
  'above max': 'zeros(262145)',
  random: "ctr('interop',20000000)",
  text: 'text(8000000)',
  zeros: 'zeros(5000000)',
  mixed: "ctr('a',700000)+zeros(600000)+text(400000)+ctr('a',300000)"
}

async function make (bytes: Uint8Array, store: string, sizes?: string): Promise<Uint8Array> {
  const chunkSizes = sizes === undefined ? undefined : parseChunkSizes(sizes)
  await using chunks = castr(store)
  const parts = []
  for await (const part of encodeIndex({ sizes: chunkSizes })(storeMissing(chunks)(identify(nodeHash)(chunk(chunkSizes)([bytes]))))) parts.push(part)
  return Buffer.concat(parts)
}

async function extract (index: AsyncIterable<Uint8Array> | Uint8Array[], source: ChunkSource, path: string): Promise<void> {
  const handle = await open(path, 'w+')
  try {
    await assemble(decodeIndex()(index), source, {
      write: async (bytes, position) => { await handle.write(bytes, 0, bytes.length, position) },
      read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
      truncate: async size => { await handle.truncate(size) }
    }, nodeHash)
  } finally {
    await handle.close()
  }
}

let count = 0
async function place (): Promise<string> {
  const path = join(work, String(++count))
  await mkdir(path)
  return path
}

for (const [name, expression] of Object.entries(BLOBS)) {
  t.test(`${name}: made, extracted, pulled and pushed by either, equal`, async t => {
    const bytes = input(expression)
    const at = await place()
    const blob = join(at, 'blob')
    await writeFile(blob, bytes)
    const same = async (path: string): Promise<boolean> => Buffer.from(bytes).equals(await readFile(path))

    await run('casync', ['make', `--store=${join(at, 'theirs.castr')}`, join(at, 'theirs.caibx'), blob], { env })
    const ours = await make(bytes, join(at, 'ours.castr'))
    const theirs = await readFile(join(at, 'theirs.caibx'))
    t.ok(theirs.equals(ours), 'the same index')
    await writeFile(join(at, 'ours.caibx'), ours)

    await run('casync', ['extract', `--store=${join(at, 'ours.castr')}`, join(at, 'ours.caibx'), join(at, 'out1')], { env })
    t.ok(await same(join(at, 'out1')), 'casync extracts what we made')
    await extract([theirs], castr(join(at, 'theirs.castr')), join(at, 'out2'))
    t.ok(await same(join(at, 'out2')), 'we extract what casync made')

    const server = spawn('casync', ['pull', '-', '-', join(at, 'theirs.caibx'), join(at, 'theirs.castr')], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    const session = await pull(stdioChannel(server.stdout, server.stdin), { hash: nodeHash, compression })
    await extract(session.index as AsyncIterable<Uint8Array>, session, join(at, 'out3'))
    await session.close()
    t.ok(await same(join(at, 'out3')), 'we pull from casync')

    await run('casync', ['extract', `--store=host:${join(at, 'ours.castr')}`, `host:${join(at, 'ours.caibx')}`, join(at, 'out4')], { env })
    t.ok(await same(join(at, 'out4')), 'casync pulls from us')

    await run('casync', ['make', `--store=host:${join(at, 'pushed.castr')}`, `host:${join(at, 'pushed.caibx')}`, blob], { env })
    t.ok(theirs.equals(await readFile(join(at, 'pushed.caibx'))), 'casync pushes to us: the index')
    await extract([theirs], castr(join(at, 'pushed.castr')), join(at, 'out5'))
    t.ok(await same(join(at, 'out5')), 'and the chunks')

    const taker = spawn('casync', ['push', '-', '-', join(at, 'given.caibx'), join(at, 'given.castr')], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    const gone = new Promise<number | null>(resolve => { taker.on('exit', resolve) })
    const store = castr(join(at, 'ours.castr'))
    const { chunks } = await push(stdioChannel(taker.stdout, taker.stdin), { index: [ours], store, compression })
    t.equal(await gone, 0)
    let items = 0
    const ids = new Set<string>()
    for await (const { id } of (await openIndex([ours])).items) {
      items++
      ids.add(id)
    }
    t.equal(chunks, ids.size, `${items} items`)
    t.ok(theirs.equals(await readFile(join(at, 'given.caibx'))), 'we push to casync: the index')
    await run('casync', ['extract', `--store=${join(at, 'given.castr')}`, join(at, 'given.caibx'), join(at, 'out6')], { env })
    t.ok(await same(join(at, 'out6')), 'and the chunks')
  })
}

t.test('all compressors of casync are read, and sizes other than the usual cut alike', async t => {
  const bytes = input("ctr('compress',200000)+text(200000)")
  const at = await place()
  await writeFile(join(at, 'blob'), bytes)
  for (const compressor of ['xz', 'gzip', 'zstd']) {
    await run('casync', ['make', `--compression=${compressor}`, `--store=${join(at, `${compressor}.castr`)}`, join(at, 'x.caibx'), join(at, 'blob')], { env })
    await extract([await readFile(join(at, 'x.caibx'))], castr(join(at, `${compressor}.castr`)), join(at, 'out'))
    t.ok(Buffer.from(bytes).equals(await readFile(join(at, 'out'))), compressor)
  }
  for (const sizes of ['4096', '256:1024:4096', '64K:64K:256K', '1000:1000:1000', '1:64:256']) {
    await run('casync', ['make', `--chunk-size=${sizes}`, `--store=${join(at, 's.castr')}`, join(at, 's.caibx'), join(at, 'blob')], { env })
    t.ok((await readFile(join(at, 's.caibx'))).equals(await make(bytes, join(at, 'o.castr'), sizes)), sizes)
  }
})
