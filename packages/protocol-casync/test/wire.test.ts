import { readFile } from 'node:fs/promises'
import t from 'tap'
import { HELLO_FLAGS, INDEX_MAGIC, MESSAGE_TYPES, RECORD_TYPES, TABLE_MAGIC, TABLE_TAIL_MAGIC } from '../src/constants.ts'
import { FEATURES } from '../src/features.ts'
import { Conversation, type HelloFlag } from '../src/hello-state.ts'
import { FRAME_BYTES, type Message, type MessageType } from '../src/message-codec.ts'

const text = await readFile(new URL('../WIRE.md', import.meta.url), 'utf8')

/** The rows of the table under a heading. */
function rows (heading: string): string[][] {
  const section = text.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return Array.from(section.matchAll(/^\| (?!-)(.+) \|$/gm), ([, row = '']) => row.split('|').map(cell => cell.trim().replaceAll('`', ''))).slice(1)
}

t.test('WIRE.md names every message with its type and its sizes', async t => {
  const table = rows('Messages')
  t.same(Object.fromEntries(table.map(([name, type]) => [name, BigInt(type ?? 0)])), MESSAGE_TYPES)
  for (const [name, , bytes = ''] of table) {
    const [least, most] = FRAME_BYTES[name as MessageType]
    t.equal(bytes, least === most ? String(least) : `≥ ${least}`, name ?? '')
  }
})

t.test('WIRE.md names every flag', async t => {
  t.same(Object.fromEntries(rows('Flags of HELLO').map(([name, bit]) => [name, Number(bit)])), HELLO_FLAGS)
  for (const [name, , kind] of rows('Flags of HELLO')) t.equal(kind, /^PU/.test(name ?? '') ? 'wish' : 'service')
})

t.test('WIRE.md says what may come because of which wish', async t => {
  const table = rows('What may come')
  t.equal(table.length, 7)
  const sample = { data: new Uint8Array(1), ids: new Uint8Array(32), high: false, id: '00'.repeat(32), compressed: false }
  const service = (wish: HelloFlag): number => HELLO_FLAGS[wish.replace(/^PULL_CHUNKS/, 'READABLE_STORE').replace(/^PUSH_CHUNKS/, 'WRITABLE_STORE').replace('PULL_', 'READABLE_').replace('PUSH_', 'WRITABLE_') as HelloFlag]
  for (const [type, ours, theirs] of table as Array<[MessageType, HelloFlag, HelloFlag]>) {
    for (const [local, remote] of [[HELLO_FLAGS[ours], service(ours)], [service(theirs), HELLO_FLAGS[theirs]]] as const) {
      const conversation = new Conversation(local)
      conversation.receive({ type: 'HELLO', flags: BigInt(remote) })
      t.doesNotThrow(() => { conversation.receive({ ...sample, type } as unknown as Message) }, `${type} with 0x${local.toString(16)}`)
    }
  }
})

t.test('WIRE.md names the words of an index', async t => {
  t.same(rows('The index').map(([, word]) => BigInt(word ?? 0)), [INDEX_MAGIC, TABLE_MAGIC, TABLE_TAIL_MAGIC])
})

t.test('WIRE.md names the records and the features of an archive', async t => {
  t.same(rows('Records of an archive').map(([name, word]) => [name, BigInt(word ?? 0)]), Object.entries(RECORD_TYPES))
  t.same(rows('Features of an archive').map(([name, word]) => [name, BigInt(word ?? 0)]), Object.entries(FEATURES))
})

t.test('every line of the hardening table has its test', async t => {
  const table = rows('Hardening')
  t.equal(table.length, 31)
  for (const [what, , , file = '', words = ''] of table) {
    const path = file.startsWith('ropewalk/') ? `../../../apps/${file}` : `../../${file}`
    const source = await readFile(new URL(path, import.meta.url), 'utf8').catch(() => '')
    t.ok(words !== '' && source.includes(words), `${what ?? ''}: ${file}`)
  }
})
