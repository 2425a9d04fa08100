/** WIRE.md says what the code does. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { encodeFrame, FinalError, FinalType, headerBytes, ReadmeType, Reason, type Framing } from '../src/codec.ts'
import * as constants from '../src/constants.ts'

const text = readFileSync(new URL('../WIRE.md', import.meta.url), 'utf8')

function table (heading: string): string[][] {
  const section = text.slice(text.indexOf(`## ${heading}`)).split('\n## ')[0] as string
  const rows = section.split('\n').filter(line => line.startsWith('|')).slice(2)
  return rows.map(row => row.split('|').slice(1, -1).map(cell => cell.trim().replaceAll('`', '')))
}

t.test('frames', async t => {
  const rows = table('Frames')
  t.same(rows.map(([framing]) => framing), ['seqpacket', 'stream6', 'stream4'])
  for (const [framing, before, example] of rows) {
    t.equal(headerBytes(framing as Framing), Number(before))
    t.equal(Buffer.from(encodeFrame(framing as Framing, 7, Uint8Array.of(0x7b, 0x7d))).toString('hex'), example?.replaceAll(' ', ''))
  }
})

t.test('user types', async t => {
  t.same(Object.fromEntries(table('Profile readme').map(([name = '', value]) => [name, Number(value)])), ReadmeType)
  t.same(Object.fromEntries(table('Profile final').map(([name = '', value]) => [name, Number(value)])), FinalType)
  t.same(Object.fromEntries(table('Errors of final').map(([name = '', value]) => [name, Number(value)])), FinalError)
})

t.test('reasons and numbers', async t => {
  t.same(table('Reasons').map(([reason]) => reason), Object.values(Reason))
  const rows = table('Numbers')
  t.ok(rows.length > 15)
  for (const [name = '', value] of rows) t.equal(Number(value), (constants as Record<string, unknown>)[name], name)
})
