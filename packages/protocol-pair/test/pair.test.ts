import { fromHex } from '@ropewalk/framing'
import { collect, duplexPair } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import { codeFrom, CodeState, formatCode, pair, parseCode, answerPair } from '../src/index.ts'
import { ALICE, answering, asking, BOB, CODE, codeOf, exchange } from './pairs.ts'

t.test('who knows the code is paired: each has the key and the name of the other', async t => {
  const bob = answering()
  const [asked, answered] = await exchange('31 K7WQ-M2X9', asking(), bob)
  t.match(asked, { value: { name: 'laptop', port: 7741, fingerprint: BOB } })
  t.match(answered, { value: { name: 'desk', port: 0, fingerprint: ALICE } })
  t.match(bob.kept, [{ name: 'desk', fingerprint: ALICE }])
})

t.test('one guess a code: after a wrong one the right one is too late', async t => {
  const bob = answering()
  const [asked, answered] = await exchange('31-k7wq-m2x8', asking(), bob)
  t.equal(codeOf(asked), 'ERR_WRONG_CODE')
  t.not(codeOf(answered), undefined)
  t.same(bob.kept, [])
  const [again, late] = await exchange(CODE, asking(), bob)
  t.equal(codeOf(again), 'ERR_NO_CODE')
  t.equal(codeOf(late), 'ERR_NO_CODE')
  t.same(bob.kept, [])
})

t.test('a code that has paired is used up', async t => {
  const bob = answering()
  await exchange(CODE, asking(), bob)
  const [again] = await exchange(CODE, asking(), bob)
  t.equal(codeOf(again), 'ERR_NO_CODE')
  t.equal(bob.kept.length, 1)
})

t.test('a code is good for two minutes', async t => {
  for (const [now, works] of [[119_999, true], [120_000, false]] as const) {
    const bob = answering({ now: () => now })
    const [asked] = await exchange(CODE, asking(), bob)
    t.equal(codeOf(asked), works ? undefined : 'ERR_NO_CODE', String(now))
    t.equal(bob.kept.length, works ? 1 : 0)
  }
})

t.test('a code that expires between hello and share is refused', async t => {
  const times = [0, 120_000]
  const [asked] = await exchange(CODE, asking(), answering({ now: () => times.shift() ?? 120_000 }))
  t.equal(codeOf(asked), 'ERR_NO_CODE')
})

t.test('somebody in between, who shows a key of his own to each side, pairs with nobody even when he passes everything on', async t => {
  for (const [asks, answers] of [[{ theirs: 'ee'.repeat(32) }, {}], [{}, { theirs: 'ee'.repeat(32) }], [{ theirs: 'e1'.repeat(32) }, { theirs: 'e2'.repeat(32) }]]) {
    const bob = answering(answers)
    const [asked] = await exchange(CODE, asking(asks), bob)
    t.equal(codeOf(asked), 'ERR_WRONG_CODE')
    t.same(bob.kept, [])
  }
})

t.test('nothing is kept before the proof: a side that leaves after the answer has guessed for nothing', async t => {
  const bob = answering()
  const [left, right] = duplexPair()
  const answered = answerPair(right, bob)
  const asked = pair(left, '31-0000-0000', asking())
  t.equal(codeOf((await Promise.allSettled([asked]))[0] as PromiseSettledResult<unknown>), 'ERR_WRONG_CODE')
  t.equal(codeOf((await Promise.allSettled([answered]))[0] as PromiseSettledResult<unknown>), 'ERR_INTERRUPTED')
  t.same(bob.kept, [])
  t.equal(bob.codes.plate(1), undefined)
})

const HELLO = [1, 1, ...new Array<number>(16).fill(7)]
for (const [what, bytes, code] of [
  ['another version', [1, 2, ...new Array<number>(16).fill(7)], 'ERR_VERSION'],
  ['a message that is not known', [9], 'ERR_BAD_MESSAGE'],
  ['a message out of turn', [5, ...new Array<number>(64).fill(0)], 'ERR_BAD_MESSAGE'],
  ['a share that is the identity', [...HELLO, 3, ...new Array<number>(32).fill(0), 2, 0, 0], 'ERR_BAD_SHARE'],
  ['a share that is no element', [...HELLO, 3, ...new Array<number>(32).fill(255), 2, 0, 0], 'ERR_BAD_SHARE'],
  ['an introduction that is too long', [...HELLO, 3, ...new Array<number>(32).fill(0), 67], 'ERR_BAD_MESSAGE'],
  ['the end too early', [1, 1, 3], 'ERR_INTERRUPTED']
] as const) {
  t.test(`hostile: ${what}`, async t => {
    const [left, right] = duplexPair()
    const bob = answering()
    void left.sink([Uint8Array.from(bytes)])
    const answered = await Promise.allSettled([answerPair(right, bob)])
    t.equal(codeOf(answered[0] as PromiseSettledResult<unknown>), code)
    t.same(bob.kept, [])
  })
}

t.test('whoever says nothing is given up at the deadline, on both sides; a signal ends it at once', async t => {
  const [left, right] = duplexPair()
  const [asked] = await Promise.allSettled([pair(left, CODE, asking({ timeoutMs: 1 }))])
  t.equal(codeOf(asked as PromiseSettledResult<unknown>), 'ERR_TIMEOUT')
  const [answered] = await Promise.allSettled([answerPair(right, answering({ timeoutMs: 1 }))])
  t.ok(['ERR_TIMEOUT', 'ERR_INTERRUPTED'].includes(String(codeOf(answered as PromiseSettledResult<unknown>))))
  const reason = new Error('enough')
  await t.rejects(pair(duplexPair()[0], CODE, asking({ signal: AbortSignal.abort(reason) })), reason)
})

t.test('codes: what is written is read, mistaken letters too, and nothing else', async t => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 9, maxLength: 9 }), random => {
    const code = codeFrom(random)
    const text = formatCode(code)
    for (const typed of [text, text.toUpperCase(), text.replaceAll('-', ''), ` ${text} `, text.replaceAll('0', 'O').replaceAll('1', 'l')]) t.same(parseCode(typed), code)
  }))
  for (const bad of ['', '31', '31-k7wq-m2x', '31-k7wq-m2x99', '3k-k7wq-m2x9', '31-k7wq-m2xu', '31_k7wq_m2x9', 'ｋ1-k7wq-m2x9']) {
    t.throws(() => parseCode(bad), { code: 'ERR_BAD_CODE' }, bad)
  }
  t.notMatch(String(t.throws(() => parseCode('31-k7wq-m2xu'))), /m2xu/, 'the secret is not repeated')
  t.throws(() => codeFrom(new Uint8Array(8)), RangeError)
})

t.test('a code that is put out makes the one before void; revoked, there is none', async t => {
  const codes = new CodeState({ lifetimeMs: 10 })
  t.equal(codes.plate(0), undefined)
  codes.issue(parseCode('01-0000-0000'), 0)
  codes.issue(parseCode('02-0000-0000'), 5)
  t.equal(codes.plate(14), 2)
  t.equal(codes.plate(15), undefined)
  t.equal(codes.take(14), '02-0000-0000')
  t.throws(() => codes.take(14), { code: 'ERR_NO_CODE' })
  codes.issue(parseCode('03-0000-0000'), 20)
  codes.revoke()
  t.throws(() => codes.take(20), { code: 'ERR_NO_CODE' })
})

t.test('hostile: who does not know the code, and claims a proof all the same, is refused and told so', async t => {
  const [left, right] = duplexPair()
  const bob = answering()
  const element = '3ea7e0b19560d7c0b0f5734f63b955286dfa8232b5ebe63324e2d9e7433f7258'
  void left.sink([Uint8Array.from([...HELLO, 3, ...fromHex(element), 2, 0, 0, 5, ...new Array<number>(64).fill(0)])])
  const [answered] = await Promise.allSettled([answerPair(right, bob)])
  t.equal(codeOf(answered as PromiseSettledResult<unknown>), 'ERR_WRONG_CODE')
  t.same(bob.kept, [])
  const said = await collect(left.source)
  t.same([...said.subarray(-2)], [0, 2])
})
