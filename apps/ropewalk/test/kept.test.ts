import t from 'tap'
import { keptWhole, soFar } from '../src/kept.ts'

t.test('what is left is said as one would say it', async t => {
  const said = (count: number, total: number): string => keptWhole(count, total, 'whole', what => `Fetch ${what}`)
  t.equal(said(0, 1), 'nothing of the file is kept. Fetch it')
  t.equal(said(1, 1), 'the file is whole, and stays')
  t.equal(said(0, 2), 'no file is whole yet, and nothing is kept. Fetch them')
  t.equal(said(1, 2), '1 of 2 files is whole and stays; nothing is kept of the other. Fetch the rest')
  t.equal(said(2, 4), '2 of 4 files are whole and stay; nothing is kept of the others. Fetch the rest')
  t.equal(said(2, 2), 'all 2 files are whole, and stay')
  t.same([soFar(0, 1, 'stored'), soFar(0, 2, 'stored'), soFar(1, 2, 'stored'), soFar(2, 3, 'stored')], ['the file is not stored yet', 'no file is stored yet', '1 of 2 files is stored', '2 of 3 files are stored'])
})
