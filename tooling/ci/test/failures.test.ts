import t from 'tap'
import { failures } from '../src/failures.mjs'

t.test('what passed is left out, what failed keeps its place and its diagnosis', async t => {
  t.same(failures([
    'TAP version 14', '1..2',
    '# Subtest: test/a.test.ts', '    # Subtest: good', '        ok 1 - fine', '        1..1', '    ok 1 - good # time=1ms', '',
    '    # Subtest: bad', '        ok 1 - fine', '        not ok 2 - wrong', '          ---', '          diff: |', '            ok 1 - not a point', '', '          ...',
    '    not ok 2 - bad # time=3ms', 'not ok 1 - test/a.test.ts # time=4ms',
    '# Subtest: test/b.test.ts', '    ok 1 - fine', 'ok 2 - test/b.test.ts', '# { total: 4, pass: 3, fail: 1 }', '# time=9ms'
  ]), [
    '# Subtest: test/a.test.ts', '    # Subtest: bad', '        not ok 2 - wrong', '          ---', '          diff: |', '            ok 1 - not a point', '', '          ...',
    '    not ok 2 - bad # time=3ms', 'not ok 1 - test/a.test.ts # time=4ms'
  ])
})

t.test('what is not TAP is never left out', async t => {
  t.same(failures(['$ tap', 'Error: boom', '    at main (a.ts:1:1)', 'not ok 1 - test/a.test.ts']), ['$ tap', 'Error: boom', '    at main (a.ts:1:1)', 'not ok 1 - test/a.test.ts'])
})
