import { readFileSync } from 'node:fs'
import { hexdump } from '@ropewalk/testing'
import t from 'tap'
import { encodeLine, encodeList } from '../src/codec.ts'

t.test('WIRE.md has the bytes that are sent', async t => {
  const text = readFileSync(new URL('../WIRE.md', import.meta.url), 'utf8')
  const rows = Array.from(text.matchAll(/^\| (?:both|dialler|listener)[^|]*\| (.*?) \| `([\da-f ]+)` \|$/gm))
  t.equal(rows.length, 6)
  for (const [, what = '', wire = ''] of rows) {
    const name = /`([^`]+)`/.exec(what)?.[1] ?? ''
    const expected = what.startsWith('a line that holds') ? encodeList(['/a', '/bc']) : encodeLine(what.startsWith('the same') ? '/a' : what.startsWith('a protocol') ? '/a' : name)
    t.same(hexdump(wire), expected, what)
  }
})
