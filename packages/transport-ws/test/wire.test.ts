import { readFileSync } from 'node:fs'
import t from 'tap'
import { CloseCode, SUBPROTOCOL } from '../src/constants.ts'

t.test('WIRE.md lists the close codes that we send', async t => {
  const text = readFileSync(new URL('../WIRE.md', import.meta.url), 'utf8')
  const listed = Array.from(text.matchAll(/^\| (\d{4}) \|.*\| ours \|$/gm), ([, code]) => Number(code))
  t.same([1000, ...listed], Object.values(CloseCode))
  t.match(text, `\`${SUBPROTOCOL}\``)
})
