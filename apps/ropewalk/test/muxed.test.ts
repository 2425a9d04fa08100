/** One listener for several protocols: storage and uploads over the same port, and both reached by the same address. */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection } from '@ropewalk/interface'
import { collect, duplexPair } from '@ropewalk/testing'
import t from 'tap'
import { formatAddress, parseAddress } from '../src/address.ts'
import { asConnection, whileOpen } from '../src/services/muxed.ts'
import { here, HereNode } from './node.ts'
import { facts, folder } from './processes.ts'

t.test('objects and uploads go over one port, each on channels of its own; a protocol that nobody hosts is refused', async t => {
  const state = await folder(t)
  const [file, key, token] = [join(state, 'a.bin'), join(state, 'key'), join(state, 'token')]
  const content = randomBytes(700_000)
  await writeFile(file, content)
  await writeFile(key, randomBytes(32).toString('hex'), { mode: 0o600 })
  t.match(await here(['token', 'issue', '--user', 'ada:7', '--ttl', '1h', '--key', key, '-o', token], state), { code: 0 })
  const node = new HereNode(t, ['--listen', 'yamux+tls://127.0.0.1:0', '--listen', `yamux+unix:${join(state, 'm.sock')}`, '--ipc', `unix:${join(state, 'up.sock')}`, '--ipc-key', key], state)
  const [tls = '', unix = ''] = (await node.told('listening', 3)).map(({ address }) => String(address))
  t.match(tls, /^yamux\+tls:\/\/127\.0\.0\.1:\d+#sha256=[\da-f]{64}$/)
  for (const [at, address] of [tls, unix].entries()) {
    const put = await here(['put', file, '--to', address, '--json'], state)
    t.equal(put.code, 0, put.stderr)
    const { id } = facts(put.stdout).find(({ event }) => event === 'stored') as unknown as { id: string }
    const back = join(state, `back${at}`)
    t.match(await here(['get', id, '--from', address, '-o', back], state), { code: 0 })
    t.ok(content.equals(await readFile(back)))
  }
  const up = await here(['upload', file, '--to', tls, '--token', token, '--json'], state)
  t.equal(up.code, 0, up.stderr)
  t.match(await here(['doctor', tls, '--json'], state), { code: 0 })
  const past = facts((await here(['history', '--json'], state)).stdout)
  t.same(past.map(({ protocol, direction, state }) => [protocol, direction, state]), [['mdsftp', 'in', 'done'], ['mdsftp', 'out', 'done'], ['mdsftp', 'in', 'done'], ['mdsftp', 'out', 'done'], ['ipc', 'in', 'done']])
  t.equal(await node.stop(), 0)

  const alone = new HereNode(t, ['--listen', 'yamux+tls://127.0.0.1:0'], state)
  const [{ address } = { address: '' }] = await alone.told('listening') as unknown as [{ address: string }]
  t.match(await here(['upload', file, '--to', address, '--token', token], state), { code: 1 }, 'no uploads there')
  t.equal(await alone.stop(), 0)
})

t.test('an address with yamux is written as it is read', async t => {
  for (const text of ['yamux+tls://a:1', `yamux+tls://a:1#sha256=${'a'.repeat(64)}`, 'yamux+tcp://127.0.0.1:5', 'yamux+unix:/run/x', 'yamux+unix:/run/x?profile=seed']) t.equal(formatAddress(parseAddress(text)), text)
})

t.test('a channel is over once: read and sent to its end, broken off, or let go of', async t => {
  const opened = (): { connection: Connection, far: Connection, times: () => number } => {
    let count = 0
    const [near, far] = duplexPair()
    return { connection: whileOpen(asConnection(near, near.remote), () => { count++ }), far, times: () => count }
  }
  {
    const { connection, far, times } = opened()
    const drained = collect(far.source)
    await far.sink([])
    await connection.sink([Uint8Array.of(1)])
    t.equal(times(), 0, 'one direction is still open')
    await collect(connection.source)
    await drained
    t.equal(times(), 1)
    await connection[Symbol.asyncDispose]()
    connection.abort(new Error('again'))
    t.equal(times(), 1)
  }
  for (const end of [async (connection: Connection) => { await connection[Symbol.asyncDispose]() }, async (connection: Connection) => { connection.abort(new Error('enough')) }]) {
    const { connection, times } = opened()
    await end(connection)
    t.equal(times(), 1)
    await collect(connection.source).catch(() => {})
    await connection.sink([]).catch(() => {})
    t.equal(times(), 1)
  }
})
