import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { castr } from '@ropewalk/store-castr'
import { collect, VirtualClock } from '@ropewalk/testing'
import t from 'tap'
import { assemble } from '../src/assemble.ts'
import { chain } from '../src/chain.ts'
import { httpBytes, httpFile, type HttpOptions } from '../src/http.ts'
import { httpStore } from '../src/http-store.ts'
import { decodeIndex } from '../src/index-file.ts'
import { MemoryStore } from '../src/memory-store.ts'
import { gather, MemoryBlob } from './blobs.ts'
import { counter, input, nodeHash } from './inputs.ts'
import { compression } from './scene.ts'

const FIXTURES = new URL('../../../fixtures/casync/', import.meta.url)
const MINI = input("ctr('mini',110000)+zeros(300000)+text(100000)")
const ID = '03818c55e4e344607b67fb6500d4ea507f40a798e5e7697b941a05b68fd33013'
const CHUNK = await readFile(new URL(`inputs/srv.castr/0381/${ID}.cacnk`, FIXTURES))

interface Step {
  status?: number
  headers?: Record<string, string>
  /** What comes, and whether the connection breaks then. */
  body?: Uint8Array
  breaks?: boolean
  /** Never answers. */
  silent?: boolean
}

/** A server that follows a script. */
function scripted (...steps: Step[]): HttpOptions & { clock: VirtualClock, asked: Array<{ url: string, headers: Headers }>, cancelled: () => number } {
  const asked: Array<{ url: string, headers: Headers }> = []
  let cancelled = 0
  const fetch: typeof globalThis.fetch = async (url, init) => {
    asked.push({ url: String(url), headers: new Headers(init?.headers) })
    const { status = 200, headers = {}, body = new Uint8Array(0), breaks = false, silent = false } = steps[asked.length - 1] ?? { status: 500 }
    if (silent) await new Promise((_resolve, reject) => { init?.signal?.addEventListener('abort', () => { reject(init.signal?.reason as Error) }) })
    let sent = false
    return new Response(new ReadableStream<Uint8Array>({
      pull (controller) {
        if (!sent && body.length > 0) controller.enqueue(Uint8Array.from(body))
        else if (breaks) controller.error(new TypeError('terminated'))
        else controller.close()
        sent = true
      },
      cancel () { cancelled++ }
    }, { highWaterMark: 0 }), { status, headers })
  }
  return { fetch, clock: new VirtualClock(), asked, cancelled: () => cancelled }
}

/** Time runs as long as somebody waits for it. */
async function patiently<T> (clock: VirtualClock, work: Promise<T>): Promise<T> {
  let done = false
  const settled = work.finally(() => { done = true })
  settled.catch(() => {})
  while (!done) await clock.advance(1000)
  return await settled
}

const store = (server: HttpOptions): ReturnType<typeof httpStore> => httpStore('http://host/store', { ...server, hash: nodeHash, compression })

t.test('a blob comes from a web server, index and chunks', async t => {
  const server = createServer((request, response) => {
    readFile(new URL(`inputs${request.url}`, FIXTURES)).then(bytes => response.end(bytes), () => response.writeHead(404).end('<html>no</html>'))
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const source = httpStore(`${base}/xz.castr/`, { hash: nodeHash, compression })
  const blob = new MemoryBlob()
  await assemble(decodeIndex()(httpBytes(`${base}/mini.caibx`)), source, blob, nodeHash)
  t.same(Buffer.from(blob.bytes), MINI)
  t.equal(await source.get('00'.repeat(32)), undefined)
  await t.rejects(gather(httpBytes(`${base}/nothere.caibx`)), { code: 'ERR_HTTP', status: 404 })
})

t.test('asks for the names that casync uses, with what it was told to send', async t => {
  const server = scripted({ body: CHUNK })
  const chunk = await httpStore('http://host/store/', { ...server, hash: nodeHash, compression, headers: { authorization: 'Bearer x' } }).get(ID, { length: 27_166 })
  t.equal(chunk?.bytes.length, 27_166)
  t.same(Buffer.from(chunk?.compressed ?? []), CHUNK)
  t.equal(server.asked[0]?.url, `http://host/store/0381/${ID}.cacnk`)
  t.equal(server.asked[0]?.headers.get('authorization'), 'Bearer x')
  await t.rejects(store(server).get('../../etc/passwd'), RangeError)
})

t.test('what passes is tried again, later each time, and not for ever', async t => {
  const waits: number[] = []
  const server = scripted({ status: 503 }, { status: 429, headers: { 'retry-after': '7' } }, { body: CHUNK.subarray(0, 100), breaks: true }, { body: CHUNK.subarray(0, 100), headers: { 'content-length': String(CHUNK.length) } }, { body: CHUNK })
  const clock = {
    now: () => server.clock.now(),
    after: (ms: number, run: () => void) => {
      if (ms !== 30_000) waits.push(ms)
      return server.clock.after(ms, run)
    }
  }
  t.equal((await patiently(server.clock, store({ ...server, clock }).get(ID)))?.bytes.length, 27_166)
  t.equal(server.asked.length, 5)
  t.same(waits, [250, 7000, 1000, 2000], 'twice as long each time, or as the server says')
  t.equal(server.clock.pending, 0)

  const broken = scripted()
  await t.rejects(patiently(broken.clock, store(broken).get(ID)), { code: 'ERR_HTTP', status: 500 })
  t.equal(broken.asked.length, 5)
  const silent = scripted({ silent: true }, { silent: true })
  await t.rejects(patiently(silent.clock, store({ ...silent, attempts: 2 }).get(ID)), { code: 'ERR_TIMEOUT', message: /within 30000 ms/ })
})

t.test('what does not pass is told at once', async t => {
  for (const status of [400, 401, 403, 301]) {
    const server = scripted({ status, headers: { location: 'x' } })
    await t.rejects(store(server).get(ID), { code: 'ERR_HTTP', status })
    t.equal(server.asked.length, 1)
    t.equal(server.cancelled(), 1, 'and its body is not read')
  }
})

t.test('a chunk is bounded before it is read, while it is read, and verified', async t => {
  const announced = scripted({ body: CHUNK, headers: { 'content-length': '1000000' } })
  await t.rejects(store(announced).get(ID, { length: 27_166 }), { code: 'ERR_CHUNK_SIZE', message: /1000000 > \d+ bytes/, id: ID })
  t.equal(announced.cancelled(), 1)
  await t.rejects(store(scripted({ body: new Uint8Array(1_000_000) })).get(ID, { length: 27_166 }), { code: 'ERR_CHUNK_SIZE' })
  await t.rejects(store(scripted({ body: CHUNK })).get(ID, { length: 27_165 }), { code: 'ERR_CHUNK_SIZE' })
  const flipped = Uint8Array.from(CHUNK)
  flipped[300] = (flipped[300] as number) ^ 1
  await t.rejects(store(scripted({ body: flipped })).get(ID), { code: /ERR_CHUNK_(DAMAGED|SIZE)/, id: ID })
  await t.rejects(store(scripted({ body: Buffer.from('<html>welcome</html>') })).get(ID), { code: 'ERR_CHUNK_DAMAGED' })
})

t.test('a damaged chunk comes from another store, and the cache keeps the good one', async t => {
  const cache = new MemoryStore(nodeHash)
  const troubles: unknown[] = []
  const source = chain([store(scripted({ body: new Uint8Array(9) })), castr(new URL('inputs/srv.castr', FIXTURES).pathname)], { cache, onTrouble: trouble => { troubles.push(trouble) } })
  t.equal((await source.get(ID))?.bytes.length, 27_166)
  t.equal(troubles.length, 1)
  t.equal(await cache.has(ID), true)
})

const FILE = counter('file', 1000)

t.test('a file that breaks off is taken up where it broke off', async t => {
  const server = scripted(
    { body: FILE.subarray(0, 300), breaks: true, headers: { etag: '"a"' } },
    { status: 503 },
    { status: 206, body: FILE.subarray(300, 700), headers: { etag: '"a"', 'content-range': 'bytes 300-999/1000', 'content-length': '700' } },
    // One without ranges begins again.
    { status: 200, body: FILE, headers: { etag: '"a"' } }
  )
  t.same(Buffer.from(await patiently(server.clock, collect(httpBytes('http://host/file', server)))), Buffer.from(FILE))
  t.same(server.asked.map(({ headers }) => headers.get('range')), [null, 'bytes=300-', 'bytes=300-', 'bytes=700-'])
})

t.test('a file is read from anywhere, to its end', async t => {
  const server = scripted({ status: 206, body: FILE.subarray(900), headers: { 'content-range': 'bytes 900-999/1000' } })
  t.same(Buffer.from(await collect(httpBytes('http://host/file', { ...server, start: 900 }))), Buffer.from(FILE.subarray(900)))
  t.same(await gather(httpBytes('http://host/file', { ...scripted({ status: 416 }), start: 1000 })), [])
  t.same(Buffer.from(await collect(httpBytes('http://host/file', { ...scripted({ body: FILE }), start: 900 }))), Buffer.from(FILE.subarray(900)))
})

t.test('a file that became another, or a range that is another, is an error', async t => {
  const changed = scripted({ body: FILE.subarray(0, 300), breaks: true, headers: { etag: '"a"' } }, { status: 206, body: FILE.subarray(300), headers: { etag: '"b"', 'content-range': 'bytes 300-999/1000' } })
  await t.rejects(patiently(changed.clock, collect(httpBytes('http://host/file', changed))), { code: 'ERR_HTTP', message: /another file/ })
  const moved = scripted({ status: 206, body: FILE, headers: { 'content-range': 'bytes 0-999/1000' } })
  await t.rejects(gather(httpBytes('http://host/file', { ...moved, start: 10 })), { code: 'ERR_HTTP', message: /bytes from 0, not from 10/ })
  t.equal(moved.cancelled(), 1)
})

t.test('a file says which it is before it is read, and is read from anywhere', async t => {
  const head = { etag: '"a"', 'content-length': '1000' }
  const whole = scripted({ status: 503 }, { body: FILE, headers: head })
  const file = await patiently(whole.clock, httpFile('http://host/file', whole))
  t.match(file, { version: 'etag "a"', size: 1000 })
  t.same(Buffer.from(await collect(file.from(0))), Buffer.from(FILE))
  t.same([whole.asked.length, whole.cancelled()], [2, 1], 'the answer that was there is read')

  const part = { status: 206, body: FILE.subarray(700), headers: { etag: '"a"', 'content-range': 'bytes 700-999/1000' } }
  for (const second of [part, { body: FILE, headers: head }]) {
    const server = scripted({ body: FILE, headers: head }, second)
    t.same(Buffer.from(await collect((await httpFile('http://host/file', server)).from(700))), Buffer.from(FILE.subarray(700)))
    t.same([server.asked[1]?.headers.get('range'), server.asked.length, server.cancelled()], ['bytes=700-', 2, 1])
  }
  for (const headers of [{ etag: '"b"' }, undefined]) {
    const other = scripted({ body: FILE, headers: head }, { ...part, headers: { 'content-range': 'bytes 700-999/1000', ...headers } })
    await t.rejects(gather((await httpFile('http://host/file', other)).from(700)), { code: 'ERR_HTTP', message: /another file/ })
  }
  const touched = scripted({ body: FILE, headers: { 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' } }, { ...part, headers: { 'content-range': 'bytes 700-999/1000', 'last-modified': 'Mon, 01 Jan 2024 00:00:01 GMT' } })
  await t.rejects(gather((await httpFile('http://host/file', touched)).from(700)), { code: 'ERR_HTTP', message: /another file/ })

  const left = scripted({ body: FILE, headers: head })
  await (await httpFile('http://host/file', left)).discard()
  t.equal(left.cancelled(), 1)
  await t.rejects(httpFile('http://host/file', scripted({ status: 404 })), { code: 'ERR_HTTP', status: 404 })
})

t.test('only what a server says for sure tells a file from another', async t => {
  const [changed, length] = ['Mon, 01 Jan 2024 00:00:00 GMT', '1000']
  const table: ReadonlyArray<readonly [headers: Record<string, string>, version: string | undefined]> = [
    [{}, undefined],
    [{ etag: '"a"' }, 'etag "a"'],
    [{ etag: 'W/"a"' }, undefined],
    [{ etag: '"a"', 'content-encoding': 'gzip' }, undefined],
    [{ 'last-modified': changed, 'content-length': length, date: 'Mon, 01 Jan 2024 00:01:00 GMT' }, `changed ${changed}, 1000 bytes`],
    [{ etag: 'W/"a"', 'last-modified': changed, 'content-length': length, date: 'Mon, 01 Jan 2024 00:01:00 GMT' }, `changed ${changed}, 1000 bytes`],
    [{ 'last-modified': changed, 'content-length': length, date: 'Mon, 01 Jan 2024 00:00:59 GMT' }, undefined],
    [{ 'last-modified': changed, 'content-length': length }, undefined],
    [{ 'last-modified': changed, date: 'Mon, 01 Jan 2024 00:01:00 GMT' }, undefined],
    [{ 'last-modified': 'yesterday', 'content-length': length, date: 'Mon, 01 Jan 2024 00:01:00 GMT' }, undefined]
  ]
  for (const [headers, version] of table) t.equal((await httpFile('http://host/file', scripted({ body: FILE, headers }))).version, version, JSON.stringify(headers))
})

t.test('whoever leaves early, or is aborted, leaves nothing behind', async t => {
  const server = scripted({ body: FILE })
  for await (const bytes of httpBytes('http://host/file', server)) {
    t.equal(bytes.length, 1000)
    break
  }
  t.equal(server.cancelled(), 1)
  t.equal(server.clock.pending, 0)
  const waiting = scripted({ status: 503 })
  const controller = new AbortController()
  const got = store(waiting).get(ID, { signal: controller.signal })
  got.catch(() => {})
  while (waiting.clock.pending === 0 || waiting.asked.length === 0) await new Promise(resolve => { setImmediate(resolve) })
  controller.abort(new Error('enough'))
  await t.rejects(got, { message: 'enough' })
  t.equal(waiting.clock.pending, 0)
})
