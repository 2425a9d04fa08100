import t from 'tap'
import fc from 'fast-check'
import type { TransferActivity } from '../src/activity/activity.ts'
import { picture } from '../src/activity/picture.ts'
import { renderSwarm } from '../src/swarm/render.ts'
import { column, fit, reflow, widthOf, wrap } from '../src/width.ts'

t.test('counts columns, not characters', async t => {
  t.equal(widthOf('abc'), 3)
  t.equal(widthOf('日本'), 4)
  t.equal(widthOf('e\u0301'), 1)
  t.equal(widthOf('👩‍👩‍👧'), 2)
  t.equal(widthOf('…━─'), 3)
})

t.test('cuts in the middle and keeps the ending', async t => {
  t.equal(fit('holiday-in-the-mountains-2024.mov', 20), 'holiday-in…-2024.mov')
  t.equal(fit('short.txt', 20), 'short.txt')
  t.equal(fit('日本語のファイル名.txt', 10), '日本….txt')
  t.equal(column('日本', 6), '日本  ')
  t.equal(fit('x', 0), '')
})

t.test('never takes more columns than there are', async t => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, columns) => {
    return widthOf(fit(text, columns)) <= columns && widthOf(column(text, columns)) === columns
  }))
  t.pass()
})

t.test('wraps between words, with an indent, and breaks no word', async t => {
  t.equal(wrap('one two three', 7), 'one two\n  three')
  t.equal(wrap('  one two three\nfour', 9), '  one two\n    three\nfour')
  t.equal(wrap('one two', 7), 'one two', 'what fits is as it was')
  t.equal(wrap('\u001b[31mone two\u001b[39m', 7), '\u001b[31mone two\u001b[39m', 'colour takes no room')
  t.equal(wrap('at mdsftp+tls://example.org:7740 it is', 12), 'at mdsftp+tls://example.org:7740 it\n  is', 'an address stays whole, and the terminal goes on behind it')
})

t.test('a page is as wide as the terminal: paragraphs flow, examples and entries stay lines', async t => {
  const page = '\nExamples:\n  ropewalk put one two\n\nThe size must be\nknown. It is\nsaid once.\n\nExit codes:\n  0    done\n  1    some failed\n'
  t.equal(reflow(page, 18), '\nExamples:\n  ropewalk put one\n    two\n\nThe size must be\nknown. It is said\nonce.\n\nExit codes:\n  0    done\n  1    some failed\n')
})

t.test('a line that somebody has filled with spaces takes no longer than others', async t => {
  t.equal(wrap(`one${' '.repeat(1_000_000)}`, 80), 'one')
  t.equal(wrap(`one${' '.repeat(1_000_000)}two`, 80), 'one\n  two')
})

t.test('what is wrapped has the same words, and no line is wider than it must be', async t => {
  fc.assert(fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '日', 'é'), minLength: 1, maxLength: 12 })), fc.integer({ min: 14, max: 60 }), (words, columns) => {
    const wrapped = wrap(words.join(' '), columns)
    const narrow = wrapped.split('\n').every(line => widthOf(line) <= columns || line.split(' ').some(word => widthOf(word) > columns - 2))
    return narrow && wrapped.split(/\s+/).filter(word => word !== '').join(' ') === words.join(' ')
  }))
  t.pass()
})

t.test('the table of a swarm fits its terminal, in columns and, where it is drawn anew, in rows', async t => {
  const files = Array.from({ length: 30 }, (_, at) => ({ name: `files/holiday-in-the-mountains-${at}.mov`, local: 1, system: 1, leastReplication: 11, weightedLeastReplication: 12.5 }))
  for (const columns of [20, 30, 40, 50, 80, 120]) {
    for (const some of [files, []]) {
      const lines = renderSwarm(some, { peers: 16, columns, rows: 24, paint: (_, text) => text })
      t.ok(lines.length < 24)
      for (const line of lines) t.ok(columns <= 20 || widthOf(line) < columns, `${columns}: ${line}`)
    }
  }
  t.equal(renderSwarm(files, { peers: 16, columns: 80, rows: 24, paint: (_, text) => text }).at(-1), '… and 9 more')
  t.equal(renderSwarm(files, { peers: 16, columns: 80, paint: (_, text) => text }).length, 31, 'what scrolls is whole')
})

t.test('what a node does fits the terminal that watches it, and says how many there are', async t => {
  const transfer: TransferActivity = {
    id: 'tp91bc-x', protocol: 'mdsftp', direction: 'in', peer: '192.0.2.17:34694', name: 'c332b03d-c0ba-42b1-96d1-bd5d5784f674', group: undefined,
    size: 300_000_000, bytes: 24_000_000, state: 'waiting', waitsFor: 'the peer\'s window', waitsSince: 0, startedAt: 0, changedAt: 0, endedAt: undefined, error: undefined
  }
  for (const columns of [20, 30, 50, 80, 200]) {
    for (const count of [0, 1, 30]) {
      const lines = picture({ transfers: Array.from({ length: count }, () => transfer), connections: [] }, { columns, rows: 24 }, 12_000)
      t.ok(lines.length < 24, `${columns} columns, ${count} transfers: ${lines.length} lines`)
      for (const line of lines) t.ok(widthOf(line) < columns, `${columns}: ${line}`)
      t.match(lines.join(' ').replaceAll(/ +/g, ' '), `${count} transfer${count === 1 ? '' : 's'} under way`)
    }
  }
})
