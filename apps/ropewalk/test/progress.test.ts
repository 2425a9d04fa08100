import t from 'tap'
import fc from 'fast-check'
import type { TransferEvent } from '@ropewalk/interface'
import { Ndjson } from '../src/progress/ndjson.ts'
import { Plan } from '../src/progress/plan.ts'
import { Rate } from '../src/progress/rate.ts'
import { renderEvent, renderSummary } from '../src/progress/render-plain.ts'
import { renderTty, type Frame } from '../src/progress/render-tty.ts'
import { widthOf } from '../src/width.ts'

const FRAME: Frame = { columns: 80, rows: 24, paint: (_, text) => text }

function started (transfer: string, size?: number, name: string = `file-${transfer}`): TransferEvent {
  return { event: 'started', transfer, name, direction: 'send', size }
}

function progress (transfer: string, bytes: number): TransferEvent {
  return { event: 'progress', transfer, name: `file-${transfer}`, direction: 'send', bytes }
}

function finished (transfer: string, bytes: number): TransferEvent {
  return { event: 'finished', transfer, name: `file-${transfer}`, direction: 'send', bytes }
}

function failed (transfer: string, bytes: number): TransferEvent {
  return { event: 'failed', transfer, name: `file-${transfer}`, direction: 'send', bytes, code: 'ERR_X', message: 'no' }
}

t.test('one line for each file under way and one of totals', async t => {
  const plan = new Plan({ files: 3, bytes: 4096 })
  const rate = new Rate(0)
  for (const event of [started('1', 2048), started('2', 1024), progress('1', 1024), finished('2', 1024)]) plan.apply(event)
  rate.sample(2048, 1000)
  t.same(renderTty(plan, rate, FRAME), [
    '  file-1                    ━━━━━━━━━━──────────  50%  1.0 KiB of 2.0 KiB',
    '1 of 3 files  2.0 KiB of 4.0 KiB  50%  2.0 KiB/s  0:01 left'
  ])
})

t.test('no more lines than the terminal has rows, no wider than it has columns', async t => {
  const plan = new Plan()
  for (let index = 0; index < 40; index++) plan.apply(started(String(index), index * 1e9, `名前-${'x'.repeat(index * 4)}.mov`))
  for (const columns of [10, 20, 40, 63, 64, 80, 200]) {
    for (const rows of [1, 2, 3, 10, 24, 50]) {
      const lines = renderTty(plan, new Rate(0), { ...FRAME, columns, rows })
      t.ok(lines.length <= Math.max(1, rows - 1), `${lines.length} lines in ${rows} rows`)
      t.ok(lines.every(line => widthOf(line) < columns), `${Math.max(...lines.map(widthOf))} of ${columns} columns`)
    }
  }
  t.match(renderTty(plan, new Rate(0), { ...FRAME, rows: 10 }).at(-2), '… and 33 more')
})

t.test('a file of unknown size has no bar, and then the totals have no goal', async t => {
  const plan = new Plan({ files: 1 })
  plan.apply(started('1'))
  plan.apply(progress('1', 5))
  t.same(renderTty(plan, new Rate(0), FRAME).map(line => line.replace(/ +/g, ' ')), [' file-1 5 B', '0 of 1 file 5 B'])
})

t.test('totals never go back, and end where they should', async t => {
  const step = fc.record({ file: fc.nat(4), bytes: fc.nat(1000), end: fc.constantFrom('no', 'no', 'no', 'finished', 'failed') })
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const plan = new Plan({ files: 5, bytes: 5000 })
    const over = new Set<number>()
    let [bytes, share, ended] = [0, 0, 0]
    for (const { file, bytes: moved, end } of steps) {
      if (over.has(file)) continue
      plan.apply(started(String(file), 1000))
      plan.apply(end === 'no' ? progress(String(file), moved) : end === 'finished' ? finished(String(file), 1000) : failed(String(file), moved))
      if (end !== 'no') over.add(file)
      const totals = plan.totals()
      const goal = totals.goal ?? NaN
      if (totals.bytes < bytes || totals.bytes > goal || (goal > 0 && totals.bytes / goal < share) || totals.finished + totals.failed < ended) return false
      bytes = totals.bytes
      share = goal > 0 ? bytes / goal : 0
      ended = totals.finished + totals.failed
    }
    const totals = plan.totals()
    return over.size < 5 || totals.bytes === totals.goal
  }))
  t.pass()
})

t.test('what failed and goes on has not failed, and its bytes count once', async t => {
  for (const expected of [{}, { files: 1, bytes: 1000 }]) {
    for (const kept of [400, 250, 0]) {
      const plan = new Plan(expected)
      const bytesAfter = (...events: TransferEvent[]): number => {
        for (const event of events) plan.apply(event)
        return plan.totals().bytes
      }
      t.equal(bytesAfter(started('1', 1000), progress('1', 400), failed('1', 400)), 400)
      t.match(plan.totals(), { failed: 1, finished: 0, files: 1, goal: 400 })
      t.equal(plan.countedOf('1'), 400)
      t.equal(bytesAfter(started('1', 1000), progress('1', kept)), 400, `${kept} bytes were kept`)
      t.match(plan.totals(), { failed: 0, files: 1, goal: 1000 })
      t.equal(bytesAfter(progress('1', 700), failed('1', 700), started('1', 1000), progress('1', 700)), 700)
      t.equal(bytesAfter(finished('1', 1000)), 1000)
      t.match(plan.totals(), { failed: 0, finished: 1, files: 1, goal: 1000 })
    }
  }
})

t.test('totals never go back, whatever fails and goes on', async t => {
  const step = fc.record({ file: fc.nat(4), bytes: fc.nat(1000), end: fc.constantFrom('no', 'no', 'finished', 'failed', 'failed') })
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const plan = new Plan({ files: 5, bytes: 5000 })
    const last = new Map<number, string>()
    let before = 0
    for (const { file, bytes: moved, end } of steps) {
      if (last.get(file) === 'finished') continue
      plan.apply(started(String(file), 1000))
      plan.apply(end === 'no' ? progress(String(file), moved) : end === 'finished' ? finished(String(file), 1000) : failed(String(file), moved))
      last.set(file, end)
      const { bytes, goal = NaN, failed: count, finished: whole } = plan.totals()
      const counted = (how: string): number => [...last.values()].filter(end => end === how).length
      if (!(bytes >= before && bytes <= goal) || count !== counted('failed') || whole !== counted('finished')) return false
      before = bytes
    }
    const { bytes, goal } = plan.totals()
    return [...last.values()].filter(end => end === 'finished').length < 5 || (bytes === 5000 && goal === 5000)
  }))
  t.pass()
})

t.test('the rate settles on what happens and does not jump', async t => {
  const rate = new Rate(0)
  t.equal(rate.bytesPerSecond, undefined)
  t.equal(rate.secondsFor(100), undefined)
  for (let now = 100; now <= 20_000; now += 100) rate.sample(now, now)
  t.equal(Math.round(rate.bytesPerSecond ?? 0), 1000)
  t.equal(Math.round(rate.secondsFor(5000) ?? 0), 5)
  rate.sample(20_000, 20_100)
  t.ok((rate.bytesPerSecond ?? 0) > 900, 'one gap is no standstill')
  for (let now = 20_200; now <= 40_000; now += 100) rate.sample(20_000, now)
  t.ok((rate.bytesPerSecond ?? 0) < 1)
})

t.test('plain lines for what is over and nothing else', async t => {
  t.equal(renderEvent(started('1', 5), 'a'), undefined)
  t.equal(renderEvent(progress('1', 5), 'a'), undefined)
  t.equal(renderEvent(finished('1', 2048), 'a'), 'sent a (2.0 KiB)')
  t.equal(renderEvent(failed('1', 5), 'a'), 'failed a: no (ERR_X)')
  t.equal(renderSummary({ finished: 1, failed: 0, files: 1, bytes: 1024, goal: 1024 }, 500), '1 file, 1.0 KiB in 0.5 s, 2.0 KiB/s')
  t.equal(renderSummary({ finished: 1, failed: 0, files: 1, bytes: 4096, goal: 4096 }, 500, 3072), '1 file, 4.0 KiB in 0.5 s, 2.0 KiB/s', 'of what was there before no rate is reckoned')
  t.equal(renderSummary({ finished: 2, failed: 1, files: 3, bytes: 0, goal: 0 }, 0), '2 files, 0 B in 0.0 s; 1 failed')
})

t.test('NDJSON has every event whole, and progress four times a second', async t => {
  const ndjson = new Ndjson()
  const lines = [
    ndjson.event(started('1', 5, 'tab\tname\n'), 0),
    ndjson.event(progress('1', 1), 100),
    ndjson.event(progress('1', 2), 349),
    ndjson.event(progress('1', 2), 350),
    ndjson.event(progress('2', 2), 260),
    ndjson.event(progress('1', 3), 400),
    ndjson.event(finished('1', 5), 401)
  ]
  t.same(lines.map(line => line === undefined ? undefined : JSON.parse(line)), [
    { event: 'started', transfer: '1', name: 'tab\tname\n', direction: 'send', size: 5 },
    { event: 'progress', transfer: '1', name: 'file-1', direction: 'send', bytes: 1 },
    undefined,
    { event: 'progress', transfer: '1', name: 'file-1', direction: 'send', bytes: 2 },
    { event: 'progress', transfer: '2', name: 'file-2', direction: 'send', bytes: 2 },
    undefined,
    { event: 'finished', transfer: '1', name: 'file-1', direction: 'send', bytes: 5 }
  ])
  t.ok(lines.every(line => line === undefined || /^[^\n]+\n$/.test(line)), 'one line each')
})
