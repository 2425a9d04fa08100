import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import type { Channel, Connection } from '../src/index.ts'

t.test('there is no runtime code', async t => {
  t.same(Object.keys(await import('../src/index.ts')), [])
  for (const name of readdirSync(new URL('../src/', import.meta.url))) t.same(Object.keys(await import(`../src/${name}`) as object), [], name)
})

t.test('everything that a file exports is exported by name', async t => {
  const index = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8')
  for (const name of readdirSync(new URL('../src/', import.meta.url)).filter(name => name !== 'index.ts')) {
    const text = readFileSync(new URL(`../src/${name}`, import.meta.url), 'utf8')
    for (const [, exported] of text.matchAll(/^export (?:interface|type) (\w+)/gm)) t.match(index, new RegExp(`\\b${exported}\\b`), `${exported} of ${name}`)
  }
})

t.test('a connection is a channel, and a channel is no connection', async t => {
  const asChannel = (connection: Connection): Channel => connection
  // @ts-expect-error: it does not say who is at the other end.
  const asConnection = (channel: Channel): Connection => channel
  t.type(asChannel, 'function')
  t.type(asConnection, 'function')
})
