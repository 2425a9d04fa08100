import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../src/run.ts'
import { firstExample, publishedPackages, ROOT } from '../src/workspace.ts'

// In the package itself, where its imports mean what they mean to a reader.
const examples = publishedPackages().flatMap(({ name, folder, readme }) => {
  const text = firstExample(readme)
  return text === undefined ? [] : [{ name, text, file: join(folder, `readme-example-${process.pid}.ts`), folder }]
})
const root = { name: 'README.md', text: firstExample(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? '', file: join(ROOT, 'apps/ropewalk', `readme-example-${process.pid}.ts`), folder: join(ROOT, 'apps/ropewalk') }
const all = [...examples, root]
const tsconfig = join(ROOT, `tsconfig.examples-${process.pid}.json`)

t.before(() => Promise.all(all.map(({ file, text }) => writeFile(file, text))))
t.teardown(() => Promise.all([tsconfig, ...all.map(({ file }) => file)].map(file => rm(file, { force: true }))))

t.test('every library shows a program first', async t => {
  const without = publishedPackages().filter(({ name, manifest }) => manifest.bin === undefined && !examples.some(example => example.name === name))
  t.same(without.map(({ name }) => name), [])
})

t.test('the examples compile', async t => {
  await writeFile(tsconfig, JSON.stringify({ extends: './tooling/tsconfig/check.json', compilerOptions: { noUnusedLocals: false }, files: all.map(({ file }) => file) }))
  // tap tells every Node that is started to load its hooks, which the compiler does not survive.
  await t.resolves(run('env', ['-u', 'NODE_OPTIONS', join(ROOT, 'node_modules/.bin/tsc'), '-p', tsconfig], { cwd: ROOT }))
})

for (const { name, file, folder } of all) {
  t.test(`the example of ${name} runs to its end`, async t => {
    await t.resolves(run(process.execPath, ['--conditions=@ropewalk/source', file], { cwd: folder, timeoutMs: 60_000 }))
  })
}
