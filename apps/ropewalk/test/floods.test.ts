/** Floods of JSON that nobody means, against both servers that read JSON, as processes: refused, in bounded memory, and others are served meanwhile. */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { Command, factsOf, folder, run } from './processes.ts'
import { swarm, type Peer } from './swarm-peers.ts'

const MIB = 1_048_576
/** What a server may grow by while 100 MiB are thrown at it, again and again. */
const MOST_GROWTH: number = 96 * MIB

/** Sends pieces until there is no more or the server has had enough; resolves, once the connection is over, with the bytes that were sent and what was heard. */
async function flood (to: { path: string } | { host: string, port: number }, pieces: Iterable<Uint8Array>): Promise<{ sent: number, heard: string }> {
  const socket = connect(to)
  const closed = new Promise<void>(resolve => { socket.once('close', () => { resolve() }) })
  let [sent, heard, over] = [0, '', false]
  socket.on('error', () => {})
  socket.on('data', bytes => { heard += bytes.toString('latin1') })
  void closed.then(() => { over = true })
  for (const piece of pieces) {
    if (over) break
    sent += piece.length
    if (!socket.write(piece)) await Promise.race([closed, new Promise(resolve => { socket.once('drain', resolve) })])
  }
  socket.end()
  await closed
  return { sent, heard }
}

async function peakOf ({ pid }: Command): Promise<number> {
  const [, kib] = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}

/** By name: what is sent first, and what over and over again behind it. */
const TEXTS: Readonly<Record<string, readonly [head: string, more: string]>> = {
  'JSON that is none': ['{"message-id":"m",,', '{,}'],
  'depth without an end': ['{"a":', '['],
  'a number of 100 MiB': ['{"message-id":"m","HostName":"a","x":', '9'],
  'keys that are there twice': ['{"message-id":"m","token":"t","token":"u","HostName":"a","HostName":"b"', ',"token":"t"']
}

/** 100 MiB of a text, in pieces. */
function * pieces (head: string, more: string): Generator<Uint8Array> {
  yield Buffer.from(head)
  const piece = Buffer.from(more.repeat(Math.ceil(65_536 / more.length)))
  for (let sent = 0; sent < 100 * MIB; sent += piece.length) yield piece
}

t.test('uploads: each flood is answered with its reason and ended, and an upload beside them is whole', { skip: process.platform !== 'linux' }, async t => {
  const [state, path] = [await folder(t), await folder(t)]
  const [key, token, socket, file] = ['key', 'token', 'sock', 'file'].map(name => join(path, name)) as [string, string, string, string]
  const content = randomBytes(4 * MIB)
  await writeFile(file, content)
  await writeFile(key, randomBytes(32).toString('hex'), { mode: 0o600 })
  t.match(await run(['token', 'issue', '--user', 'ada:1', '--ttl', '1d', '--key', key, '-o', token], { state }), { code: 0 })
  const server = new Command(['serve', '--json', '--ipc', socket, '--ipc-key', key, '--ipc-root', join(path, 'root')], { state })
  t.teardown(() => { server.kill('SIGKILL') })
  await server.until(({ stdout }) => factsOf(stdout, 'listening').length === 1)
  const before = await peakOf(server)

  /** `text` as one frame of the first message that a client says. */
  const framed = (text: Uint8Array, says: number = text.length): Uint8Array => {
    const header = Buffer.from([2, 0, 0, 0, 0, 1])
    header.writeUInt32BE(says, 1)
    return Buffer.concat([header, text])
  }
  const upload = run(['upload', file, '--to', socket, '--token', token, '--json'], { state })
  const floods = Object.entries(TEXTS).map(async ([name, [head, more]]) => {
    const whole = Buffer.from(head + more.repeat(Math.floor((65_000 - head.length) / more.length)))
    const { sent, heard } = await flood({ path: socket }, (function * () { for (let at = 0; at < 100 * MIB; at += whole.length) yield framed(whole) })())
    t.match(heard, /malformed message/, name)
    t.ok(sent < 10 * MIB, `${name}: ${sent} bytes`)
    // The same as one message, which says how long it is.
    const large = await flood({ path: socket }, (function * () {
      yield framed(Buffer.from(head), 100 * MIB)
      yield * pieces('', more)
    })())
    t.ok(large.sent < 10 * MIB, `${name} at once: ${large.sent} bytes`)
  })
  await Promise.all(floods)
  const { code, stdout, stderr } = await upload
  t.equal(code, 0, stderr)
  const [id] = factsOf(stdout, 'uploaded').map(({ id }) => String(id))
  t.ok(content.equals(await readFile(join(path, 'root', 'files', '1', id as string, '0.bin'))))
  const grown = await peakOf(server) - before
  t.ok(grown < MOST_GROWTH, `${grown} more bytes of memory`)
})

t.test('swarm: each flood is ended without an answer, and a file goes from peer to peer beside them', { skip: process.platform !== 'linux' }, async t => {
  const [first, second] = await swarm(t, 2, ['--profile', 'as-implemented']) as [Peer, Peer]
  const [host = '', port = ''] = String(first.args[first.args.indexOf('--as') + 1]).split(':')
  const source = await folder(t)
  const content = randomBytes(MIB)
  await writeFile(join(source, 'rope'), content)
  const before = await peakOf(first.command)
  const floods = Object.entries(TEXTS).map(async ([name, [head, more]]) => {
    for (let round = 0; round < 3; round++) {
      const { sent, heard } = await flood({ host, port: Number(port) }, pieces(head, more))
      t.same([sent < 10 * MIB, heard], [true, ''], `${name}: ${sent} bytes`)
    }
  })
  t.match(await first.run('insert', join(source, 'rope')), { code: 0 })
  await second.whole('rope')
  t.ok(content.equals(await readFile(join(second.directory, 'rope'))))
  await Promise.all(floods)
  t.match(await first.run('query', '--json'), { code: 0, stdout: /files\/rope/ })
  const grown = await peakOf(first.command) - before
  t.ok(grown < MOST_GROWTH, `${grown} more bytes of memory`)
})
