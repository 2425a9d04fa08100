/** What a node says of itself: status, history, why and retry, with a node and without one. */
import { randomBytes } from 'node:crypto'
import { appendFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { standing } from '../src/activity/words.ts'
import type { TransferActivity } from '../src/activity/activity.ts'
import { here, HereNode } from './node.ts'
import { facts, folder } from './processes.ts'

const BYTES = 300_000

/** More than is on its way at a time. */
const MANY = 8_000_000

t.test('what was stored, fetched and refused is in the history, during the node\'s life and after it', async t => {
  const state = await folder(t)
  const [file, back] = [join(state, 'a.bin'), join(state, 'back')]
  const address = `mdsftp+unix:${join(state, 'n.sock')}`
  await writeFile(file, randomBytes(BYTES))
  const node = new HereNode(t, ['--listen', address], state)
  await node.told('listening')
  t.match(await here(['status', '--json'], state), { code: 0, stdout: '' }, 'nothing is under way')

  const put = await here(['put', file, '--to', address, '--json'], state)
  const { id } = facts(put.stdout).find(({ event }) => event === 'stored') as unknown as { id: string }
  t.match(await here(['get', id, '--from', address, '-o', back], state), { code: 0 })

  const past = facts((await here(['history', '--json'], state)).stdout)
  t.match(past, [
    { event: 'transfer', protocol: 'mdsftp', direction: 'in', state: 'done', size: BYTES, bytes: BYTES },
    { event: 'transfer', protocol: 'mdsftp', direction: 'out', state: 'done', bytes: BYTES }
  ])
  const [first] = past as unknown as [TransferActivity]
  t.match(past, [{ name: 'a.bin', object: id }, { name: 'a.bin', object: id }], 'the object by the name of the file that it was')
  t.match(await here(['why', 'a.bin'], state), { code: 0 })
  t.match(await here(['why', id], state), { code: 0 })
  t.match(await here(['why', first.id], state), { code: 0, stdout: new RegExp(`^${first.id}\\tdone\\tdone .* ago, took `) })
  t.match(await here(['retry', first.id], state), { code: 2, stderr: /there is nothing to retry/ })
  t.match(await here(['why', 'nothing-1'], state), { code: 4, stderr: /no transfer is known by that/ })
  t.equal(await node.stop(), 0)

  t.match(await here(['status'], state), { code: 3, stderr: /no node of yours is running[^]*history/ })
  t.equal(facts((await here(['history', '--json', '--limit', '1'], state)).stdout).length, 1)
  await appendFile(join(state, 'journal.ndjson'), `${JSON.stringify({ ...first, id: 'old-9', state: 'running', name: 'half.bin', bytes: 5, endedAt: undefined })}\n{"id":`)
  const failed = await here(['history', '--failed'], state)
  t.match(failed.stdout, /^old-9\tmdsftp\tin\tfailed\t5\t300000\t\S+\thalf\.bin\n$/, 'what was under way when the node ended has failed')
  t.match(await here(['why', 'half.bin', '--json'], state), { code: 1, stdout: /"why":"failed .* ago: the node ended before it \(ERR_STOPPED\)"/ })
  t.match(await here(['retry', 'half.bin'], state), { code: 2, stderr: /whoever began it begins it again[^]*put --resume/ })
  t.match(await here(['history', '--limit', '0'], state), { code: 2 })
  t.match(await here(['hitsory'], state), { code: 2, stderr: /Did you mean history/ })
})

t.test('status shows what is under way, what it waits for, and who is connected; --watch ends with the node', async t => {
  const state = await folder(t)
  const address = `mdsftp+unix:${join(state, 'n.sock')}`
  const file = join(state, 'a.bin')
  await writeFile(file, randomBytes(MANY))
  const config = join(state, 'n.toml')
  await writeFile(config, `listen = ["${address}"]\n[limits]\ndown = "1K"\n`)
  const node = new HereNode(t, ['--config', config], state)
  await node.told('listening')
  const putting = here(['put', file, '--to', address, '--json'], state)
  let under: ReturnType<typeof facts> = []
  while (!under.some(({ event, bytes }) => event === 'transfer' && Number(bytes) > 0)) under = facts((await here(['status', '--json'], state)).stdout)
  t.match(under.find(({ event }) => event === 'transfer'), { protocol: 'mdsftp', direction: 'in', size: MANY })
  t.match(under.find(({ event }) => event === 'connection'), { protocol: 'mdsftp', muxer: 'mdsftp', address: /^unix:/ })
  t.match((await here(['status'], state)).stdout, /^\S+\tmdsftp\tin\t(running|waiting)\t\d+\t8000000\t/m)

  const watching = here(['status', '--watch', '--json'], state)
  await writeFile(config, `listen = ["${address}"]\n[limits]\ndown = "off"\n`)
  node.hangup()
  t.match(await node.told('reloaded'), [{ taken: ['limits.down'] }])
  t.match(await putting, { code: 0 }, 'the limit is lifted for what is under way')
  await node.stop()
  t.match(await watching, { code: 0 })
})

t.test('an object of somebody else is called by its id, and names are escaped', async t => {
  const [state, other] = [await folder(t), await folder(t)]
  const address = `mdsftp+unix:${join(state, 'n.sock')}`
  const evil = join(other, 'evil\u001b[2J.bin')
  await writeFile(evil, 'rope')
  const node = new HereNode(t, ['--listen', address], state)
  await node.told('listening')
  const stored = async (by: string): Promise<string> => String(facts((await here(['put', evil, '--to', address, '--json'], by)).stdout).find(({ event }) => event === 'stored')?.['id'])
  const theirs = await stored(other)
  t.match((await here(['history'], state)).stdout, new RegExp(`\\t${theirs}\\n$`), 'as put has printed it there')
  await stored(state)
  const { stdout } = await here(['history', '--limit', '1'], state)
  t.match(stdout, /\tevil\\x1b\[2J\.bin\n$/)
  t.notMatch(stdout, /\x1b/)
  t.equal(await node.stop(), 0)
})

t.test('names that cannot be read are no reason to fail: there are the ids', { skip: process.platform !== 'linux' }, async t => {
  const [state, other] = [await folder(t), await folder(t)]
  const address = `mdsftp+unix:${join(state, 'n.sock')}`
  const file = join(other, 'a.txt')
  await writeFile(file, 'rope')
  const node = new HereNode(t, ['--listen', address], state)
  await node.told('listening')
  const { code, stdout, stderr } = await here(['put', file, '--to', address, '--json'], other)
  t.equal(code, 0, stderr)
  // A file whose first byte nobody can read.
  await symlink('/proc/self/mem', join(state, 'names.ndjson'))
  const id = String(facts(stdout).find(({ event }) => event === 'stored')?.['id'])
  t.match(await here(['history'], state), { code: 0, stdout: new RegExp(`\\t${id}\\n$`) })
  t.match(await here(['status'], state), { code: 0 })
  t.equal(await node.stop(), 0)
})

t.test('every state has its words', async t => {
  const base = { id: 'a-1', protocol: 'ipc', direction: 'out', peer: undefined, name: 'a', group: undefined, size: 10, bytes: 1024, waitsFor: undefined, waitsSince: undefined, startedAt: 1000, changedAt: 1000, endedAt: undefined, error: undefined } as const
  t.equal(standing({ ...base, state: 'waiting', waitsFor: 'the peer\'s window', waitsSince: 2000 }, 14_000), 'waiting for the peer\'s window since 12 s')
  t.equal(standing({ ...base, state: 'running' }, 3000), 'running for 2.0 s, 512 B/s')
  t.equal(standing({ ...base, state: 'done', endedAt: 3000 }, 8000), 'done 5.0 s ago, took 2.0 s')
  t.equal(standing({ ...base, state: 'failed', endedAt: 3000, error: { code: 'ERR_X', message: 'evil\u001b[2J' } }, 8000), 'failed 5.0 s ago: evil\\x1b[2J (ERR_X)')
})
