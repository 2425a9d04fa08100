import t from 'tap'
import { table } from '../src/table.mjs'
import { tally } from '../src/tally.mjs'

const NAME = '@ropewalk/flow'
const of = (...lines: string[]): string[] => lines.map(line => `${NAME}:test: ${line}`)
const passing = of('cache bypass, force executing 67a8f334ac2f001d', '$ tap', 'TAP version 14', '1..1', '# Subtest: test/a.test.ts', '    ok 1 - a', '    1..1', 'ok 1 - test/a.test.ts # time=2ms', '', '# { total: 205, pass: 205 }', '# time=2136.56ms')
const turbo = ['', ' Tasks:    5 successful, 6 total', 'Cached:    2 cached, 6 total', '  Time:    6.674s ']

t.test('what tap counted is counted', async t => {
  const { rows, passed, failed } = tally([...passing, ...turbo], [NAME], 0)
  t.same(rows, [{ name: NAME, passed: 205, failed: 0, skipped: 0, seconds: 2.13656, problems: [] }])
  t.same([passed, failed], [205, 0])
})

t.test('failed, todo and skipped assertions are not passed ones', async t => {
  const lines = [...of('# { total: 8, pass: 4, fail: 2, todo: 1, skip: 1 }'), `Failed:    ${NAME}#test`]
  const { rows, passed, failed } = tally(lines, [NAME], 1)
  t.match(rows, [{ passed: 4, failed: 2, skipped: 2, problems: [] }])
  t.same([passed, failed], [4, 2])
})

t.test('packages are added up, and one is not taken for another', async t => {
  const lines = [...passing, '@ropewalk/flow-more:test: # { total: 3, pass: 2, fail: 1 }', 'Failed:    @ropewalk/flow-more#test']
  const { passed, failed } = tally(lines, [NAME, '@ropewalk/flow-more'], 1)
  t.same([passed, failed], [207, 1])
})

const broken: Array<[string, string[], number, RegExp]> = [
  ['a package that never ran', [], 1, /was not run: something/],
  ['a crash of tap', [...of('$ tap', 'Error: boom'), `Failed:    ${NAME}#test`], 1, /ended without a summary/],
  ['a crash of tap that exits 0', of('$ tap', 'Error: boom'), 0, /ended without a summary/],
  ['no test files', [...of('$ tap', 'No test files found'), `Failed:    ${NAME}#test`], 1, /has no tests/],
  ['a file without tests', of('ok 1 - test/a.test.ts # SKIP no tests found', '# { total: 1, pass: 0, skip: 1 }'), 0, /test\/a.test.ts has no tests/],
  ['nothing but skipped tests', of('# { total: 1, pass: 0, skip: 1 }'), 0, /ran no assertion/],
  ['a replay from the cache', of('cache hit, replaying logs 1eba33a549cd5d8c', '# { total: 3, pass: 3 }'), 0, /replayed/],
  ['an exit code without a failed assertion', [...of('# { total: 3, pass: 3 }'), `Failed:    @ropewalk/a#build, ${NAME}#test`], 1, /exited with an error/]
]
for (const [what, lines, exitCode, problem] of broken) {
  t.test(`${what} is a failure`, async t => {
    const result = tally([...lines, ...turbo], [NAME], exitCode)
    t.equal(result.failed, 1)
    t.match(result.rows[0]?.problems.join(), problem)
    t.match(table(result), new RegExp(`${NAME} .*${problem.source}`))
  })
}

t.test('a summary that a test printed itself does not count', async t => {
  const { passed, failed } = tally(of('    # { total: 99, pass: 99 }', '# { total: 1, pass: 0, fail: 1 }'), [NAME], 1)
  t.same([passed, failed], [0, 1])
})

t.test('nothing planned, nothing run: a failure', async t => {
  t.same(tally(turbo, [], 0), { rows: [], passed: 0, failed: 1 })
})

t.test('turbo failed for a reason of its own: a failure', async t => {
  t.match(tally(passing, [NAME], 1), { passed: 205, failed: 1 })
})

t.test('the last line of the table is the count', async t => {
  t.equal(table(tally(passing, [NAME], 0)).split('\n').at(-1), '205 passed, 0 failed')
})
