import t from 'tap'
import { refuseManifest } from '../src/index.mjs'

const good = {
  name: '@ropewalk/muxer-mdsftp',
  description: 'Many channels over one connection.',
  license: 'Apache-2.0 OR MIT',
  type: 'module',
  sideEffects: false,
  engines: { node: '>=22.12' },
  files: ['src', 'dist', '*.md'],
  exports: { '.': { '@ropewalk/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' } },
  publishConfig: { access: 'public' },
  scripts: { build: 'tsc', typecheck: 'tsc', lint: 'ropewalk-lint', test: 'tap' },
  dependencies: { '@ropewalk/framing': 'workspace:^', '@ropewalk/interface': 'workspace:^', uint8arraylist: 'catalog:' },
  devDependencies: { '@ropewalk/testing': 'workspace:^', '@ropewalk/transport-tcp': 'workspace:^', tap: 'catalog:' }
}
const FILES = ['README.md', 'test', './src/index.ts', './src/codec.ts']
const refuse = (change: object, folder = 'packages/muxer-mdsftp', files = FILES): string[] =>
  refuseManifest(folder, { ...good, ...change }, (file: string) => files.includes(file))
const entry = (conditions: object): object => ({ exports: { '.': conditions } })

t.test('a good manifest is accepted', async t => {
  t.same(refuse({}), [])
})

t.test('each violation is refused, and only it', async t => {
  const cases: Array<[object, RegExp]> = [
    [{ dependencies: { '@ropewalk/store-fs': 'workspace:^' } }, /store-fs is no dependency of muxer-mdsftp/],
    [{ peerDependencies: { '@ropewalk/protocol-mdsftp': 'workspace:^' } }, /protocol-mdsftp is no dependency/],
    [{ optionalDependencies: { '@ropewalk/protocol-mdsftp': 'workspace:^' } }, /protocol-mdsftp is no dependency/],
    [{ optionalDependencies: { uint8arraylist: '^3.0.0' } }, /uint8arraylist is "catalog:"/],
    [{ dependencies: { '@ropewalk/testing': 'workspace:^' }, devDependencies: {} }, /testing is a dev dependency/],
    [{ devDependencies: { ropewalk: 'workspace:^' } }, /ropewalk is an app/],
    [{ dependencies: { '@ropewalk/framing': '^1.0.0' } }, /framing is "workspace:\^"/],
    [{ dependencies: { uint8arraylist: '^3.0.0' } }, /uint8arraylist is "catalog:"/],
    [{ license: 'MIT' }, /license/],
    [{ type: 'commonjs' }, /type/],
    [{ description: '' }, /description/],
    [{ name: '@ropewalk/mux' }, /name is "@ropewalk\/muxer-mdsftp"/],
    [{ sideEffects: undefined }, /sideEffects/],
    [{ sideEffects: true }, /sideEffects/],
    [{ private: true }, /private/],
    [{ engines: {} }, /engines/],
    [{ publishConfig: {} }, /publishConfig/],
    [{ files: ['src'] }, /files lacks "dist"/],
    [{ scripts: { ...good.scripts, lint: undefined } }, /scripts.lint/],
    [{ scripts: { ...good.scripts, test: undefined } }, /scripts.test/],
    [{ exports: {} }, /exports lacks/],
    [entry({ '@ropewalk/source': './src/index.ts', default: './dist/index.js', types: './dist/index.d.ts' }), /"types" first/],
    [entry({ '@ropewalk/source': './src/index.ts', types: './dist/index.d.ts' }), /"default" last/],
    [entry({ types: './dist/index.d.ts', '@ropewalk/source': './src/index.ts', default: './dist/index.js' }), /begins with/],
    [entry({ '@ropewalk/source': './src/gone.ts', types: './dist/index.d.ts', default: './dist/index.js' }), /gone.ts, which is not there/]
  ]
  for (const [change, wanted] of cases) t.match(refuse(change).join('\n'), wanted, String(wanted))
  for (const [change] of cases.slice(0, 18)) t.equal(refuse(change).filter(message => !message.startsWith('exports') && !message.includes('scripts.test')).length <= 1, true)
})

t.test('a package has a README', async t => {
  t.same(refuse({}, 'packages/muxer-mdsftp', FILES.slice(1)), ['README.md is missing'])
})

t.test('a package that the table does not know is refused', async t => {
  t.same(refuse({ name: '@ropewalk/cables' }, 'packages/cables'), ['packages/cables is not in tooling/lint/src/layers.mjs'])
})

t.test('a protocol shows its codec and describes its wire', async t => {
  const change = { name: '@ropewalk/protocol-casync' }
  t.same(refuse(change, 'packages/protocol-casync'), ['a protocol exports "./codec"', 'a protocol has a WIRE.md'])
  const exports = { ...good.exports, './codec': { '@ropewalk/source': './src/codec.ts', types: './dist/codec.d.ts', default: './dist/codec.js' } }
  t.same(refuse({ ...change, exports }, 'packages/protocol-casync', [...FILES, 'WIRE.md']), [])
})

t.test('an app imports everything and exports nothing', async t => {
  const app = { name: 'ropewalk', exports: undefined, sideEffects: undefined, dependencies: { '@ropewalk/store-fs': 'workspace:^' } }
  t.same(refuse({ ...app, bin: { ropewalk: './dist/main.js' } }, 'apps/ropewalk'), [])
  t.same(refuse(app, 'apps/ropewalk'), ['bin is missing'])
  t.same(refuse({ ...app, bin: { a: 'b' }, dependencies: { '@ropewalk/testing': 'workspace:^' } }, 'apps/ropewalk'), ['@ropewalk/testing is a dev dependency'])
})

t.test('tooling is private and owes less', async t => {
  const tool = { name: '@ropewalk/bench', private: true, license: good.license, type: 'module', description: 'a', scripts: { lint: 'ropewalk-lint' }, dependencies: { ropewalk: 'workspace:^' } }
  t.same(refuseManifest('tooling/bench', tool, () => false), [])
  t.same(refuseManifest('tooling/bench', { ...tool, scripts: {} }, () => false), ['scripts.lint is missing'])
  t.same(refuseManifest('tooling/bench', tool, (file: string) => file === 'test'), ['scripts.test is missing, and there are tests'])
})
