import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

t.test('the examples in README.md run and print what they say', async t => {
  const text = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const examples = Array.from(text.matchAll(/```ts\n([\s\S]*?)```/g), ([, example = '']) => example)
  t.equal(examples.length, 2)
  for (const [number, example] of examples.entries()) {
    const wanted = Array.from(example.matchAll(/console\.log\(.*\/\/ (.*)/g), ([, line]) => line)
    const path = fileURLToPath(new URL(`example-${number}-${process.pid}.ts`, import.meta.url))
    t.teardown(() => rm(path))
    await writeFile(path, example)
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@ropewalk/source', path])
    t.ok(wanted.length > 0)
    t.same(stdout.trimEnd().split('\n'), wanted)
  }
})
