import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

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
