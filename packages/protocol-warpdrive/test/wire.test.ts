/** WIRE.md says what the code does. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { GO_838779E, hasJson, infoJson, PATTERNS, portOf, SEED, type CommandType } from '../src/codec.ts'
import * as constants from '../src/constants.ts'

const text = readFileSync(new URL('../WIRE.md', import.meta.url), 'utf8')

function table (heading: string): string[][] {
  const section = text.slice(text.indexOf(`## ${heading}`)).split('\n## ')[0] as string
  return section.split('\n').filter(line => line.startsWith('|')).slice(2).map(row => row.split('|').slice(1, -1).map(cell => cell.trim().replaceAll('`', '')))
}

t.test('the commands of both profiles', async t => {
  const rows = table('Commands')
  t.same(rows.map(([type]) => type), Object.keys(PATTERNS))
  for (const [name, go = '', seed = '', pattern, then] of rows) {
    const type = name as CommandType
    t.equal(GO_838779E.codes['warpdrive']?.[type], Number.parseInt(go, 16), type)
    for (const item of seed.split(', ')) {
      const [port = '', code = ''] = item.split(' ')
      t.equal(SEED.codes[`warpdrive-${port}`]?.[type], Number.parseInt(code, 16), item)
      if (type !== 'end') t.equal(portOf(SEED, type), `warpdrive-${port}`, item)
    }
    t.equal(pattern, PATTERNS[type], type)
    t.equal(then === 'JSON', hasJson(type), type)
  }
})

t.test('the extension', async t => {
  const keys = Object.keys(infoJson({ uri: '', path: '', size: 0, isDir: false, perm: 0, mime: '', name: '', sha256: '', blocks: 'ab'.repeat(128), mtimeMs: 0, link: '' })).slice(7)
  t.same(table('Our extension').map(([key]) => key), keys)
})

t.test('the numbers', async t => {
  const rows = table('Numbers')
  t.ok(rows.length > 10)
  for (const [name = '', value] of rows) t.equal(Number(value), (constants as Record<string, unknown>)[name], name)
})
