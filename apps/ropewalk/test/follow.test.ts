/** What people are told of an offer, from its first line to its last. */
import { PassThrough } from 'node:stream'
import t from 'tap'
import type { Context } from '../src/context.ts'
import type { Line } from '../src/peers/control.ts'
import { follow } from '../src/peers/follow.ts'

const OFFER = { id: 'ac3731a3-ded7-4e56-b231-5a08a93fdb79', incoming: true, peer: 'a1'.repeat(32), alias: 'desk', status: 'awaiting', names: ['film.mkv'], files: 1, bytes: 5, done: 0, failures: [], created_at: 0 }
const STARTED = { event: 'started', transfer: 'x', name: 'film.mkv', direction: 'receive', size: 5 }

/** Everything that is shown at a terminal of 80 columns for `lines`; `stop`: Ctrl-C comes when they are through. */
async function shownFor (lines: Line[], { stop = false, stays = true } = {}): Promise<{ text: string, failed: unknown }> {
  const shown = new PassThrough()
  const stream = Object.assign(shown, { isTTY: true, columns: 80, rows: 24 })
  const signal = new AbortController()
  const context = { stdin: new PassThrough(), stdout: stream, stderr: stream, env: {}, signal: signal.signal, now: () => 0 } as unknown as Context
  const told = async function * (): AsyncGenerator<Line> {
    yield * lines
    if (!stop) return
    signal.abort(new Error('interrupted'))
    throw signal.signal.reason
  }
  const failed = await follow(context, false, stays, told()).then(() => undefined, (error: unknown) => error)
  return { text: String(shown.read() ?? ''), failed }
}

t.test('who accepts is told that it is coming, and not that somebody waits for that', async t => {
  const { text } = await shownFor([{ offer: OFFER }, { transfer: STARTED }, { transfer: { ...STARTED, event: 'finished', bytes: 5 } }, { settled: { ...OFFER, status: 'completed', done: 1 } }])
  t.match(text, /from desk: is coming \(1 file, 5 B\)[^]*from desk: arrived \(1 file, 5 B\)/)
  t.notMatch(text, 'waits')
})

t.test('what broke off and is offered again is said to be', async t => {
  t.match((await shownFor([{ offer: { ...OFFER, incoming: false, status: 'failed' } }])).text, 'to desk: is offered again (1 file, 5 B)')
})

t.test('of what was declined no rate is reckoned', async t => {
  const { text, failed } = await shownFor([{ offer: { ...OFFER, incoming: false } }, { settled: { ...OFFER, incoming: false, status: 'rejected' } }])
  t.match(text, 'to desk: they declined')
  t.notMatch(text, '0 files')
  t.match(failed, { code: 'ERR_REFUSED', message: 'desk declined the offer' })
})

t.test('after Ctrl-C it is said what becomes of the offer, and which command looks after it', async t => {
  for (const [incoming, stays, words] of [
    [true, true, /^The node goes on; "ropewalk status ac3731a3"/m],
    [false, true, /^The node goes on; "ropewalk status ac3731a3"/m],
    [true, false, /^Interrupted: what has come stays; "ropewalk retry ac3731a3"/m],
    [false, false, /^Interrupted: the offer stays; "ropewalk retry ac3731a3"[^]*"ropewalk status ac3731a3"/m]
  ] as const) {
    const { text } = await shownFor([{ offer: { ...OFFER, incoming } }], { stop: true, stays })
    t.match(text, words)
    for (const line of text.split('\n')) t.ok(line.length <= 80, line)
  }
})
