import assert from 'node:assert/strict'
import { ByteReader } from '../src/index.ts'
import { MAX_GROWTH, growthOf } from './linear.ts'

const byte = Uint8Array.of(1)
const reader = (n: number): ByteReader => new ByteReader((async function * () { for (let sent = 0; sent < n; sent++) yield byte })())

// Measured before tap is loaded: its hooks make a promise so dear that nothing else would show.
const growth = {
  'one exact read': await growthOf(async n => { assert.equal((await reader(n).read(n)).length, n) }),
  'byte by byte': await growthOf(async n => {
    const bytes = reader(n)
    for (let read = 0; read < n; read++) await bytes.read(1)
  }),
  'a line that never ends': await growthOf(async n => { await assert.rejects(reader(n).readUntil(2, n + 1), { code: 'ERR_TRUNCATED' }) }),
  'the rest': await growthOf(async n => { for await (const list of reader(n).rest()) assert.equal(list.byteLength, 1) })
}

const { default: t } = await import('tap')

t.test('takes time linear in the number of one-byte chunks', async t => {
  for (const [name, times] of Object.entries(growth)) t.ok(times < MAX_GROWTH, `${name}: 16 times the input took ${times.toFixed(1)} times what 16 inputs take`)
})
