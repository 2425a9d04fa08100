import t from 'tap'
import { check, refusals } from './plant.ts'

const lines = (count: number, line = (n: number) => `export const a${n} = ${n}\n`): string => Array.from({ length: count }, (_, n) => line(n)).join('')

t.test('a source file has at most 300 lines, blank lines and comments not counted', t => check(t, [
  ['packages/flow/src/ring.ts', lines(301), 'max-lines'],
  ['packages/flow/src/ring.ts', lines(300)],
  ['packages/flow/src/ring.ts', lines(290, n => `// why\nexport const a${n} = ${n}\n\n`).trimEnd() + '\n'],
  ['packages/flow/test/ring.test.ts', lines(301)]
]))

t.test('how the text looks', t => check(t, [
  ['packages/flow/src/ring.ts', 'export const a = 1;\n', 'semi'],
  ['packages/flow/src/ring.ts', 'export const a = "a"\n', 'quotes'],
  ['packages/flow/src/ring.ts', 'export function a(): void {}\n', 'space-before-function-paren'],
  ['packages/flow/src/ring.ts', 'export class A {\n  a(): void {}\n}\n', 'space-before-function-paren'],
  ['packages/flow/src/ring.ts', 'export function a (): number {\n    return 1\n}\n', 'indent'],
  ['packages/flow/src/ring.ts', 'export const a = [1,\n  2,\n]\n', 'comma-dangle'],
  ['packages/flow/src/ring.ts', 'export const a = 1', 'eol-last'],
  ['packages/flow/src/ring.ts', 'export function a (b: string): string {\n  return `${b}\'s`\n}\n']
]))

t.test('what no file may contain', t => check(t, [
  ['packages/flow/src/ring.ts', 'const a = 1\n', 'no-unused-vars'],
  ['packages/flow/src/ring.ts', 'import { a } from \'./units.ts\'\n', 'no-unused-vars'],
  ['packages/flow/src/ring.ts', 'export const a = (_b: number): number => 1\n'],
  ['packages/flow/src/ring.ts', 'export const a = (b: any): void => b\n', 'no-explicit-any'],
  ['packages/flow/src/ring.ts', 'export const a = (b: unknown): unknown => b\n'],
  ['packages/flow/src/ring.ts', `// ${'TO'}${'DO'}: later\nexport const a = 1\n`, 'no-warning-comments'],
  ['packages/flow/src/ring.ts', `// later: ${'FIX'}${'ME'}\nexport const a = 1\n`, 'no-warning-comments'],
  ['packages/flow/src/ring.ts', 'export enum A { B }\n', 'no-restricted-syntax'],
  ['packages/flow/src/ring.ts', 'export namespace A { export const b = 1 }\n', 'no-restricted-syntax'],
  ['packages/flow/src/ring.ts', 'export class A {\n  constructor (readonly a: number) {}\n}\n', 'no-restricted-syntax'],
  ['packages/flow/src/ring.ts', 'export class A {\n  private a = 1\n}\n', 'no-restricted-syntax'],
  ['packages/flow/src/ring.ts', 'export class A {\n  readonly #a = 1\n  private constructor () { void this.#a }\n}\n'],
  ['packages/flow/src/ring.ts', 'export const A = { B: 1 } as const\nexport type A = typeof A\n'],
  ['packages/flow/src/ring.ts', '// @ts-ignore because\nexport const a = 1\n', 'ban-ts-comment']
]))

t.test('no comment switches a rule off', async t => {
  t.same((await refusals('packages/flow/src/ring.ts', '// eslint-disable-next-line\nexport const a = Date.now()\n')).includes('pure'), true)
})

t.test('index.ts only re-exports, by name', t => check(t, [
  ['packages/flow/src/index.ts', 'export * from \'./ring.ts\'\n', 'exports'],
  ['packages/flow/src/index.ts', 'export * as ring from \'./ring.ts\'\n', 'exports'],
  ['packages/flow/src/ring.ts', 'export * from \'./units.ts\'\n', 'exports'],
  ['packages/flow/src/index.ts', 'export const a = 1\nexport { b } from \'./ring.ts\'\n', 'exports'],
  ['packages/flow/src/index.ts', 'export const a = 1\n', 'exports'],
  ['packages/flow/src/index.ts', 'import { b } from \'./ring.ts\'\nexport { b }\n', 'exports'],
  ['packages/flow/src/index.ts', 'export { b } from \'./ring.ts\'\nexport type { C } from \'./ring.ts\'\n'],
  ['apps/ropewalk/src/index.ts', 'export const a = 1\n']
]))

t.test('names that say nothing', t => check(t, [
  ['packages/flow/src/utils.ts', 'export const a = 1\n', 'file-name'],
  ['packages/flow/src/helpers/ring.ts', 'export const a = 1\n', 'file-name'],
  ['packages/flow/src/ring-utils.ts', 'export const a = 1\n', 'file-name'],
  ['packages/flow/test/common.test.ts', 'export const a = 1\n', 'file-name'],
  ['packages/flow/src/core.ts', 'export const a = 1\n', 'file-name'],
  ['packages/flow/src/score.ts', 'export const a = 1\n']
]))
