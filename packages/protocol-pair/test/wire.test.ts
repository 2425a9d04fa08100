/** WIRE.md says what the code does. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { FIXED_BYTES, Kind } from '../src/codec.ts'
import * as constants from '../src/constants.ts'

const text = readFileSync(new URL('../WIRE.md', import.meta.url), 'utf8')

function table (heading: string): string[][] {
  const section = text.slice(text.indexOf(`## ${heading}`)).split('\n## ')[0] as string
  return section.split('\n').filter(line => line.startsWith('|')).slice(2).map(row => row.split('|').slice(1, -1).map(cell => cell.trim().replaceAll('`', '')))
}

t.test('the messages, and how long they are', async t => {
  const rows = table('Messages')
  t.same(rows.map(([name, kind]) => [name, Number.parseInt(kind as string, 16)]), Object.entries(Kind))
  for (const [name = '', kind = '', , bytes] of rows) t.equal(FIXED_BYTES[Number.parseInt(kind, 16) as Kind], Number(bytes), name)
})

t.test('the numbers', async t => {
  const rows = table('Numbers')
  t.equal(rows.length, 9)
  for (const [name = '', value] of rows) t.equal((constants as Record<string, unknown>)[name], Number(value), name)
})
