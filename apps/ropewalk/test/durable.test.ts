/**
 * Puts that outlive the process, the node and the network, as processes over real sockets. `ROPEWALK_ROUNDS` says how often
 * one upload is killed.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { Gate } from './gate.ts'
import { Command, factsOf, folder, run, startNode, type Ended } from './processes.ts'

const ROUNDS = Number(process.env['ROPEWALK_ROUNDS'] ?? 10)
/** What may be unacknowledged at the moment of a kill, in bytes: `MAX_DURABLE_SEND_BYTES` of the protocol; and what frames add. */
const WINDOW = 1_048_576
const FRAMES = 65_536
const TCP = ['--listen', 'mdsftp+tcp://127.0.0.1:0']

function sha256 (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function remembered (state: string): Promise<string[]> {
  return await readdir(join(state, 'uploads'))
}

async function fetched (state: string, ended: Ended, address: string, path: string): Promise<string> {
  const id = String(factsOf(ended.stdout, 'stored')[0]?.['id'])
  const got = await run(['get', id, '--from', address, '-o', path], { state })
  if (got.code !== 0) throw new Error(got.stderr)
  return sha256(await readFile(path))
}

t.test(`a put killed ${ROUNDS} times is whole in the end, and no kill costs more than a window, of sending or of hashing`, async t => {
  const [server, state, files] = [await folder(t), await folder(t), await folder(t)]
  const { addresses: [address = ''] } = await startNode(t, server, TCP)
  const gate = await Gate.open(t, address)
  const path = join(files, 'disk.img')
  const content = randomBytes(ROUNDS * 1_500_000 + 3_000_000)
  await writeFile(path, content)

  let resumed = 0
  for (let round = 0; round < ROUNDS; round++) {
    const closed = gate.closeAfter(1_000_000 + Math.floor(Math.random() * 500_000))
    const put = new Command(round === 0 ? ['put', path, '--durable', '--to', gate.address, '--json'] : ['put', '--resume', '--json'], { state })
    await closed
    put.kill('SIGKILL')
    const { stdout } = await put.ended
    gate.cut()
    gate.lift()
    for (const { bytes, hashed } of factsOf(stdout, 'resumed')) {
      resumed++
      t.ok(Number(bytes) - Number(hashed) <= WINDOW, `it goes on at ${String(bytes)}, hashed up to ${String(hashed)}`)
    }
  }
  t.ok(resumed >= ROUNDS - 2, `${resumed} of ${ROUNDS} went on`)
  const last = await run(['put', '--resume', path, '--json'], { state })
  t.equal(last.code, 0, last.stderr)
  t.match(factsOf(last.stdout, 'stored'), [{ size: content.length, sha256: sha256(content), name: path }])
  const twice = gate.sent - content.length
  t.ok(twice <= (ROUNDS + 1) * (WINDOW + FRAMES), `${twice} bytes more than once, ${Math.round(twice / ROUNDS)} a kill`)
  t.equal(await fetched(state, last, address, join(files, 'back')), sha256(content))
  t.same(await remembered(state), [], 'nothing is remembered of what is done')
  t.match(await run(['put', '--resume'], { state }), { code: 0, stderr: /Nothing is left to go on with/ })
})

t.test('a put goes on by itself when its node is killed and comes back, and when it is cut off', async t => {
  const [server, state, files] = [await folder(t), await folder(t), await folder(t)]
  const first = await startNode(t, server, TCP)
  const [address = ''] = first.addresses
  const gate = await Gate.open(t, address)
  const content = randomBytes(24_000_000)
  await writeFile(join(files, 'a'), content)
  let closed = gate.closeAfter(6_000_000)
  const put = new Command(['put', join(files, 'a'), '--durable', '--to', gate.address, '--json', '--retry-for', '120'], { state })
  await closed
  await first.stop('SIGKILL')
  gate.cut()
  await put.until(({ stderr }) => stderr.includes('again in'))
  gate.lift()
  await startNode(t, server, ['--listen', address])
  closed = gate.closeAfter(6_000_000)
  await closed
  gate.cut()
  gate.lift()
  const ended = await put.ended
  t.equal(ended.code, 0, ended.stderr)
  t.match(factsOf(ended.stdout, 'stored'), [{ sha256: sha256(content) }])
  t.ok(gate.sent - content.length <= 3 * (WINDOW + FRAMES), `${gate.sent - content.length} bytes twice`)
  t.equal(await fetched(state, ended, address, join(files, 'back')), sha256(content))
})

t.test('it gives up in the end, and what it leaves can be gone on with', async t => {
  const [server, state, files] = [await folder(t), await folder(t), await folder(t)]
  const first = await startNode(t, server, TCP)
  const [address = ''] = first.addresses
  const gate = await Gate.open(t, address)
  const content = randomBytes(12_000_000)
  await writeFile(join(files, 'a'), content)
  const closed = gate.closeAfter(4_000_000)
  const put = new Command(['put', join(files, 'a'), '--durable', '--to', gate.address, '--json', '--retry-for', '1'], { state })
  await closed
  await first.stop('SIGKILL')
  gate.cut()
  gate.lift()
  t.not((await put.ended).code, 0)
  t.match(await remembered(state), { length: 2 })
  await startNode(t, server, ['--listen', address])
  const last = await run(['put', '--resume', '--json'], { state })
  t.match(factsOf(last.stdout, 'stored'), [{ sha256: sha256(content) }], last.stderr)
})

t.test('Ctrl-C says what is kept and how to go on; a file that changed meanwhile is given up', async t => {
  const [server, state, files] = [await folder(t), await folder(t), await folder(t)]
  const { addresses: [address = ''] } = await startNode(t, server, [...TCP, '--capacity', '40M'])
  const gate = await Gate.open(t, address)
  const path = join(files, 'a')
  const content = randomBytes(24_000_000)
  await writeFile(path, content)
  const interrupted = async (): Promise<void> => {
    const closed = gate.closeAfter(4_000_000)
    const put = new Command(['put', path, '--durable', '--to', gate.address], { state })
    await closed
    put.kill('SIGINT')
    await put.until(({ stderr }) => stderr.includes('Stopping'))
    gate.lift()
    const { code, stderr } = await put.ended
    t.equal(code, 130)
    t.match(stderr, /the file is not stored yet\. .*for an hour, and "ropewalk put --resume" goes on with it/)
  }
  await interrupted()
  await utimes(path, 1, 1)
  t.match(await run(['put', '--resume'], { state }), { code: 1, stderr: /ERR_FILE_CHANGED/ })
  t.same(await remembered(state), [])

  // Twice 24 MB do not fit: what was given up has given its room back.
  await interrupted()
  const again = await run(['put', path, '--durable', '--to', gate.address, '--json'], { state })
  t.equal(factsOf(again.stdout, 'resumed').length, 1, 'the same put goes on too')
  t.match(factsOf(again.stdout, 'stored'), [{ sha256: sha256(content) }], again.stderr)
})

t.test('files of no bytes and of few; what cannot be durable is refused', async t => {
  const [server, state, files] = [await folder(t), await folder(t), await folder(t)]
  const { addresses: [address = '', seed = ''] } = await startNode(t, server, [...TCP, '--listen', 'mdsftp+tcp://127.0.0.1:0?profile=seed'])
  for (const [name, text] of [['none', ''], ['few', 'a few']] as const) await writeFile(join(files, name), text)
  const put = await run(['put', join(files, 'none'), join(files, 'few'), '--durable', '--to', address, '--json'], { state })
  t.equal(put.code, 0, put.stderr)
  t.same(factsOf(put.stdout, 'stored').map(({ size, sha256: digest }) => [size, digest]).sort(), [[0, sha256(Buffer.of())], [5, sha256(Buffer.from('a few'))]])

  t.match(await run(['put', '-', '--durable', '--to', address], { state, input: 'x' }), { code: 2, stderr: /cannot be read again/ })
  t.match(await run(['put', '--durable', join(files, 'few'), '--to', seed], { state }), { code: 2, stderr: /seed profile/ })
  t.match(await run(['put', '--durable', files, join(files, 'absent'), '--to', address], { state }), { code: 1, stderr: /ERR_NOT_A_FILE/ })
  t.match(await run(['put', '--resume', join(files, 'few')], { state }), { code: 1, stderr: /no upload of this file is remembered/ })
  t.match(await run(['put'], { state }), { code: 2, stderr: /--resume/ })
  await writeFile(join(state, 'uploads', `${'0'.repeat(32)}.json`), '{"version":1,"path":1}')
  t.match(await run(['put', '--resume'], { state }), { code: 1, stderr: /it is damaged/ })
})
