import t from 'tap'
import { LiveScreen } from '../src/progress/live-screen.ts'
import { Report, type Output, type ReportOptions } from '../src/progress/report.ts'

class FakeOutput implements Output {
  text = ''
  readonly isTTY: boolean
  readonly columns = 80
  readonly rows = 24

  constructor (isTTY: boolean) {
    this.isTTY = isTTY
  }

  write (text: string): void {
    this.text += text
  }
}

function report (isTTY: boolean, more: Partial<ReportOptions> = {}): { report: Report, stdout: FakeOutput, stderr: FakeOutput } {
  const [stdout, stderr] = [new FakeOutput(isTTY), new FakeOutput(isTTY)]
  let now = 0
  return { report: new Report({ stdout, stderr, env: {}, json: false, now: () => now += 500, ...more }), stdout, stderr }
}

const NAME = 'evil\u001b[2J\n.txt'
const FAILED = { event: 'failed', transfer: '1', name: NAME, direction: 'send', bytes: 0, code: 'ERR_X', message: 'no' } as const
const RESULT = { record: { event: 'stored', id: 'ID' }, row: ['ID', '5'], lines: ['ID', '  five'] } as const

t.test('a screen draws over what it has drawn, and takes it away', async t => {
  const terminal = new FakeOutput(true)
  const screen = new LiveScreen(terminal)
  screen.clear()
  t.equal(terminal.text, '', 'nothing to take away')
  screen.draw(['one', 'two'])
  screen.draw(['three'])
  screen.clear()
  t.equal(terminal.text, '\rone\u001b[K\ntwo\u001b[K\n\u001b[J' + '\r\u001b[2Athree\u001b[K\n\u001b[J' + '\r\u001b[1A\u001b[J')
})

t.test('at a terminal: colour, lines for people, and no control character of a name', async t => {
  const { report: shown, stdout, stderr } = report(true)
  shown.event(FAILED)
  shown.result(RESULT)
  shown.summary(2)
  shown.close()
  t.equal(stdout.text, 'ID\n  five\n')
  t.match(stderr.text, '\u001b[31mfailed evil\\x1b[2J\\x0a.txt: no (ERR_X)\u001b[39m\n')
  t.match(stderr.text, /1 failed/)
})

t.test('the time for which somebody was waited for does not count', async t => {
  let now = 0
  const { report: shown, stderr } = report(false, { now: () => now })
  now = 60_000
  shown.waited()
  shown.event({ event: 'started', transfer: '1', name: 'a', direction: 'send', size: 1000 })
  shown.event({ event: 'finished', transfer: '1', name: 'a', direction: 'send', bytes: 1000 })
  now = 62_000
  shown.summary(0)
  shown.close()
  t.match(stderr.text, /1 file, 1000 B in 2\.0 s, 500 B\/s/)
})

t.test('what was there before counts, but has not moved', async t => {
  let now = 0
  const { report: shown, stderr } = report(false, { now: () => now })
  shown.event({ event: 'started', transfer: '1', name: 'a', direction: 'send', size: 5000, present: 4000 })
  t.match(shown.totals, { bytes: 4000, goal: 5000 })
  shown.event({ event: 'finished', transfer: '1', name: 'a', direction: 'send', bytes: 5000 })
  now = 2000
  shown.summary(0)
  shown.close()
  t.match(stderr.text, /1 file, 4\.9 KiB in 2\.0 s, 500 B\/s/)
})

t.test('what goes on after it broke off has moved once, and counts for the rate', async t => {
  let now = 0
  const { report: shown, stderr } = report(false, { now: () => now })
  const base = { transfer: '1', name: 'a', direction: 'receive' } as const
  shown.event({ event: 'started', ...base, size: 5000 })
  shown.event({ event: 'failed', ...base, bytes: 4000, code: 'ERR_INTERRUPTED', message: 'interrupted' })
  shown.event({ event: 'started', ...base, size: 5000, present: 4000 })
  shown.event({ event: 'finished', ...base, bytes: 5000 })
  now = 2000
  shown.summary(0)
  shown.close()
  t.match(stderr.text, /1 file, 4\.9 KiB in 2\.0 s, 2\.4 KiB\/s\n$/)
})

t.test('NO_COLOR and a dumb terminal', async t => {
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    const { report: shown, stderr } = report(true, { env })
    shown.event(FAILED)
    shown.summary(0)
    shown.close()
    t.equal(stderr.text, '\rfailed evil\\x1b[2J\\x0a.txt: no (ERR_X)\n\r0 files, 0 B in 0.5 s, 0 B/s; 1 failed\n')
  }
  const { report: shown, stderr } = report(true, { env: { NO_COLOR: '' } })
  shown.summary(0)
  t.match(stderr.text, '\u001b[1m', 'an empty NO_COLOR says nothing')
})

t.test('in a pipe: tabs, and plain lines', async t => {
  const { report: shown, stdout, stderr } = report(false)
  shown.event(FAILED)
  shown.result(RESULT)
  shown.close()
  t.equal(stdout.text, 'ID\t5\n')
  t.equal(stderr.text, 'failed evil\\x1b[2J\\x0a.txt: no (ERR_X)\n')
})

t.test('--json: everything on standard output, or on standard error where data is', async t => {
  for (const dataOnStdout of [false, true]) {
    const { report: shown, stdout, stderr } = report(true, { json: true, dataOnStdout })
    shown.event(FAILED)
    shown.result(RESULT)
    shown.summary(3)
    shown.close()
    const [used, unused] = dataOnStdout ? [stderr, stdout] : [stdout, stderr]
    t.equal(unused.text, '')
    t.match(used.text.trim().split('\n').map(line => JSON.parse(line) as unknown), [
      { event: 'failed', name: NAME, code: 'ERR_X' },
      { event: 'stored', id: 'ID' },
      { event: 'summary', files: 0, failed: 1, channels: 3, peak_memory: Number }
    ])
  }
})
