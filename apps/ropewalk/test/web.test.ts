import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { TransferActivity } from '../src/activity/activity.ts'
import type { OfferLine } from '../src/peers/offer-line.ts'
import { say } from './command-tree.ts'
import { ask, Events, Live } from './live.ts'
import { folder } from './processes.ts'

const LOCAL = ['--listen', 'mdsftp+tls://127.0.0.1:0', '--web', '127.0.0.1:0']
const ASKING = { 'x-ropewalk': '1' }

interface Shown { readonly node: Live, readonly page: string, readonly env: NodeJS.ProcessEnv, readonly directory: string }

/** A node with a page. */
async function show (t: Parameters<typeof folder>[0], args: readonly string[], name = 'laptop'): Promise<Shown> {
  const directory = await folder(t)
  const env = { ROPEWALK_STATE: join(directory, 'state'), ROPEWALK_NAME: name }
  const node = new Live(t, ['serve', '--json', ...args.map(arg => arg.replace('DIRECTORY', directory))], env)
  const { address } = await node.fact('listening', ({ address }) => String(address).startsWith('http'))
  return { node, page: String(address), env, directory }
}

t.test('the page is one of its own: nothing from elsewhere, nothing inline, and nobody frames it', async t => {
  const { page } = await show(t, LOCAL)
  const { status, headers, body } = await ask(page, '/')
  t.equal(status, 200)
  t.match(headers, { 'content-security-policy': /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  t.notMatch(headers['content-security-policy'], /unsafe|\*|http:/)
  const links = Array.from(body.matchAll(/(?:src|href)="([^"]+)"/g), ([, link = '']) => link)
  t.ok(links.length >= 3)
  let bytes = body.length
  for (const link of links.filter(link => !link.startsWith('#'))) t.match(link, /^\/[\w.]+$/)
  for (const path of ['/page.css', '/page.js', '/draw.js', '/parts.js', '/format.js', '/icon.svg']) {
    const part = await ask(page, path)
    t.equal(part.status, 200, path)
    t.notMatch(part.body.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\/|innerHTML|eval\(/, path)
    bytes += part.body.length
  }
  t.ok(bytes < 48 * 1024, `${bytes} bytes in all`)
  t.notMatch(body, /<script>|<style|style=|onclick/)
  for (const path of ['/nothing', '/../package.json', '/%2e%2e/package.json', '/page.js.map']) t.equal((await ask(page, path)).status, 404, path)
})

t.test('a request counts only under a name of this machine, and changes something only when it comes from the page', async t => {
  const { page, node } = await show(t, LOCAL)
  const { host } = new URL(page)
  for (const name of ['evil.example', 'evil.example:80', '192.0.2.7', 'localhost.evil.example:1']) t.equal((await ask(page, '/healthz', { headers: { host: name } })).status, 421, name)
  for (const name of ['localhost:1234', '127.0.0.1', '[::1]:9', 'LOCALHOST']) t.equal((await ask(page, '/healthz', { headers: { host: name } })).status, 200, name)
  t.equal((await ask(page, '/events', { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403)

  const put = { method: 'PUT', body: 'x' }
  t.equal((await ask(page, '/files/a', put)).status, 403, 'without the header that no form can set')
  t.equal((await ask(page, '/files/a', { ...put, headers: { ...ASKING, origin: 'http://evil.example' } })).status, 403)
  t.equal((await ask(page, '/files/a', { ...put, headers: { ...ASKING, origin: 'null' } })).status, 403)
  t.equal((await ask(page, '/offers/1/accept', { method: 'POST', headers: { origin: `http://${host}` } })).status, 403)
  t.equal((await ask(page, '/files/a', { ...put, headers: { ...ASKING, origin: `http://${host}` } })).status, 201)
  t.equal(await node.stop(), 0)
})

t.test('a file that is put onto the page is an object that get fetches; health and metrics tell of it', async t => {
  const { node, page, env, directory } = await show(t, LOCAL)
  const [{ address } = { address: '' }] = [await node.fact('listening')]
  t.match(await ask(page, '/healthz'), { status: 200, body: 'ok\n' })
  t.match(await ask(page, '/readyz'), { status: 200, body: 'ready\n' })

  const body = 'laid into one rope '.repeat(50_000)
  const put = await ask(page, '/files/rope%20and%20strand.txt', { method: 'PUT', headers: ASKING, body })
  t.equal(put.status, 201, put.body)
  const { id, name } = JSON.parse(put.body) as { id: string, name: string }
  t.equal(name, 'rope and strand.txt')
  const got = await say(['get', id, '--from', String(address), '-o', join(directory, 'back')], env)
  t.equal(got.code, 0, got.stderr)
  t.equal(await readFile(join(directory, 'back'), 'utf8'), body)

  const events = new Events(t, page)
  const transfers = await events.part<TransferActivity[]>('transfers', transfers => transfers.some(({ name, state }) => name.startsWith('rope and') && state === 'done'))
  t.match(transfers.find(({ name }) => name.startsWith('rope and')), { protocol: 'web', direction: 'in', size: body.length, bytes: body.length })
  await events.part<Array<{ usedBytes: number }>>('stores', ([store]) => store?.usedBytes === body.length)

  const { headers, body: metrics } = await ask(page, '/metrics')
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/)
  for (const line of [/^ropewalk_transfers_total\{protocol="web",direction="in",outcome="done"\} 1$/m, new RegExp(`^ropewalk_transfer_bytes_total\\{protocol="web",direction="in"\\} ${body.length}$`, 'm'),
    new RegExp(`^ropewalk_store_bytes\\{store="[^"]+",kind="used"\\} ${body.length}$`, 'm'), /^# TYPE ropewalk_connections gauge$/m, /^process_cpu_seconds_total /m, /^ropewalk_build_info\{version="[\d.]+",commit="\w+"\} 1$/m]) t.match(metrics, line)
  t.notMatch(metrics, /rope and strand/, 'no label names a file')

  t.match(await ask(page, '/files/x', { method: 'PUT', headers: { ...ASKING, 'transfer-encoding': 'chunked' }, body: 'x' }), { status: 400, body: /content-length|size/ })
})

t.test('offers are seen, accepted and declined; what arrives is seen too', async t => {
  const laptop = await show(t, ['--inbox', 'DIRECTORY/Inbox', '--peers', '127.0.0.1:0', '--no-discover', '--web', '127.0.0.1:0'])
  await mkdir(join(laptop.directory, 'Inbox'), { recursive: true })
  const desk = { ROPEWALK_STATE: await folder(t), ROPEWALK_NAME: 'desk' }
  const { address } = await laptop.node.fact('listening')
  const code = new Live(t, ['pair', '--json'], laptop.env)
  const paired = await say(['pair', String((await code.fact('code'))['code']), String(address).split('#')[0] as string, '--no-discover', '--json'], desk)
  t.equal(paired.code, 0, paired.stderr)
  t.equal(await code.ended, 0)

  const events = new Events(t, laptop.page)
  await events.part<Array<{ alias: string }>>('peers', peers => peers.some(({ alias }) => alias === 'desk'))
  for (const [index, answer] of (['accept', 'decline'] as const).entries()) {
    const path = join(laptop.directory, `photo-${index}.jpg`)
    await writeFile(path, 'P'.repeat(300_000))
    const sending = new Live(t, ['send', path, 'laptop', '--wait', '--no-discover', '--json'], desk)
    const offers = await events.part<OfferLine[]>('offers', offers => offers.some(({ names, status }) => names[0] === `photo-${index}.jpg` && status === 'awaiting'))
    const { id, alias } = offers.find(({ names }) => names[0] === `photo-${index}.jpg`) as OfferLine
    t.equal(alias, 'desk')
    const answered = await ask(laptop.page, `/offers/${id}/${answer}`, { method: 'POST', headers: ASKING })
    t.equal(answered.status, 202, answered.body)
    t.equal(await sending.ended, answer === 'accept' ? 0 : 1)
    await events.part<OfferLine[]>('offers', offers => offers.some(offer => offer.id === id && offer.status === (answer === 'accept' ? 'completed' : 'rejected')))
  }
  await events.part<TransferActivity[]>('transfers', transfers => transfers.some(({ name, state, protocol }) => name.endsWith('photo-0.jpg') && state === 'done' && protocol === 'warpdrive'))
  t.equal(createHash('sha256').update(await readFile(join(laptop.directory, 'Inbox/photo-0.jpg'))).digest('hex'), createHash('sha256').update('P'.repeat(300_000)).digest('hex'))
  t.match(await ask(laptop.page, '/offers/0000/accept', { method: 'POST', headers: ASKING }), { status: 404 })

  const put = await ask(laptop.page, '/files/note.txt', { method: 'PUT', headers: ASKING, body: 'a note' })
  t.match(put, { status: 201, body: /Inbox\/note\.txt/ })
  t.equal(await readFile(join(laptop.directory, 'Inbox/note.txt'), 'utf8'), 'a note')
  for (const [name, status] of [['..%2F..%2Fetc%2Fpasswd', 400], ['note.txt', 409], ['%00', 400]] as const) t.equal((await ask(laptop.page, `/files/${name}`, { method: 'PUT', headers: ASKING, body: 'x' })).status, status, name)
})

t.test('for other machines a page asks for a token, by a cookie that scripts and other sites cannot use, or a header', async t => {
  const directory = await folder(t)
  const [token, tokens] = ['T'.repeat(63) + '7', join(directory, 'tokens')]
  await writeFile(tokens, `${token}\n`)
  await chmod(tokens, 0o600)
  t.match(await say(['serve', '--web', '0.0.0.0:0'], { ROPEWALK_STATE: directory }), { code: 2, stderr: /--web-token-file/ })
  t.match(await say(['serve', '--web', '0.0.0.0:0', '--web-token-file', tokens], { ROPEWALK_STATE: directory }), { code: 2, stderr: /--allow-plaintext/ })
  t.match(await say(['serve', '--web-token-file', tokens], { ROPEWALK_STATE: directory }), { code: 2, stderr: /goes with --web/ })
  t.match(await say(['serve', '--web', 'nonsense'], { ROPEWALK_STATE: directory }), { code: 2, stderr: /ERR_ADDRESS/ })

  const { page } = await show(t, ['--listen', 'mdsftp+tls://127.0.0.1:0', '--web', '0.0.0.0:0', '--web-token-file', tokens, '--allow-plaintext'])
  const local = page.replace('0.0.0.0', '127.0.0.1')
  for (const path of ['/', '/page.js', '/healthz', '/readyz']) t.equal((await ask(local, path)).status, 200, path)
  for (const path of ['/events', '/metrics', '/session']) t.equal((await ask(local, path)).status, 401, path)
  t.equal((await ask(local, '/files/a', { method: 'PUT', headers: ASKING, body: 'x' })).status, 401)
  t.equal((await ask(local, '/healthz', { headers: { host: 'evil.example' } })).status, 421)
  t.equal((await ask(local, '/metrics', { headers: { authorization: `Bearer ${token}` } })).status, 200)
  t.equal((await ask(local, '/metrics', { headers: { authorization: `Bearer ${token.slice(1)}x` } })).status, 401)

  t.equal((await ask(local, '/session', { method: 'POST', headers: ASKING, body: 'X'.repeat(64) })).status, 401)
  t.equal((await ask(local, '/session', { method: 'POST', headers: ASKING, body: 'X'.repeat(1000) })).status, 413)
  t.equal((await ask(local, '/session', { method: 'POST', body: token })).status, 403)
  const { status, headers } = await ask(local, '/session', { method: 'POST', headers: ASKING, body: token })
  t.equal(status, 204)
  const [cookie = ''] = headers['set-cookie'] ?? []
  t.match(cookie, /^ropewalk=[\da-f]{64}; HttpOnly; SameSite=Strict; Path=\/$/)
  t.notMatch(cookie, token)
  t.equal((await ask(local, '/session', { headers: { cookie: cookie.split(';')[0] as string } })).status, 200)
  t.equal((await ask(local, '/session', { headers: { cookie: `ropewalk=${'0'.repeat(64)}` } })).status, 401)
})

t.test('no more pages than there is room for', async t => {
  const { page } = await show(t, LOCAL)
  const events = Array.from({ length: 16 }, () => new Events(t, page))
  await Promise.all(events.map(async page => await page.part('connections', () => true)))
  t.match(await ask(page, '/events'), { status: 503, body: /16 pages/ })
})
