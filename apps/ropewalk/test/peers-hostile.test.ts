/** A peer that nobody has paired with and that lies, against a node as a process and its disk: what it may do is offer, and nothing of it is written anywhere. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MAX_JSON_BYTES, sendOffer, type Session } from '@ropewalk/protocol-warpdrive'
import t from 'tap'
import { machine, treeOf, type Machine } from './machines.ts'
import { factsOf } from './processes.ts'
import { CONTENT, FILE, stranger } from './stranger.ts'

async function outside (laptop: Machine): Promise<Record<string, string>> {
  return Object.fromEntries(Object.entries(await treeOf(laptop.files)).filter(([name]) => !name.startsWith('Inbox')))
}

t.test('--anyone-may-offer lets strangers offer, --watch tells of it, and lies are refused with nothing written around the inbox', async t => {
  const laptop = await machine(t, 'laptop')
  await mkdir(join(laptop.files, 'beside'))
  await writeFile(join(laptop.files, 'beside/secret'), 'mine')
  const before = await outside(laptop)
  const address = await laptop.serve('--anyone-may-offer')
  const watching = laptop.begin('offers', '--watch')
  await watching.until(({ stderr }) => stderr.includes('Watching'))
  const peer = await stranger(address)
  t.teardown(() => { peer.close() })

  const names = ['../beside/secret', 'a/../../beside/secret', '/tmp/x', 'C:\\x', 'a\\..\\..\\beside', 'a\0', '.ropewalk-staging/x/../../../y', '']
  for (const uri of names) {
    await t.rejects(sendOffer(await peer.query(), 'bad', [{ ...FILE, uri }]), { code: /^ERR_(REFUSED|INTERRUPTED)$/ }, JSON.stringify(uri))
  }
  await t.rejects(sendOffer(await peer.query(), 'bad', [{ ...FILE, size: 2 ** 53 }]), 'a size that is no number')

  // The command, and an id of one letter; the list comes behind it.
  const offering = async (begin: string): Promise<Session> => {
    const session = await peer.query()
    await session.send(Uint8Array.of(0x64, 1, 0x78))
    await session.send(new TextEncoder().encode(begin))
    return session
  }
  const many = await offering('[')
  const thousand = new TextEncoder().encode('{},'.repeat(1000))
  for (let sent = 0; sent < 1000; sent++) await many.send(thousand)
  await many.send(new TextEncoder().encode('{}]\n'))
  // It was read to its end, and nothing but a close is the answer.
  t.equal(await many.byte('answer').catch((error: { code?: string }) => error.code === 'ERR_INTERRUPTED' ? undefined : error), undefined, '10^6 entries')
  const long = await offering('["')
  let sent = 0
  const refused = (async () => {
    for (; sent < 100; sent++) await long.send(new Uint8Array(1_048_576).fill(0x61))
  })()
  await t.rejects(refused, { code: /^ERR_(INTERRUPTED|REFUSED|TIMEOUT)$/ }, 'a value of 100 MiB')
  const most = MAX_JSON_BYTES / 1_048_576
  t.ok(sent >= most && sent <= most + 4, `${sent} MiB went out, of which the node took ${most}`)
  t.same(await laptop.offers(), [], 'none of that was taken for an offer')

  const lies: Array<[string, Uint8Array[], string]> = [
    ['short', [CONTENT.subarray(0, 5)], 'ERR_INCOMPLETE'],
    ['false', [new TextEncoder().encode('abcdefghij')], 'ERR_DIGEST'],
    ['none', [], 'ERR_INCOMPLETE']
  ]
  for (const [id, bytes, code] of lies) {
    // A stranger's connection is broken off after 15 seconds, and under load a command takes some of them.
    const peer = await stranger(address)
    t.teardown(() => { peer.close() })
    peer.answerWith(bytes)
    t.equal(await sendOffer(await peer.query(), id, [{ ...FILE, uri: `${id}/a` }]), false)
    await watching.until(({ stdout }) => stdout.includes(`${id}\tin\tawaiting\t`))
    const accepted = await laptop.run('accept', id, '--json')
    t.equal(accepted.code, 1, `${id}: ${accepted.stdout}${accepted.stderr}`)
    t.match(factsOf(accepted.stdout, 'failure'), [{ name: `${id}/a`, code }])
    await watching.until(({ stdout }) => stdout.includes(`${id}\tin\tfailed\t`))
  }

  // Who tells the truth is a stranger all the same, and may.
  const honest = await stranger(address)
  t.teardown(() => { honest.close() })
  honest.answerWith([CONTENT])
  await sendOffer(await honest.query(), 'true', [{ ...FILE, uri: 'true' }])
  t.equal((await laptop.run('accept', 'true')).code, 0)
  t.same(Object.keys(await treeOf(laptop.inbox)).filter(name => !name.startsWith('.ropewalk-staging')), ['true'])
  t.same(await outside(laptop), before)

  t.equal((await laptop.stop('SIGTERM')).code, 0)
  await watching.ended
  const closed = await machine(t, 'closed')
  const refusing = await stranger(await closed.serve())
  await t.rejects((async () => sendOffer(await refusing.query(), 'x', [FILE]))(), 'without the flag nobody unknown is spoken to')
})
