import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FAST_FRAGMENT_BYTES, MAX_SEND_BYTES } from '@ropewalk/protocol-mdsftp'
import { WINDOW_BYTES } from '@ropewalk/muxer-mdsftp'
import t from 'tap'
import type { Cases } from '../page/cases.ts'
import { bundle } from '../src/bundle.ts'
import { openChromium } from '../src/chromium.ts'
import { portableEntries } from '../src/entries.ts'
import { BYTES_PER_CHANNEL, openSite } from '../src/site.ts'

declare const cases: Cases

const MIB = 1024 * 1024

const folder = await mkdtemp(join(tmpdir(), 'browser-'))
const site = await openSite(join(folder, 'store'))
const context = await openChromium(join(folder, 'profile'))
const page = context.pages()[0] ?? await context.newPage()
const errors: string[] = []
page.on('pageerror', error => errors.push(error.message))
page.on('console', message => { if (message.type() === 'error' && !message.text().includes('favicon')) errors.push(message.text()) })
t.comment(`Chromium ${context.browser()?.version() ?? '?'}`)
t.teardown(async () => {
  await context.close()
  await site.close()
  await rm(folder, { recursive: true, force: true })
})

const socket = (path: string): string => new URL(path, site.url).href.replace('http', 'ws')
await page.goto(site.url)
await page.addScriptTag({ type: 'module', url: '/page/cases.js' })

t.test('every portable entry point is imported', async t => {
  for (const { name } of portableEntries()) {
    const names = await page.evaluate(async url => await cases.load(url), `/${name}.js`)
    if (name === '@ropewalk/interface') t.equal(names, 0, `${name}: types only`)
    else t.ok(names > 0, `${name}: ${names} names`)
  }
})

t.test('what only Node has is refused', async t => {
  const path = new URL(import.meta.resolve('@ropewalk/store-fs'))
  await t.rejects(bundle([{ name: '@ropewalk/store-fs', path }]), /node:/)
})

for (const size of [0, 1, 8 * MIB]) {
  t.test(`a file of ${size} bytes is put and comes back`, async t => {
    const results = await page.evaluate(async ([url, size]) => await cases.roundTrips(url, [size]), [socket('node'), size] as const)
    for (const { sent, got } of results) t.equal(got, sent)
    t.equal(results.length, 1)
  })
}

t.test('as pipelines: pipe(readFile(file), upload(…)) and pipe(retrieve(…), …), to a node and back', async t => {
  for (const size of [1, 5 * MIB + 3]) {
    const { size: came, sent, got } = await page.evaluate(async ([url, size]) => await cases.pipes(url, size), [socket('node'), size] as const)
    t.equal(came, size)
    t.equal(got, sent)
  }
})

t.test('a stage that fails in the middle of a pipe fails the pipe, and leaves no channel', async t => {
  const broken = await page.evaluate(async ([url, size]) => await cases.breakPipe(url, size), [socket('node'), 4 * MIB] as const)
  t.same(broken, { message: 'enough', channels: 0 })
})

t.test('20 files at once over one connection', async t => {
  const sizes = Array.from({ length: 20 }, (_, index) => index * 54_321)
  const results = await page.evaluate(async ([url, sizes]) => await cases.roundTrips(url, sizes), [socket('node'), sizes] as const)
  t.same(results.map(({ size }) => size), sizes)
  for (const { size, sent, got } of results) t.equal(got, sent, `${size} bytes`)
  t.equal(new Set(results.map(({ sent }) => sent)).size, sizes.length, 'each has its own bytes')
})

t.test('a page that sleeps over a file holds the node at its window, and nothing else', async t => {
  const size = 16 * MIB
  const before = site.read
  const taken = await page.evaluate(async ([url, size]) => await cases.sleepOnFile(url, size), [socket('node'), size] as const)
  const held = site.read - before - 20 * 1000
  t.ok(taken > 0 && taken <= FAST_FRAGMENT_BYTES, `${taken} bytes taken`)
  t.ok(held >= taken && held <= taken + MAX_SEND_BYTES + FAST_FRAGMENT_BYTES, `${held} bytes read for ${size}`)
  const { sent, got } = await page.evaluate(async () => await cases.wakeOnFile())
  t.equal(got, sent, 'and it comes whole when the page wakes')
})

t.test('a page that sleeps over a channel holds its sender at the window, while another channel runs', async t => {
  const taken = await page.evaluate(async url => await cases.sleepOnChannel(url), socket('bytes'))
  const [slow = 0, other = 0] = site.accepted
  t.ok(taken > 0 && slow <= taken + 2 * WINDOW_BYTES, `${slow} bytes accepted, ${taken} taken`)
  t.equal(other, BYTES_PER_CHANNEL)
  t.equal(await page.evaluate(async () => await cases.wakeOnChannel()), BYTES_PER_CHANNEL)
})

t.test('a person puts files and gets them back', async t => {
  const files = [
    { name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('laid into one rope') },
    { name: 'empty.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(0) },
    { name: 'photograph of a ropewalk.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(3 * MIB, 'rope') }
  ]
  await page.setInputFiles('input[type=file]', files)
  for (const { name } of files) {
    const row = page.locator('li', { hasText: name })
    await row.locator('button').click()
    await row.getByText('the same bytes came back').waitFor()
    const [download] = await Promise.all([page.waitForEvent('download'), row.locator('a').click()])
    t.equal(download.suggestedFilename(), name)
  }
  if (process.env['SCREENSHOT'] !== undefined) await page.screenshot({ path: process.env['SCREENSHOT'] })
})

t.test('nothing went wrong that nobody looked at', async t => {
  t.same(errors, [])
  t.same(site.troubles, [])
})
