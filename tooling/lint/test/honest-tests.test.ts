import t from 'tap'
import { check } from './plant.ts'

const FILE = 'packages/flow/test/ring.test.ts'
const SUITE = 'packages/testing/src/muxer-suite.ts'

t.test('tests do not wait for the clock', t => check(t, [
  [FILE, 'await new Promise(resolve => setTimeout(resolve, 10))\n', 'honest-tests'],
  [FILE, 'globalThis.setTimeout(() => {}, 10)\n', 'honest-tests'],
  [FILE, 'setInterval(() => {}, 10)\n', 'honest-tests'],
  [FILE, 'Atomics.wait(new Int32Array(1), 0, 0, 10)\n', 'honest-tests'],
  [SUITE, 'setTimeout(() => {}, 10)\n', 'honest-tests'],
  ['packages/flow/src/pair.ts', 'export const a = 1\n'],
  ['packages/testing/src/turn.ts', 'setTimeout(() => {}, 0)\n'],
  [FILE, 'export const a = (clock: { setTimeout: () => void }): void => clock.setTimeout()\n'],
  [FILE, 'export const a = (sleep: () => Promise<void>): Promise<void> => sleep()\n']
]))

t.test('tests run, all of them', t => check(t, [
  [FILE, 'import t from \'tap\'\nt.only(\'a\', async t => { t.pass() })\n', 'honest-tests'],
  [FILE, 'import t from \'tap\'\nt.test(\'a\', async t => { t.skip(\'b\') })\n', 'honest-tests'],
  [FILE, 'import t from \'tap\'\nt.todo(\'a\')\n', 'honest-tests'],
  [FILE, 'import t from \'tap\'\nt.test(\'a\', { skip: true }, async t => { t.pass() })\n', 'honest-tests'],
  [FILE, 'import t from \'tap\'\nt.test(\'a\', { todo: \'one day\' }, async t => { t.pass() })\n', 'honest-tests'],
  [FILE, 'import t from \'tap\'\nt.test(\'a\', { only: true }, async t => { t.pass() })\n', 'honest-tests'],
  [FILE, 'import t from \'tap\'\nt.test(\'a\', { skip: process.platform === \'win32\' }, async t => { t.pass() })\n'],
  [FILE, 'export const a = (reader: { skip: (n: number) => void }): void => reader.skip(4)\n']
]))
