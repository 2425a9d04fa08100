/** README.md runs, and WIRE.md says what the code does. */
import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { ACTIONS, actionNumber, Code, hasBlock } from '../src/codec.ts'
import * as constants from '../src/constants.ts'

t.test('the example in README.md runs and prints what it says', async t => {
  const text = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(text) ?? []
  const wanted = Array.from(example.matchAll(/console\.log\(.*\/\/ (.*)/g), ([, line]) => line)
  const path = fileURLToPath(new URL(`example-${process.pid}.ts`, import.meta.url))
  t.teardown(() => rm(path))
  await writeFile(path, example)
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@ropewalk/source', path])
  t.ok(wanted.length > 0)
  t.same(stdout.trimEnd().split('\n'), wanted)
})

t.test('the tables of WIRE.md', async t => {
  const text = await readFile(new URL('../WIRE.md', import.meta.url), 'utf8')
  const table = (heading: string): string[][] => {
    const section = text.slice(text.indexOf(`## ${heading}`)).split('\n## ')[0] as string
    return section.split('\n').filter(line => line.startsWith('|')).slice(2).map(row => row.split('|').slice(1, -1).map(cell => cell.trim()))
  }
  t.same(table('Actions'), ACTIONS.map(name => [name, `${actionNumber('as-implemented', name)}`, `${actionNumber('documented', name)}`, hasBlock(name) ? 'yes' : 'no']))
  for (const [name = '', value] of table('Numbers')) t.equal((constants as Record<string, unknown>)[name.replaceAll('`', '')], Number(value), name)
  t.same(table('Codes'), Object.entries(Code).map(([name, value]) => [name, `${value}`]))
})
