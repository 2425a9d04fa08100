/** The rules of living with originals, by their numbers. */
import t from 'tap'
import { decodeFrame, encodeFrame, encodeMessage, AS_IMPLEMENTED, chunkCount, splitList, type ListedFile, type Message } from '../src/codec.ts'
import type { StateOptions, SwarmEffect } from '../src/facts.ts'
import { SwarmState } from '../src/state.ts'
import { address, member, Network } from './network.ts'

const me = address(1)
const [two, three, stranger] = [address(2), address(3), address(9)]
const name = 'files/a'
const full = (value = 1): Uint8Array => new Uint8Array(65536).fill(value)

function joined (options: Partial<StateOptions> = {}): SwarmState {
  const state = new SwarmState({ self: me, peers: [me, two, three], ...options })
  state.join(0)
  return state
}

function list (from = two, count = 2, extra: Partial<ListedFile> = {}): Message {
  return { action: 'Files', from, files: [{ name, count, held: Array.from({ length: count }, (_, index) => index), ...extra }] }
}

const have = (from: typeof me, index: number, count = 2): Message => ({ action: 'Have', from, chunk: { name, count, index } })
const download = (from: typeof me, index: number, count = 2): Message => ({ action: 'Download', from, chunk: { name, count, index } })
const upload = (from: typeof me, index: number, data: Uint8Array, count = 2): Message => ({ action: 'Upload', from, chunk: { name, count, index }, data })
const sent = (effects: SwarmEffect[], action: string): Array<Extract<SwarmEffect, { type: 'send' }>> => effects.filter(effect => effect.type === 'send' && effect.message.action === action) as never
const types = (effects: SwarmEffect[]): string[] => effects.map(effect => effect.type)
const asked = (effects: SwarmEffect[]): string[] => sent(effects, 'Download').map(({ to, message }) => `${to.port % 10}:${'chunk' in message ? message.chunk.index : ''}`)
const events = (effects: SwarmEffect[]): string[] => effects.flatMap(effect => effect.type === 'event' ? [effect.event.event] : [])

t.test('R2 a short block is taken for the last chunk only', async t => {
  const state = joined()
  const first = asked(state.receive(list(), 0))[0]
  t.equal(first, '2:0')
  t.notOk(types(state.receive(upload(two, 0, full().subarray(0, 65535)), 1)).includes('write'))
  t.notOk(state.file(name)?.held.has(0))
})

t.test('R3 only the last chunk of unknown size loses its NULs', async t => {
  const state = joined()
  state.receive(list(), 0)
  const tail = full()
  tail.fill(0, 100)
  const [write] = state.receive(upload(two, 0, tail), 1).filter(effect => effect.type === 'write')
  t.equal(write?.data.length, 65536)
  state.written(two, name, 0, 65536, 2)
  const [last] = state.receive(upload(two, 1, tail), 3).filter(effect => effect.type === 'write')
  t.equal(last?.data.length, 100)
  t.ok(state.file(name)?.sizeUncertain)
})

t.test('R4 held only when written', async t => {
  const state = joined()
  state.receive(list(two, 1), 0)
  t.same(types(state.receive(upload(two, 0, full(), 1), 1)), ['write'])
  t.equal(state.file(name)?.held.size, 0)
  const effects = state.written(two, name, 0, 65536, 2)
  t.equal(state.file(name)?.held.size, 1)
  t.ok(types(effects).includes('finish'))
})

t.test('R5 what looks damaged is fetched from a second holder; the longer is kept, a contradiction set aside', async t => {
  for (const [second, outcome] of [[full(1), 'write'], [full(9), 'aside']] as const) {
    const state = joined()
    t.same(asked(state.receive(list(two, 3), 0)), ['2:0'])
    t.same(asked(state.receive(list(three, 3), 0)), ['3:1'])
    const effects = state.receive(upload(two, 0, full(1).fill(0, 1000), 3), 2)
    t.notOk(types(effects).includes('write'))
    t.ok(asked(effects).includes('3:0'))
    const settled = state.receive(upload(three, 0, second, 3), 3)
    t.ok(types(settled).includes(outcome), outcome)
    t.equal(events(settled).includes('conflict'), outcome === 'aside')
    if (outcome === 'write') t.same(settled.find(effect => effect.type === 'write')?.data, second)
  }
})

t.test('R8 strangers, ourselves, and chunks nobody asked for', async t => {
  const state = joined({ acceptPushes: false })
  for (const from of [stranger, me]) {
    for (const message of [list(from), have(from, 0), upload(from, 0, full()), { action: 'Remove', from } as const, download(from, 0)]) t.same(state.receive(message, 0), [])
  }
  t.same(state.status(), [])
  state.receive(list(two), 0)
  t.notOk(types(state.receive(upload(three, 0, full()), 1)).includes('write'))
})

t.test('R9 one request a chunk, the rarest first, another holder after a time', async t => {
  const state = joined()
  t.same(asked(state.receive(have(two, 0), 0)), ['2:0'])
  t.same(asked(state.receive(have(three, 0), 0)), [])
  t.equal(state.deadline(), 10_000)
  t.same(asked(state.expire(10000)), ['3:0'])

  const rare = joined({ peers: [two, three, address(4)] })
  rare.receive({ action: 'Have', from: two, chunk: { name: 'files/x', count: 1, index: 0 } }, 0)
  rare.receive(have(three, 0, 3), 0)
  rare.receive(upload(three, 0, full(), 3), 0)
  rare.written(three, name, 0, 65536, 0)
  rare.receive(have(address(4), 1, 3), 0)
  rare.receive(have(three, 1, 3), 0)
  rare.receive(have(three, 2, 3), 0)
  t.equal(rare.file(name)?.level(1), 2)
})

t.test('R10 a Download is forwarded once in 30 s, for listed peers', async t => {
  const state = joined()
  state.receive(have(three, 0), 0)
  t.same(sent(state.receive(download(two, 0), 1), 'Download').map(({ to, message }) => [to.port, message.from.port]), [[10003, 10002]])
  t.same(sent(state.receive(download(two, 0), 29_000), 'Download'), [])
  t.same(state.receive(download(stranger, 0), 1), [])
  t.equal(sent(state.receive(download(two, 0), 30_002), 'Download').length, 1)
})

t.test('T1 T2 an upload is one write of the exact bytes, and says our own address', async t => {
  const bytes = encodeMessage(AS_IMPLEMENTED, upload(me, 1, new Uint8Array(3)))
  t.equal(bytes.length, 503)
  for (const effect of joined().receive(list(), 0)) if (effect.type === 'send') t.same(effect.message.from, me)
})

t.test('T3 an index outside the count of a peer is never sent to it', async t => {
  const state = joined()
  state.add({ name, size: 131073 }, 0)
  state.receive(list(two, 2, { held: [] }), 0)
  const told: string[] = []
  for (let now = 0; now < 100_000; now += 5000) for (const { to, message } of sent(state.expire(now), 'Have')) if (to === two && 'chunk' in message) told.push(`${message.chunk.count}:${message.chunk.index}`)
  t.notOk(told.some(text => text.endsWith(':2')))
})

t.test('T4 levels are holders: saying it twice changes nothing', async t => {
  const state = joined()
  for (let times = 0; times < 10; times++) state.receive(have(two, 0), times)
  t.equal(state.file(name)?.level(0), 1)
})

t.test('T5 a name that does not fit is not announced, and that is said', async t => {
  const state = joined()
  state.receive(list(two, 0, { name: 'files/other' }), 0)
  const effects = state.add({ name: `files/${'d'.repeat(240)}/${'e'.repeat(200)}`, size: 5 }, 1)
  t.same(sent(effects, 'Have'), [])
  t.ok(events(effects).includes('withheld'))
})

t.test('T6 empty files and NUL tails are withheld from originals, unless told otherwise', async t => {
  for (const [local, shareFragile, count] of [[{ name, size: 0 }, false, 0], [{ name, size: 5, nulTail: true }, false, 0], [{ name, size: 5, nulTail: true }, true, 1], [{ name, size: 5 }, false, 1]] as const) {
    const state = joined({ shareFragile })
    state.receive({ action: 'Files', from: two, files: [] }, 0)
    t.equal(sent(state.add(local, 1), 'Have').filter(({ to }) => to === two).length, count)
    t.equal(state.listFor(two).length, count)
  }
})

t.test('T7 131,073 bytes are three chunks', async t => {
  t.same([0, 1, 65535, 65536, 65537, 131073, 200000].map(chunkCount), [0, 1, 1, 1, 2, 3, 4])
})

t.test('T8 chunk by chunk: the next after the Have of the one before, or after a time', async t => {
  const state = joined({ peers: [two] })
  state.receive({ action: 'Files', from: two, files: [] }, 0)
  t.equal(sent(state.add({ name, size: 200_000 }, 0), 'Have').length, 1)
  t.equal(sent(state.receive(have(two, 0, 4), 1), 'Have').length, 1)
  t.equal(sent(state.expire(4000), 'Have').length, 0)
  t.equal(sent(state.expire(5001), 'Have').length, 1)
})

t.test('T10 after a last chunk that was full, the list is asked for again', async t => {
  const state = joined()
  state.receive(list(two, 1), 0)
  state.receive(upload(two, 0, full(), 1), 1)
  t.equal(sent(state.written(two, name, 0, 65536, 2), 'Add').length, 1)
})

t.test('T11 Add at the start and every 30 s to who was not heard of, Remove at the end', async t => {
  const state = new SwarmState({ self: me, peers: [me, two] })
  t.equal(sent(state.join(0), 'Add').length, 1)
  t.equal(state.deadline(), 30_000)
  t.equal(sent(state.expire(30_000), 'Add').length, 1)
  t.equal(sent(state.leave(30_001), 'Remove').length, 1)
})

t.test('T12 leaving pushes what only we hold, before Remove', async t => {
  const state = joined({ peers: [two] })
  state.receive({ action: 'Files', from: two, files: [] }, 0)
  state.add({ name, size: 100_000 }, 0)
  state.receive(have(two, 0), 1)
  const effects = state.leave(2)
  t.same(effects.map(effect => effect.type === 'serve' ? `push ${effect.chunk.index}` : effect.type === 'send' ? effect.message.action : effect.type), ['push 1', 'Remove'])
})

t.test('what came while a peer was not there is told when it is', async t => {
  const state = joined()
  state.receive(list(), 0)
  state.receive(upload(two, 0, full()), 1)
  t.same(sent(state.written(two, name, 0, 65536, 2), 'Have').map(({ to }) => to.port), [two.port])
  const listed = (effects: SwarmEffect[]): unknown => sent(effects, 'Files').map(({ to, message }) => [to.port, 'files' in message ? message.files.map(({ held }) => held) : undefined])
  // It has heard our list when there was nothing in it, and says something now.
  t.same(listed(state.receive({ action: 'Files', from: three, files: [] }, 3)), [[three.port, [[0]]]])
  t.same(listed(state.receive({ action: 'Files', from: three, files: [] }, 4)), [], 'once')
})

t.test('what was lost on its way to a peer is told when the peer speaks next', async t => {
  const state = joined()
  state.receive(list(two, 1), 0)
  state.receive(list(three), 0)
  state.receive(upload(two, 0, full()), 1)
  t.same(sent(state.written(two, name, 0, 65536, 2), 'Have').map(({ to }) => to.port).sort(), [two.port, three.port])
  state.lost(three, 3)
  // It has not noticed, and says something before we greet it again: what it said before is forgotten, so it is asked, too.
  const effects = state.receive(have(three, 1), 4)
  t.same(sent(effects, 'Add').map(({ to, message }) => [to.port, 'files' in message ? message.files.map(({ held }) => held) : undefined]), [[three.port, [[0]]]])
})

t.test('a connection that failed to a peer that is there: it counts again as soon as it was greeted', async t => {
  const state = joined({ peers: [two] })
  state.receive(list(two, 1), 1000)
  state.lost(two, 1001)
  t.equal(state.file(name)?.level(0), 0)
  const at = state.deadline()
  t.ok(at <= 6001, String(at))
  t.same(sent(state.expire(at), 'Add').map(({ to }) => to.port), [two.port])
  state.receive(list(two, 1), at + 1)
  t.equal(state.file(name)?.level(0), 1)
  t.equal(sent(state.expire(at + 60_000), 'Add').length, 0, 'once')

  // Nobody is there any more: one greeting soon, then every 30 s.
  state.lost(two, at + 60_001)
  t.equal(sent(state.expire(at + 60_001), 'Add').length, 1)
  state.lost(two, at + 60_002)
  t.equal(state.deadline(), at + 90_001)
})

t.test('who did not give what it had announced is asked for its list, and counts again when it has it', async t => {
  const state = joined()
  state.receive(list(two, 1), 0)
  t.same(sent(state.failed(two, name, 0, 1000), 'Add'), [])
  t.equal(state.file(name)?.level(0), 0)
  const at = state.deadline()
  t.ok(at > 1000 && at < 30_000, String(at))
  t.same(sent(state.expire(at), 'Add').map(({ to }) => to.port), [two.port])
  t.ok(state.deadline() > at, 'once')
  t.same(asked(state.receive(list(two, 1), at + 1)), ['2:0'])
  t.equal(state.file(name)?.level(0), 1)
})

t.test('what comes, what is given, and who holds all of it is told', async t => {
  const state = joined()
  const told = (effects: SwarmEffect[]): unknown[] => effects.flatMap(effect => effect.type === 'event' && effect.event.event !== 'connected' ? [effect.event] : [])
  t.match(told(state.receive(list(two, 2, { size: 65546 }), 0)), [{ event: 'replicated', name, peer: two }])
  state.receive(upload(two, 1, new Uint8Array(10)), 1)
  t.match(told(state.written(two, name, 1, 10, 2)), [{ event: 'chunk', index: 1, bytes: 10, size: 65546 }])
  state.receive(upload(two, 0, full()), 3)
  t.match(told(state.written(two, name, 0, 65536, 4)), [{ event: 'chunk', index: 0, bytes: 65546 }, { event: 'finished', size: 65546 }])
  t.same(told(state.receive(have(three, 0), 5)), [])
  t.match(told(state.receive(have(three, 1), 6)), [{ event: 'replicated', peer: three }])
  t.same(told(state.receive(have(three, 1), 7)), [], 'once')
})

t.test('X12 a poisoned piece is refused, its sender named and avoided, and it is asked of another', async t => {
  const state = joined()
  const chunkSha256 = ['a'.repeat(64)]
  state.receive(list(two, 1, { chunkSha256 }), 0)
  state.receive(list(three, 1, { chunkSha256 }), 0)
  state.receive(upload(two, 0, full(), 1), 1)
  const effects = state.rejected(two, name, 0, 2)
  t.same(events(effects), ['poisoned', 'avoided'])
  t.same(asked(effects), ['3:0'])
})

t.test('X12 a liar, and a peer that vanishes: another is asked', async t => {
  const liar = joined()
  liar.receive(list(two, 1), 0)
  liar.receive(list(three, 1), 0)
  t.same(asked(liar.failed(two, name, 0, 1)), ['3:0'])

  const gone = joined()
  gone.receive(list(two, 1), 0)
  gone.receive(list(three, 1), 0)
  t.same(asked(gone.lost(two, 1)), ['3:0'])
  t.equal(gone.file(name)?.level(0), 1)
})

t.test('X12 a slow peer: another is asked when its time is over, and its late answer changes nothing', async t => {
  const state = joined()
  state.receive(list(two, 1, { size: 65536 }), 0)
  state.receive(list(three, 1, { size: 65536 }), 0)
  t.same(asked(state.expire(9999)), [])
  t.same(asked(state.expire(10_000)), ['3:0'])
  t.notOk(types(state.receive(upload(two, 0, full(), 1), 10_001)).includes('write'))
  t.ok(types(state.receive(upload(three, 0, full(), 1), 10_002)).includes('write'))
})

t.test('X12 more peers than the wire bears', async t => {
  await t.rejects(member(new Network(), 1, 7), RangeError)
})

t.test('X12 the same peer twice, and ourselves, are one and none', async t => {
  const state = new SwarmState({ self: me, peers: [me, two, two, me] })
  t.equal(sent(state.join(0), 'Add').length, 1)
})

t.test('a file of many chunks has its hashes in several frames', async t => {
  const count = 20_000
  const file: ListedFile = { name, count, size: count * 65536, held: [0, 19_999], chunkSha256: new Array<string>(count).fill('b'.repeat(64)) }
  const state = joined({ profile: 'hardened' })
  const parts = splitList([file])
  t.equal(parts.length, 3)
  for (const files of parts) {
    const frame = decodeFrame(encodeFrame({ action: 'Files', from: two, files }))
    if (frame.action === 'Files') state.receive({ action: 'Files', from: two, files: frame.files }, 0)
  }
  t.equal(state.file(name)?.hashes.length, count)
  t.same([...state.file(name)?.holders.values() ?? []].map(held => [...held]), [[0, 19_999]])
})
