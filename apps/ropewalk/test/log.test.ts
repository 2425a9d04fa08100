import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import t from 'tap'
import { ActivityBoard, type Reporting } from '../src/activity/board.ts'
import { MAX_CHANGES } from '../src/activity/changes.ts'
import { parseLevels } from '../src/observe/log-levels.ts'
import { Log, MAX_RECORDS } from '../src/observe/log.ts'
import { Metrics } from '../src/observe/metrics.ts'
import { traceTransfers } from '../src/observe/traces.ts'
import { folder } from './processes.ts'

function linesOf (stream: PassThrough): Array<Record<string, unknown>> {
  return String(stream.read() ?? '').split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Record<string, unknown>)
}

/** One arrives, the other is broken off. */
async function moveTwo (board: ActivityBoard): Promise<void> {
  const [good, bad] = [board.begin({ protocol: 'ipc', direction: 'in', name: 'a\n\x1b[2Jb', size: 3 }), board.begin({ protocol: 'mdsftp', direction: 'out', name: 'b', peer: '192.0.2.7' })]
  await new Promise(setImmediate)
  good.moved(3)
  good.done()
  bad.failed(Object.assign(new Error('gone'), { code: 'ERR_INTERRUPTED' }))
  await new Promise(setImmediate)
}

t.test('levels, of all modules and of single ones', async t => {
  t.same(parseLevels('debug'), { usual: 'debug', modules: new Map() })
  t.same(parseLevels('warn,mdsftp=debug, web=silent'), { usual: 'warn', modules: new Map([['mdsftp', 'debug'], ['web', 'silent']]) })
  t.same(parseLevels('ipc=trace').usual, 'info')
  t.throws(() => parseLevels('loud'), { code: 'ERR_USAGE', at: 0, message: /trace, debug, info/ })
  t.throws(() => parseLevels('info,mdsftp=loud'), { code: 'ERR_USAGE', at: 12 })
  t.throws(() => parseLevels('info,nothing=warn'), { code: 'ERR_USAGE', at: 5, message: /node, web, mdsftp/ })
})

t.test('transfers are logged when they are over, connections and beginnings only to who wants more', async t => {
  for (const [levels, wanted] of [['info', ['received', 'failed: gone']], ['info,ipc=debug', ['begun', 'received', 'failed: gone']], ['silent', []], ['warn', ['failed: gone']]] as const) {
    const [stderr, board, stop] = [new PassThrough({ encoding: 'utf8' }), new ActivityBoard(), new AbortController()]
    const log = await Log.open({ levels: parseLevels(levels), file: undefined, stderr })
    const following = log.follow(board, stop.signal)
    await moveTwo(board)
    stop.abort()
    await following
    const lines = linesOf(stderr)
    t.same(lines.map(({ msg }) => msg), wanted, levels)
    if (levels === 'info') t.match(lines, [{ level: 'info', module: 'ipc', name: 'a\n\x1b[2Jb', size: 3, bytes: 3, direction: 'in' }, { level: 'warn', module: 'mdsftp', code: 'ERR_INTERRUPTED', remote: '192.0.2.7' }])
    t.match(log.since(0).map(({ message }) => message), ['received', 'failed: gone'], 'the page has them whatever is written')
  }
})

t.test('who cannot keep up hears of the end of what it knew, once, in the log and in the numbers', async t => {
  const [stderr, board, stop] = [new PassThrough({ encoding: 'utf8' }), new ActivityBoard(), new AbortController()]
  const log = await Log.open({ levels: parseLevels('info'), file: undefined, stderr })
  const metrics = new Metrics({ board, stores: async () => [], offers: () => new Map() })
  const following = [log.follow(board, stop.signal), metrics.follow(stop.signal)]
  const begin = (name: string): Reporting => board.begin({ protocol: 'ipc', direction: 'in', name, size: 3 })
  const first = begin('first')
  await new Promise(setImmediate)
  for (let index = 1; index < MAX_CHANGES; index++) begin('another').done()
  first.moved(3)
  first.done()
  begin('the last').done()
  await new Promise(setImmediate)
  stop.abort()
  await Promise.all(following)
  t.same(linesOf(stderr).map(({ name, msg }) => [name, msg]), [['first', 'received'], ['the last', 'received']])
  t.match(await metrics.text(), /^ropewalk_transfers_total\{protocol="ipc",direction="in",outcome="done"\} 2$/m)
})

t.test('a file is appended to, and is its owner\'s alone; one that cannot be written is said at once', async t => {
  const file = join(await folder(t), 'log.ndjson')
  for (const message of ['first', 'second']) (await Log.open({ levels: parseLevels('info'), file, stderr: new PassThrough() })).write('info', 'node', message)
  t.same((await readFile(file, 'utf8')).trim().split('\n').map(line => (JSON.parse(line) as { msg: string }).msg), ['first', 'second'])
  t.equal((await stat(file)).mode & 0o777, 0o600)
  await t.rejects(Log.open({ levels: parseLevels('info'), file: join(file, 'below'), stderr: new PassThrough() }), { code: 'ERR_FILE' })
})

t.test('what others choose is bounded: the length of a line, and the records for the page', async t => {
  const log = await Log.open({ levels: undefined, file: undefined, stderr: new PassThrough() })
  for (let index = 0; index < MAX_RECORDS + 10; index++) log.write('info', 'node', 'x'.repeat(10_000), { name: 'y'.repeat(10_000) })
  const records = log.since(0)
  t.equal(records.length, MAX_RECORDS)
  t.equal(records[0]?.message.length, 2048)
  t.equal(String(records[0]?.fields['name']).length, 2048)
  t.equal(log.since(MAX_RECORDS + 9).length, 1)
})

t.test('counters never go back, whenever they are read; codes of errors are bounded', async t => {
  const [board, stop] = [new ActivityBoard(), new AbortController()]
  const metrics = new Metrics({ board, stores: async () => [], offers: () => new Map([['awaiting', 2]]) })
  const following = metrics.follow(stop.signal)
  const transfer = board.begin({ protocol: 'ipc', direction: 'in', name: 'a', size: 100 })
  const read = async (): Promise<number> => Number(/^ropewalk_transfer_bytes_total\{protocol="ipc",direction="in"\} (\d+)$/m.exec(await metrics.text())?.[1])
  transfer.moved(40)
  t.equal(await read(), 40)
  transfer.moved(70)
  await new Promise(setImmediate)
  t.equal(await read(), 70)
  transfer.moved(100)
  transfer.done()
  await new Promise(setImmediate)
  t.equal(await read(), 100)
  for (let index = 0; index < 200; index++) metrics.trouble(Object.assign(new Error(''), { code: `ERR_${'ABCDEFGHIJ'[index % 10] ?? ''}${'ABCDEFGHIJKLMNOPQRST'[Math.floor(index / 10)] ?? ''}` }))
  metrics.trouble(Object.assign(new Error(''), { code: 'a "secret" \n code' }))
  const text = await metrics.text()
  t.ok(Array.from(text.matchAll(/^ropewalk_troubles_total\{/gm)).length <= 65)
  t.notMatch(text, /secret/)
  t.match(text, /^ropewalk_offers\{status="awaiting"\} 2$/m)
  stop.abort()
  await following
})

t.test('without a provider nothing is traced; with one each transfer is a span', async t => {
  const board = new ActivityBoard()
  // Returns at once, though the signal is never aborted.
  await traceTransfers(board, new AbortController().signal)

  const exporter = new InMemorySpanExporter()
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
  t.teardown(() => { trace.disable() })
  const stop = new AbortController()
  const tracing = traceTransfers(board, stop.signal)
  await moveTwo(board)
  stop.abort()
  await tracing
  t.match(exporter.getFinishedSpans().map(({ name, attributes, status }) => ({ name, attributes, status })), [
    { name: 'ropewalk serve' },
    { name: 'ipc receive', attributes: { 'file.name': 'a\n\x1b[2Jb', 'file.size': 3, 'ropewalk.bytes': 3 }, status: { code: 0 } },
    { name: 'mdsftp send', attributes: { 'file.name': 'b' }, status: { code: 2, message: 'gone (ERR_INTERRUPTED)' } }
  ])
})
