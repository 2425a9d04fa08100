/** Scripted faults, and the diagnosis that each must get. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createServer as createTlsServer } from 'node:tls'
import { createIdentity, loadIdentity } from '@ropewalk/transport-tcp'
import { turn } from '@ropewalk/testing'
import t, { type Test } from 'tap'
import { parseAddress } from '../src/address.ts'
import { doctor } from '../src/commands/doctor.ts'
import type { Context } from '../src/context.ts'
import { thisMachine, type World } from '../src/doctor/machine.ts'
import { waySteps } from '../src/doctor/way.ts'
import { KnownNodes } from '../src/known-nodes.ts'
import { makeBlob, noise } from './casync-scene.ts'
import { here, HereNode } from './node.ts'
import { facts, folder } from './processes.ts'

interface Told { readonly code: number, readonly steps: Readonly<Record<string, { outcome: string, message: string, advice: string[], code?: string }>>, readonly failed: readonly string[] }

async function examined (state: string, address?: string, world: Partial<World> = {}, timeout: number = 10_000): Promise<Told> {
  const [stdin, stdout, stderr] = [new PassThrough().end(), new PassThrough(), new PassThrough()]
  const context = { stdin, stdout, stderr, env: { ROPEWALK_STATE: state }, signal: new AbortController().signal, now: () => performance.now() }
  const code = await doctor(context, address, { timeout, json: true }, { ...thisMachine, ...world })
  await turn()
  const steps = Object.fromEntries(facts(await text(stdout.end())).map(fact => [String(fact['step']), fact as unknown as Told['steps'][string]]))
  return { code, steps, failed: Object.entries(steps).filter(([, { outcome }]) => outcome === 'failed').map(([step]) => step) }
}

/** A server that does `serve` with whoever comes. */
async function server (t: Test, make: Server): Promise<number> {
  const sockets = new Set<Socket>()
  make.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>(resolve => { make.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => { make.close(resolve) })
  })
  return (make.address() as AddressInfo).port
}

t.test('this machine: every step has its finding, and its fault the diagnosis of it', async t => {
  const state = await folder(t)
  const well = await examined(state)
  t.equal(well.code, 0)
  t.same(Object.keys(well.steps), ['state', 'key', 'disk', 'clock', 'files', 'node', 'protocols'])
  t.match(well.steps['node'], { message: /none of yours is running/ })
  t.match(well.steps['protocols'], { message: /^here: mdsftp .* torronto .*, yamux \([a-z, ]+\)$/ })

  t.match((await examined(state, undefined, { now: () => 0 })).steps['clock'], { outcome: 'failed', message: 'it shows 1970-01-01T00:00:00.000Z', advice: [/timedatectl/] })
  const poor = await examined(state, undefined, { free: async () => 1024, openFiles: async () => 256, platform: 'darwin' })
  t.equal(poor.code, 0, 'what is only tight is no failure')
  t.match(poor.steps, { disk: { outcome: 'warning', message: '1.0 KiB free' }, files: { outcome: 'warning', message: 'at most 256 open at once', advice: [/LimitNOFILE/] }, protocols: { message: /seqpacket \(Linux alone/ } })
  t.match((await examined(state, undefined, { free: async () => { throw new Error('EIO') } })), { code: 1, failed: ['disk'] })

  await chmod(join(state, 'identity.pem'), 0o644)
  t.match(await examined(state), { code: 1, failed: ['key'], steps: { key: { code: 'ERR_IDENTITY', message: /has mode 644/, advice: [/chmod 600/] } } })

  const file = join(state, 'file')
  await writeFile(file, '')
  const none = await examined(join(file, 'below'))
  t.match(none, { code: 1, failed: ['state'], steps: { state: { code: 'ERR_STATE', advice: [/ROPEWALK_STATE/] }, key: { outcome: 'skipped', message: 'not tried: state failed' } } })
})

t.test('the way to a node: the step that fails is the one that is told, and those behind it are not tried', async t => {
  const state = await folder(t)
  const own = await loadIdentity(state)
  const other = await createIdentity()

  t.match(await examined(state, 'mdsftp+tls://nowhere.invalid:7740'), { code: 3, failed: ['resolve'], steps: { resolve: { advice: [/spelled right/] }, connect: { outcome: 'skipped' }, window: { outcome: 'skipped', message: 'not tried: resolve failed' } } })

  const gone = createServer()
  const closed = await new Promise<number>(resolve => { gone.listen(0, '127.0.0.1', () => { resolve((gone.address() as AddressInfo).port) }) })
  await new Promise(resolve => { gone.close(resolve) })
  t.match(await examined(state, `mdsftp+tls://127.0.0.1:${closed}`), { code: 3, failed: ['connect'], steps: { connect: { advice: [/nobody listens/, /"ropewalk serve" starts/] } } })
  t.match(await examined(state, `mdsftp+unix:${join(state, 'none.sock')}`), { code: 3, failed: ['connect'], steps: { connect: { advice: [/no such socket/] } } })

  const rude = await server(t, createServer(socket => { socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') }))
  t.match(await examined(state, `mdsftp+tls://127.0.0.1:${rude}`), { code: 3, failed: ['tls'], steps: { connect: { outcome: 'ok' }, tls: { advice: [/no node with TLS/] }, muxer: { outcome: 'skipped' } } })

  const silent = await server(t, createTlsServer({ cert: other.certificate, key: other.privateKey }, socket => { socket.on('error', () => {}) }))
  t.match(await examined(state, `mdsftp+tls://127.0.0.1:${silent}#sha256=${own.fingerprint}`), { code: 3, failed: ['identity'], steps: { tls: { outcome: 'ok', message: `its key is sha256=${other.fingerprint}` }, identity: { code: 'ERR_UNTRUSTED', message: /is not the key in the address/, advice: [/somebody else is answering/, /known-nodes/] } } })

  const stranger = await examined(state, `mdsftp+tls://127.0.0.1:${silent}`, {}, 2000)
  t.match(stranger, { code: 3, failed: ['muxer'], steps: { identity: { outcome: 'warning', advice: [new RegExp(`#sha256=${other.fingerprint}`)] }, muxer: { advice: [/answers nothing/, /--token-file.*profile=seed/] }, window: { outcome: 'skipped' } } })

  await new KnownNodes(state).add(`127.0.0.1:${silent}`, own.fingerprint)
  t.match(await examined(state, `mdsftp+tls://127.0.0.1:${silent}`), { failed: ['identity'], steps: { identity: { message: /is not the key that is kept/ } } })
  t.match(await here(['doctor', 'mdsftp+udp://x'], state), { code: 2, stderr: /an address begins with/ })
})

t.test('a name server that says nothing is waited for no longer than the rest', async t => {
  const context = { env: { ROPEWALK_STATE: await folder(t) } } as unknown as Context
  const [resolve] = waySteps(context, parseAddress('mdsftp+tls://localhost:1'), () => AbortSignal.abort(new Error('enough'))).steps
  t.equal(resolve?.name, 'resolve')
  await t.rejects(Promise.resolve(resolve?.run()), { message: 'enough' })
})

t.test('a node that is well is found so, over TLS and a unix socket, and one that does not know us is told', async t => {
  const state = await folder(t)
  const node = new HereNode(t, ['--listen', 'mdsftp+tls://127.0.0.1:0', '--listen', `mdsftp+unix:${join(state, 'n.sock')}`], state)
  const [tls, unix] = (await node.told('listening', 2)).map(({ address }) => String(address))
  for (const address of [tls, unix]) {
    const { code, steps, failed } = await examined(state, address)
    t.same([code, failed], [0, []])
    t.match(steps['muxer'], { outcome: 'ok', message: /channels open and answer, [\d.]+ ms there and back/ })
    t.match(steps['window'], { outcome: 'ok', message: /one file moves at most .*\/s/ })
  }
  t.match((await examined(state, tls)).steps, { identity: { message: 'the key in the address' }, node: { message: /one of yours is running/ } })
})

t.test('what a node has of casync: there, or not served, not there, not an index, not for us', async t => {
  const [state, stranger] = [await folder(t), await folder(t)]
  const root = join(state, 'images')
  await mkdir(root)
  await makeBlob(noise('doctor', 300_000), join(root, 'a.caibx'), join(root, 'default.castr'))
  await writeFile(join(root, 'cut.caibx'), (await readFile(join(root, 'a.caibx'))).subarray(0, 100))
  await writeFile(join(root, 'b.catar'), 'archive')
  const own = (await loadIdentity(state)).fingerprint
  const env = { ROPEWALK_CHUNKS_LISTEN: 'http://127.0.0.1:0' }
  const node = new HereNode(t, ['--chunks', root, '--allow', own, '--listen', 'yamux+tls://127.0.0.1:0', '--listen', 'yamux+ws://[::1]:0', '--listen', `yamux+unix:${join(state, 'n.sock')}`], state, env)
  const addresses = (await node.told('listening', 4)).map(({ address }) => String(address)).filter(address => address.startsWith('yamux'))
  t.equal(addresses.length, 3)
  for (const address of addresses.filter(address => !address.includes('+ws:'))) {
    const { code, steps } = await examined(state, `${address}::a.caibx`)
    t.match({ code, steps }, { code: 0, steps: { connect: { outcome: 'ok' }, casync: { outcome: 'ok' }, path: { outcome: 'ok', message: /^an index of \d+ chunks?, 293\.0 KiB$/ } } })
    t.notOk('muxer' in steps, 'objects are not asked for')
  }
  const [tls = '', web = ''] = addresses
  t.match(await examined(state, `${tls}::b.catar`), { code: 0, steps: { identity: { message: 'the key in the address' }, path: { message: /^an archive/ } } })
  t.match(await examined(state, `${tls}::default.castr`), { code: 0, steps: { path: { message: /answers for chunks/ } } })
  t.match(await examined(state, `${tls}::none.caibx`), { code: 3, failed: ['path'], steps: { path: { code: 'ERR_ABORTED', advice: [/nothing of that name/] } } })
  t.match(await examined(state, `${tls}::../a.caibx`), { code: 3, failed: ['path'], steps: { path: { message: /not below the folders/, advice: [/only below the folder/] } } })
  t.match(await examined(state, `${tls}::cut.caibx`), { code: 3, failed: ['path'], steps: { path: { code: 'ERR_TRUNCATED', advice: [/cut short/] } } })
  t.match(await examined(stranger, `${tls}::a.caibx`), { code: 3, failed: ['path'], steps: { casync: { outcome: 'ok' }, path: { advice: [/without a word/, /--protocol casync/] } } })
  t.match(await examined(state, `${web}::a.caibx`), { code: 3, steps: { websocket: { outcome: 'ok' }, path: { advice: [/without a word/, /key/] } } }, 'where nobody shows a key')
  await node.stop()
  t.match(await examined(state, `${tls}::a.caibx`), { code: 3, failed: ['connect'], steps: { connect: { advice: [/nobody listens/, /"ropewalk serve"/] }, path: { outcome: 'skipped', message: 'not tried: connect failed' } } })

  const without = new HereNode(t, ['--listen', `yamux+unix:${join(state, 'm.sock')}`], state)
  await without.told('listening')
  t.match(await examined(state, `yamux+unix:${join(state, 'm.sock')}::a.caibx`), { code: 3, failed: ['casync'], steps: { casync: { code: 'ERR_UNSUPPORTED', advice: [/--chunks DIRECTORY there/] }, path: { outcome: 'skipped' } } })
  const rude = await server(t, createServer(socket => { socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') }))
  t.match(await examined(state, `yamux+tcp://127.0.0.1:${rude}::a.caibx`), { code: 3, failed: ['casync'], steps: { casync: { advice: [/answers nothing/, /your key/] } } })
  t.match(await here(['doctor', 'yamux+tcp://192.0.2.7::a.caibx'], state), { code: 2, stderr: /without encryption[^]*yamux\+tls/ })
  t.match(await here(['doctor', `${tls}::a.caibx`, '--token-file', 'x'], state), { code: 2, stderr: /no place for a token/ })
})

t.test('grants are made, hold for a node that runs, are taken back, and all of it is in the audit log', async t => {
  const [state, peer, file] = [await folder(t), await folder(t), 'a.txt']
  await mkdir(join(peer, 'files'))
  await writeFile(join(peer, file), 'rope')
  const key = (await loadIdentity(peer)).fingerprint
  const node = new HereNode(t, ['--listen', 'mdsftp+tls://127.0.0.1:0', '--allow', 'f'.repeat(64)], state)
  const [address = ''] = (await node.told('listening')).map(({ address }) => String(address))
  const put = (): ReturnType<typeof here> => here(['put', join(peer, file), '--to', address, '--json'], peer)
  t.match(await put(), { code: 1 }, 'not among those allowed')
  t.match(await examined(peer, address), { code: 3, failed: ['muxer'] })

  t.match(await here(['grant', key, '--protocol', 'mdsftp', '--for', '1h', '--json'], state), { code: 0, stdout: /"access":"read"/ })
  t.match(await put(), { code: 1, stdout: /"failed"/ }, 'who may read may not store')
  t.match(await examined(peer, address), { code: 0 }, 'and is let in')
  const { id } = facts((await here(['grants', '--json'], state)).stdout)[0] as unknown as { id: string }
  t.match(await here(['grant', key, '--access', 'write'], state), { code: 0 })
  t.match(await put(), { code: 0 })
  t.match(await here(['revoke', id.slice(0, 6)], state), { code: 0 })
  t.match(await here(['revoke', id], state), { code: 4 })
  t.match(await here(['grant', 'nobody'], state), { code: 4, stderr: /knows no peer by a name/ })
  t.match(await here(['grant', key, '--acces', 'write'], state), { code: 2, stderr: /Did you mean --access/ })
  await node.stop()
  t.match(await here(['grant', 'nobody'], state), { code: 4, stderr: /there is no such peer/ })

  const log = facts((await here(['audit', '--limit', '100', '--json'], state)).stdout)
  t.match(log.filter(({ event }) => event === 'granted' || event === 'revoked'), [{ peer: key, access: 'read' }, { peer: key, access: 'write' }, { peer: key, access: 'read' }])
  t.ok(log.some(({ event, granted, fingerprint }) => event === 'connected' && granted === true && fingerprint === key))
  t.notMatch(await readFile(join(state, 'audit.ndjson'), 'utf8'), /PRIVATE/)
})

t.test('for a person nothing is wider than a terminal', async t => {
  const [stdin, stdout, stderr] = [new PassThrough().end(), Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 }), new PassThrough()]
  await doctor({ stdin, stdout, stderr, env: { ROPEWALK_STATE: await folder(t), NO_COLOR: '1' }, signal: new AbortController().signal, now: () => 0 }, 'mdsftp+tls://nowhere.invalid:1', { timeout: 300, json: false })
  const lines = (await text(stdout.end())).split('\n')
  t.ok(lines.length > 14)
  for (const line of lines) t.ok(line.length <= 80, line)
  t.match(lines.find(line => line.startsWith('key')), /^key +ok +sha256=[\da-f]+…[\da-f]+$/)
})
