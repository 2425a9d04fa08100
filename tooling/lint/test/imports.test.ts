import t from 'tap'
import { refusals, check, MANIFEST } from './plant.ts'

const use = (specifier: string): string => `export { a } from '${specifier}'\n`
const RULE = 'imports'

t.test('the table: each layer imports what is below it', t => check(t, [
  ['packages/framing/src/byte-queue.ts', use('@ropewalk/flow'), RULE],
  ['packages/framing/src/byte-queue.ts', use('@ropewalk/interface')],
  ['packages/flow/src/ring.ts', use('@ropewalk/framing'), RULE],
  ['packages/muxer-mdsftp/src/link.ts', use('@ropewalk/framing')],
  ['packages/muxer-mdsftp/src/link.ts', use('@ropewalk/protocol-mdsftp'), RULE],
  ['packages/muxer-mdsftp/src/link.ts', use('@ropewalk/transport-tcp'), RULE],
  ['packages/muxer-mdsftp/src/link.ts', use('@ropewalk/libp2p'), RULE],
  ['packages/muxer-yamux/src/link.ts', use('@ropewalk/libp2p')],
  ['packages/protocol-mdsftp/src/upload.ts', use('@ropewalk/muxer-mdsftp')],
  ['packages/protocol-casync/src/pull.ts', use('@ropewalk/muxer-mdsftp'), RULE],
  ['packages/protocol-casync/src/pull.ts', use('@ropewalk/protocol-mdsftp'), RULE],
  ['packages/protocol-casync/src/pull.ts', use('@ropewalk/flow')],
  ['packages/store-fs/src/writer.ts', use('@ropewalk/framing')],
  ['packages/store-fs/src/writer.ts', use('@ropewalk/receive'), RULE],
  ['packages/receive/src/staging.ts', use('@ropewalk/disk')],
  ['packages/store-memory/src/writer.ts', use('@ropewalk/disk'), RULE],
  ['packages/disk/src/direct.ts', use('@ropewalk/framing'), RULE],
  ['packages/transport-tcp/src/dial.ts', use('@ropewalk/flow'), RULE],
  ['packages/interface/src/channel.ts', 'import type { A } from \'@ropewalk/framing\'\nexport type B = A\n', RULE],
  ['apps/ropewalk/src/put.ts', use('@ropewalk/store-fs')]
]))

t.test('a door is a door whichever way it is opened', t => check(t, [
  ['packages/flow/src/ring.ts', 'import \'@ropewalk/framing\'\n', RULE],
  ['packages/testing/src/pair.ts', 'export const a = () => import(\'@ropewalk/store-fs\')\n', RULE],
  ['packages/testing/src/pair.ts', 'export type A = import(\'@ropewalk/store-fs\').A\n', RULE],
  ['packages/testing/src/pair.ts', use('@ropewalk/store-fs/deep'), RULE],
  ['packages/testing/src/pair.ts', 'export type A = import(\'@ropewalk/flow\').A\n']
]))

t.test('testing, tooling, apps and oneself are not imported by production code', t => check(t, [
  ['packages/muxer-mdsftp/src/link.ts', use('@ropewalk/testing'), RULE],
  ['apps/ropewalk/src/put.ts', use('@ropewalk/testing'), RULE],
  ['apps/ropewalk/src/put.ts', use('@ropewalk/lint')],
  ['packages/muxer-mdsftp/src/link.ts', use('@ropewalk/lint'), RULE],
  ['packages/muxer-mdsftp/src/link.ts', use('@ropewalk/muxer-mdsftp'), RULE],
  ['packages/muxer-mdsftp/src/link.ts', use('ropewalk'), RULE],
  ['packages/muxer-mdsftp/test/link.test.ts', use('ropewalk'), RULE],
  ['packages/muxer-mdsftp/test/link.test.ts', use('@ropewalk/testing')],
  ['tooling/bench/src/mux.ts', use('ropewalk')],
  ['apps/ropewalk/demo/demo.ts', use('@ropewalk/testing')]
]))

t.test('tests import any package, among them stores and transports for a whole node', t => check(t, [
  ['packages/protocol-mdsftp/test/node.test.ts', use('@ropewalk/store-fs')],
  ['packages/protocol-mdsftp/test/node.test.ts', use('@ropewalk/transport-tcp')]
]))

t.test('what only Node runs is behind an entry point of its own', t => check(t, [
  ['packages/transport-ws/src/node/listen.ts', use('node:http')],
  ['packages/transport-ws/src/node/listen.ts', use('../errors.ts')],
  ['packages/transport-ws/src/node/index.ts', use('./listen.ts')],
  ['packages/transport-ws/src/dial.ts', use('node:http'), RULE],
  ['packages/transport-ws/src/index.ts', use('./node/listen.ts'), RULE],
  ['packages/transport-ws/test/listen.test.ts', use('../src/node/index.ts')],
  ['packages/flow/src/node/ring.ts', use('node:http'), RULE]
]))

t.test('relative imports stay in the package', t => check(t, [
  ['packages/flow/src/ring.ts', use('../../framing/src/index.ts'), RULE],
  ['packages/flow/src/ring.ts', use('./units.ts')],
  ['packages/flow/src/deep/ring.ts', use('../units.ts')],
  ['packages/flow/test/ring.test.ts', use('../src/ring.ts')],
  ['packages/flow/test/ring.test.ts', use('../../framing/src/index.ts'), RULE],
  ['packages/flow/test/ring.test.ts', use('../../../fixtures/mdsftp.json')],
  ['packages/flow/src/ring.ts', use('../../../fixtures/mdsftp.json'), RULE],
  ['packages/flow/src/ring.ts', use('../test/model.ts'), RULE]
]))

t.test('only adapters and apps import the machine', t => check(t, [
  ['packages/muxer-mdsftp/src/link.ts', use('node:events'), RULE],
  ['packages/testing/src/pair.ts', use('node:stream'), RULE],
  ['packages/store-fs/src/writer.ts', use('node:fs')],
  ['packages/store-fs/src/writer.ts', use('fs'), RULE],
  ['packages/muxer-mdsftp/test/link.test.ts', use('node:fs')],
  ['apps/ropewalk/src/put.ts', use('node:fs')]
]))

t.test('pure files import no I/O and no streams', t => check(t, [
  ['packages/store-fs/src/state.ts', use('node:fs'), RULE],
  ['packages/store-fs/src/recover-state.ts', use('node:fs'), RULE],
  ['packages/transport-tcp/src/errors.ts', use('node:net'), RULE],
  ['packages/protocol-mdsftp/src/codec.ts', use('it-pipe'), RULE],
  ['packages/protocol-mdsftp/src/upload.ts', use('it-pipe')],
  ['packages/protocol-mdsftp/src/codec.ts', use('uint8arraylist')]
]))

t.test('pipelines name neither the machine nor anything concrete', t => check(t, [
  ['packages/transport-tcp/src/server.ts', use('node:net'), RULE],
  ['packages/transport-tcp/src/listen.ts', use('node:net')],
  ['packages/protocol-mdsftp/src/client.ts', use('@ropewalk/muxer-mdsftp')],
  ['packages/protocol-mdsftp/src/client.ts', use('@ropewalk/muxer-yamux'), RULE],
  ['packages/protocol-mdsftp/src/server.ts', use('@ropewalk/store-fs'), RULE],
  ['packages/receive/src/pipeline.ts', use('@ropewalk/framing')]
]))

t.test('it-pushable is nowhere, and tests use neither timers nor another runner', t => check(t, [
  ['packages/receive/src/write.ts', use('it-pushable'), RULE],
  ['packages/receive/test/write.test.ts', use('it-pushable'), RULE],
  ['packages/receive/test/write.test.ts', use('node:timers/promises'), RULE],
  ['packages/receive/test/write.test.ts', use('timers'), RULE],
  ['packages/receive/test/write.test.ts', use('node:test'), RULE],
  ['packages/receive/test/write.test.ts', 'import t from \'tap\'\nt.pass()\n']
]))

t.test('what src imports is a dependency, what tests import is declared', async t => {
  const manifest = { ...MANIFEST, dependencies: {} }
  t.same(await refusals('packages/flow/src/ring.ts', use('uint8arraylist'), manifest), [RULE])
  t.same(await refusals('packages/flow/src/ring.ts', use('tap'), manifest), [RULE], 'a dev dependency does not do')
  t.same(await refusals('packages/flow/test/ring.test.ts', use('tap'), manifest), [])
  t.same(await refusals('packages/flow/test/ring.test.ts', use('fast-check'), manifest), [RULE])
  t.same(await refusals('packages/flow/src/ring.ts', use('uint8arraylist'), { peerDependencies: { uint8arraylist: '*' } }), [])
  t.same(await refusals('packages/flow/src/ring.ts', use('uint8arraylist'), { optionalDependencies: { uint8arraylist: '*' } }), [])
})
