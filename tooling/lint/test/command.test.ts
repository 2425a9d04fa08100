import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { LAYERS, layerOf } from '../src/index.mjs'

const MAIN = fileURLToPath(new URL('../src/main.mjs', import.meta.url))
const manifest = { name: '@ropewalk/planted', description: 'a', license: 'Apache-2.0 OR MIT', type: 'module', scripts: { lint: 'ropewalk-lint' } }

function run (cwd: string): { status: number | null, text: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN], { cwd, encoding: 'utf8' })
  return { status, text: stdout + stderr }
}

t.test('in a package of which nothing is refused it says nothing and exits 0', async t => {
  const root = t.testdir({ tooling: { planted: { 'package.json': JSON.stringify(manifest), src: { 'a.ts': 'export const a = 1\n' } } } })
  t.same(run(`${root}/tooling/planted`), { status: 0, text: '' })
})

t.test('it names what it refuses in files and in the manifest, counts it, and exits 1', async t => {
  const root = t.testdir({ tooling: { planted: { 'package.json': JSON.stringify({ ...manifest, license: 'ISC' }), src: { 'a.ts': 'export const a = 1;\n' }, dist: { 'b.ts': 'var b = 1;' } } } })
  const { status, text } = run(`${root}/tooling/planted`)
  t.equal(status, 1)
  t.match(text, 'a.ts')
  t.match(text, 'tooling/planted/package.json  license is')
  t.match(text, '2 refused')
  t.notMatch(text, 'dist')
})

t.test('a folder without sources is refused: nothing was read', async t => {
  const root = t.testdir({ tooling: { planted: { 'package.json': JSON.stringify(manifest) } } })
  t.equal(run(`${root}/tooling/planted`).status, 1)
})

t.test('a file that does not parse is refused', async t => {
  const root = t.testdir({ tooling: { planted: { 'package.json': JSON.stringify(manifest), src: { 'a.ts': 'export const = 1\n' } } } })
  t.equal(run(`${root}/tooling/planted`).status, 1)
})

t.test('the table has no circle and every entry is a package', async t => {
  const reaches = (name: string, path: string[] = []): void => {
    t.notOk(path.includes(name), [...path, name].join(' > '))
    if (!path.includes(name)) for (const other of layerOf(name) ?? t.fail(`${name} is not in the table`)) reaches(other, [...path, name])
  }
  for (const key of Object.keys(LAYERS)) reaches(key.replace('*', 'planted'))
})
