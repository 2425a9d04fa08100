import t from 'tap'
import { check, refusals } from './plant.ts'

const PURE = [
  'packages/protocol-mdsftp/src/codec.ts', 'packages/muxer-mdsftp/src/deframer-codec.ts', 'packages/muxer-mdsftp/src/state.ts',
  'packages/muxer-mdsftp/src/bytes-state.ts', 'packages/store-fs/src/constants.ts', 'packages/transport-tcp/src/errors.ts',
  'packages/flow/src/token-bucket.ts', 'packages/framing/src/uuid.ts', 'apps/ropewalk/src/progress-state.ts'
]

t.test('a pure file is pure, wherever it is', async t => {
  for (const file of PURE) {
    t.same(await refusals(file, 'export const now = (): number => Date.now()\n'), ['pure'], file)
    t.same(await refusals(file, 'export const later = (now: number): number => now + 1\n'), [], file)
  }
})

const refused = [
  'export async function a (): Promise<void> {}\n',
  'export const a = async (x: () => void) => { await x() }\n',
  'export async function a (x: never) { for await (const y of x) void y }\n',
  'export const a = (x: { then: (f: () => void) => void }) => x.then(() => {})\n',
  'export const a = new Promise(() => {})\n',
  'export type A = Promise<void>\n',
  'export type A = AsyncIterable<number>\n',
  'export const a = () => setTimeout(() => {}, 1)\n',
  'export const a = () => queueMicrotask(() => {})\n',
  'export const a = performance.now()\n',
  'export const a = Math.random()\n',
  'export const a = crypto.randomUUID()\n',
  'export const a = process.pid\n',
  'export const a = Buffer.alloc(1)\n',
  'export const a = fetch(\'x\')\n',
  'export const a = () => { console.log(1) }\n',
  'export const a = globalThis.Date.now()\n',
  'export const { Date: a } = globalThis\n'
]

t.test('no promise, timer, clock, chance, logging or I/O', async t => {
  for (const text of refused) t.same(await refusals('packages/muxer-mdsftp/src/state.ts', text), ['pure'], text)
})

t.test('its neighbours wait as they like', t => check(t, [
  ['packages/muxer-mdsftp/src/link.ts', 'export async function a (): Promise<void> { await null }\n'],
  ['packages/muxer-mdsftp/src/estate.ts', 'export const a = () => Date.now()\n'],
  ['packages/muxer-mdsftp/test/state.test.ts', 'export const a = async (): Promise<number> => Date.now()\n']
]))

t.test('a name of its own is not the clock\'s', t => check(t, [
  ['packages/flow/src/ring.ts', 'interface Date { day: number }\nexport const a = (date: Date, process: number): number => date.day + process\n'],
  ['packages/flow/src/ring.ts', 'export const a = (x: { Date: number, promise: number }): number => x.Date + x.promise\n']
]))

t.test('the byte reader of framing waits, and does nothing else', t => check(t, [
  ['packages/framing/src/byte-reader.ts', 'export async function a (x: AsyncIterable<number>): Promise<void> { for await (const y of x) void y }\n'],
  ['packages/framing/src/byte-reader.ts', 'export const a = (): number => Date.now()\n', 'pure'],
  ['packages/framing/src/byte-queue.ts', 'export async function a (): Promise<void> {}\n', 'pure']
]))

t.test('the interface is types', t => check(t, [
  ['packages/interface/src/channel.ts', 'export const a = 1\n', 'types-only'],
  ['packages/interface/src/channel.ts', 'export class A {}\n', 'types-only'],
  ['packages/interface/src/channel.ts', 'import { A } from \'uint8arraylist\'\nexport type B = A\n', 'types-only'],
  ['packages/interface/src/index.ts', 'export { A } from \'./channel.ts\'\n', 'types-only'],
  ['packages/interface/src/index.ts', 'export type { A } from \'./channel.ts\'\n'],
  ['packages/interface/src/channel.ts', 'import type { A } from \'uint8arraylist\'\nexport interface B { a: Promise<A> }\nexport type C = B\n']
]))

t.test('portable packages name nothing that only Node has', t => check(t, [
  ['packages/muxer-mdsftp/src/link.ts', 'export const a = Buffer.alloc(1)\n', 'portable'],
  ['packages/muxer-mdsftp/src/link.ts', 'export type A = Buffer\n', 'portable'],
  ['packages/muxer-mdsftp/src/link.ts', 'export const a = globalThis.Buffer\n', 'portable'],
  ['packages/muxer-mdsftp/src/link.ts', 'export const { Buffer: a } = globalThis\n', 'portable'],
  ['packages/muxer-mdsftp/src/link.ts', 'export const a = process.pid\n', 'portable'],
  ['packages/muxer-mdsftp/src/link.ts', 'export const { process: a } = globalThis as { process?: unknown }\n'],
  ['packages/muxer-mdsftp/src/link.ts', 'export const a = new Uint8Array(1).buffer\n'],
  ['packages/muxer-mdsftp/test/link.test.ts', 'export const a = Buffer.alloc(1)\n'],
  ['packages/transport-tcp/src/dial.ts', 'export const a = Buffer.alloc(1)\n'],
  ['apps/ropewalk/src/put.ts', 'export const a = process.pid\n']
]))
