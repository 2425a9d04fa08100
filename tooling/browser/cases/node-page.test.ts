/// <reference lib="dom" />
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openChromium } from '../src/chromium.ts'

const MAIN = fileURLToPath(new URL('../../../apps/ropewalk/src/main.ts', import.meta.url))
const PICTURES = process.env['PICTURES']

const folder = await mkdtemp(join(tmpdir(), 'page-'))
const children = new Set<ChildProcess>()
const context = await openChromium(join(folder, 'profile'))
const page = context.pages()[0] ?? await context.newPage()
const errors: string[] = []
page.on('pageerror', error => errors.push(error.message))
page.on('console', message => { if (message.type() === 'error') errors.push(message.text()) })
t.teardown(async () => {
  await context.close()
  for (const child of children) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

/** A command of one of two people, each with a machine of his own. */
function begin (name: string, ...args: string[]): { child: ChildProcess, fact: (event: string, is?: RegExp) => Promise<Record<string, string>> } {
  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', MAIN, ...args, '--json'], { cwd: join(folder, name), env: { ...process.env, NODE_OPTIONS: '', ROPEWALK_STATE: join(folder, name, 'state'), ROPEWALK_NAME: name }, stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  let stdout = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  return {
    child,
    fact: async (event, is = /./) => {
      for (;;) {
        const found = stdout.split('\n').slice(0, -1).find(line => (JSON.parse(line) as { event: string }).event === event && is.test(line))
        if (found !== undefined) return JSON.parse(found) as Record<string, string>
        if (child.stdout !== null) await once(child.stdout, 'data')
      }
    }
  }
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function end ({ child }: { child: ChildProcess }): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit')
  return child.exitCode
}

/** What Chromium would tell a screen reader: every button, field and picture has a name. */
async function nameless (): Promise<string[]> {
  return await page.evaluate(() => {
    const named = (element: Element): boolean => (element.getAttribute('aria-label') ?? element.textContent?.trim() ?? '') !== '' || element.hasAttribute('aria-labelledby') || (element as HTMLInputElement).labels?.length === 1
    return Array.from(document.querySelectorAll('button, input, progress, meter, svg, section, ul, ol')).filter(element => !named(element)).map(element => element.outerHTML.slice(0, 80))
  })
}

interface Accessible { readonly role: string, readonly name: string }

/** Chromium's own accessibility tree: what a screen reader is told, of what can be pressed, filled or read as a measure. */
async function accessible (): Promise<Accessible[]> {
  const session = await context.newCDPSession(page)
  try {
    const { nodes } = await session.send('Accessibility.getFullAXTree')
    return nodes.filter(({ ignored }) => !ignored).map(({ role, name }) => ({ role: String(role?.value), name: String(name?.value ?? '').trim() }))
  } finally {
    await session.detach()
  }
}

/** Roles that say nothing without a name. */
const NEED_NAMES: ReadonlySet<string> = new Set(['button', 'link', 'textbox', 'progressbar', 'meter', 'image', 'img', 'region', 'list', 'log', 'heading', 'columnheader', 'DisclosureTriangle'])

async function unnamed (): Promise<Accessible[]> {
  return (await accessible()).filter(({ role, name }) => NEED_NAMES.has(role) && name === '')
}

async function picture (name: string): Promise<void> {
  if (PICTURES === undefined) return
  for (const [size, width, height] of [['wide', 1100, 900], ['phone', 390, 844]] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme })
      await page.screenshot({ path: join(PICTURES, `${name}-${size}-${colorScheme}.png`), fullPage: true })
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

for (const name of ['laptop', 'desk']) await mkdir(join(folder, name))
const swarmPort = await freePort()
// Of three peers two are not there.
await writeFile(join(folder, 'laptop/peers.txt'), [swarmPort, 1, 2].map(port => `127.0.0.1 ${port}\n`).join(''))
await mkdir(join(folder, 'laptop/shared'))
await writeFile(join(folder, 'laptop/shared/rope.txt'), 'laid into one rope')
const laptop = begin('laptop', 'serve', '--listen', `torronto+tcp://127.0.0.1:${swarmPort}`, '--swarm-peers', 'peers.txt', '--swarm-dir', 'shared', '--swarm-profile', 'hardened', '--listen', 'mdsftp+tls://127.0.0.1:0', '--inbox', 'Inbox', '--peers', '127.0.0.1:0', '--no-discover', '--web', '127.0.0.1:0')
const { address: url = '' } = await laptop.fact('listening', /"http:/)
const { address: peers = '' } = await laptop.fact('listening', /"127\.0\.0\.1:\d+#/)
const waiting = begin('laptop', 'pair')
const { code = '' } = await waiting.fact('code')
for (const pairing of [begin('desk', 'pair', code, peers.split('#')[0] as string, '--no-discover'), waiting]) if (await end(pairing) !== 0) throw new Error('the two are not paired')
await page.goto(url)

t.test('the page says what there is, in words too', async t => {
  await page.getByText('Live', { exact: true }).waitFor()
  await page.locator('#peers').getByText('desk').waitFor()
  await page.locator('#stores meter').waitFor()
  await page.locator('#log').getByText('listening').first().waitFor()
  await page.locator('#swarm').getByRole('progressbar', { name: 'Copies of rope.txt: 1.0 of 3' }).waitFor()
  t.same(await nameless(), [])
  t.same(await unnamed(), [])
  t.equal(await page.locator('h1').count(), 1)
})

t.test('an offer is accepted by a click, and its files are seen to arrive', async t => {
  await mkdir(join(folder, 'desk/photos'))
  for (const name of ['a', 'b', 'c']) await writeFile(join(folder, `desk/photos/${name}.jpg`), name.repeat(8 * 1024 * 1024))
  const sending = begin('desk', 'send', 'photos', 'laptop', '--wait', '--no-discover')
  const accept = page.getByRole('button', { name: 'Accept photos from desk' })
  await accept.waitFor()
  t.match(await page.title(), /^\(1\)/)
  t.match(await page.locator('#said').textContent(), /desk offers photos/)
  await picture('offer')
  await accept.click()
  await page.locator('#offers').getByText('completed').waitFor()
  t.equal(await end(sending), 0)
  for (const name of ['a', 'b', 'c']) {
    await page.locator('#transfers li', { hasText: `photos/${name}.jpg` }).getByText(/^done in/).waitFor()
    t.equal(await readFile(join(folder, `laptop/Inbox/photos/${name}.jpg`), 'utf8'), name.repeat(8 * 1024 * 1024))
  }
  t.equal(await page.title(), 'Ropewalk')
  t.equal(await accept.count(), 0)
})

t.test('an offer is accepted with the keyboard alone', async t => {
  await writeFile(join(folder, 'desk/yes.txt'), 'yes')
  const sending = begin('desk', 'send', 'yes.txt', 'laptop', '--wait', '--no-discover')
  const accept = page.getByRole('button', { name: 'Accept yes.txt from desk' })
  await accept.waitFor()
  t.ok((await accessible()).some(({ role, name }) => role === 'button' && name === 'Accept yes.txt from desk'), 'a screen reader is told so')
  await page.evaluate(() => { (document.activeElement as HTMLElement | null)?.blur() })
  let presses = 0
  for (; presses < 20 && !await accept.evaluate(element => element === document.activeElement); presses++) await page.keyboard.press('Tab')
  t.ok(presses < 20, `${presses} presses`)
  t.not(await accept.evaluate(element => getComputedStyle(element).outlineStyle), 'none', 'where the keyboard is can be seen')
  await page.keyboard.press('Space')
  t.equal(await end(sending), 0)
  t.equal(await readFile(join(folder, 'laptop/Inbox/yes.txt'), 'utf8'), 'yes')
  await accept.waitFor({ state: 'detached' })
})

t.test('an offer is declined with the keyboard alone', async t => {
  await writeFile(join(folder, 'desk/no.txt'), 'no')
  const sending = begin('desk', 'send', 'no.txt', 'laptop', '--wait', '--no-discover')
  const decline = page.getByRole('button', { name: 'Decline no.txt from desk' })
  await decline.waitFor()
  for (let presses = 0; presses < 20 && !await decline.evaluate(element => element === document.activeElement); presses++) await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.locator('#offers').getByText('declined').waitFor()
  t.equal(await end(sending), 1)
})

t.test('a file that is dropped onto the page is an object of the node', async t => {
  const content = 'laid into one rope '.repeat(10_000)
  const transfer = await page.evaluateHandle(text => {
    const transfer = new DataTransfer()
    transfer.items.add(new File([text], 'dropped & <b>bold</b>.txt'))
    return transfer
  }, content)
  await page.dispatchEvent('#drop', 'drop', { dataTransfer: transfer })
  const item = page.locator('#dropped li', { hasText: 'is here' })
  await item.waitFor()
  t.match(await item.textContent(), /dropped & <b>bold<\/b>\.txt is here/)
  const id = /ropewalk get (\S+)/.exec(await item.textContent() ?? '')?.[1] ?? ''
  const { address = '' } = await laptop.fact('listening', /mdsftp/)
  t.equal(await end(begin('laptop', 'get', id, '--from', address, '-o', 'back.txt')), 0)
  t.equal(await readFile(join(folder, 'laptop/back.txt'), 'utf8'), content)
  await page.locator('#transfers li', { hasText: 'mdsftp' }).getByText('dropped & <b>bold</b>.txt').waitFor()
})

t.test('a name that becomes known when a transfer has ended is shown', async t => {
  const shown = await page.evaluate(async () => {
    const { drawTransfer } = await import(new URL('draw.js', location.href).href) as { drawTransfer: (item: Element, transfer: object, rate: object, now: number) => void }
    const item = document.createElement('li')
    const transfer = { direction: 'out', protocol: 'mdsftp', size: 3, bytes: 3, state: 'done', startedAt: 1, endedAt: 2 }
    return ['8316f7cd-6f95-4898-9883-0875d7db9a5b', 'rope.txt'].map(name => {
      drawTransfer(item, { ...transfer, name }, { speed: 0, samples: [] }, 3)
      return item.querySelector('.name')?.textContent
    })
  })
  t.same(shown, ['8316f7cd-6f95-4898-9883-0875d7db9a5b', 'rope.txt'])
})

t.test('what stands still is seen: a graph, what it waits for, its connection and the windows of its channels', async t => {
  await writeFile(join(folder, 'desk/big.bin'), Buffer.alloc(64 * 1024 * 1024, 'rope'))
  const sending = begin('desk', 'send', 'big.bin', 'laptop', '--wait', '--no-discover')
  await page.getByRole('button', { name: 'Accept big.bin from desk' }).click()
  await sending.fact('started')
  sending.child.kill('SIGSTOP')
  const transfer = page.locator('#transfers li.moving', { hasText: 'big.bin' })
  await transfer.getByRole('progressbar', { name: 'Progress of big.bin' }).waitFor()
  await transfer.getByRole('img', { name: /^Rate of big.bin/ }).waitFor()
  await transfer.getByText(/^waiting for .* since \d+ s$/).waitFor()
  const connection = page.locator('#connections li', { hasText: 'warpdrive' })
  await connection.locator('summary').click()
  await connection.locator('tbody tr').first().waitFor()
  t.match(await connection.locator('tbody tr').first().innerText(), /^\d+\s+\d+ KiB\s+[\d.]+ \w+\s+[\d.]+ \w+$/)
  t.same(await nameless(), [])
  t.same(await unnamed(), [])
  await picture('moving')
  sending.child.kill('SIGCONT')
  t.equal(await end(sending), 0)
  await page.locator('#transfers li', { hasText: 'big.bin' }).getByText(/^done in/).waitFor()
})

t.test('on a phone nothing is wider than the screen', async t => {
  for (const width of [320, 390]) {
    await page.setViewportSize({ width, height: 844 })
    t.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= width, `${width}`)
  }
  await page.setViewportSize({ width: 900, height: 640 })
})

t.test('a node that goes is missed, and found again', async t => {
  laptop.child.kill('SIGTERM')
  t.equal(await end(laptop), 0)
  await page.getByText('The node does not answer').waitFor()
  const again = begin('laptop', 'serve', '--inbox', 'Inbox', '--peers', '127.0.0.1:0', '--no-discover', '--web', new URL(url).host)
  await again.fact('listening', /"http:/)
  await page.getByText('Live', { exact: true }).waitFor()
  t.ok(true)
})

t.test('nothing went wrong that nobody looked at', async t => {
  // A node that is away is said by Chromium as well.
  t.same(errors.filter(text => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE/.test(text)), [])
})
