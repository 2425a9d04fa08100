import t from 'tap'
import fc from 'fast-check'
import { column, fit, widthOf } from '../src/width.ts'

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
