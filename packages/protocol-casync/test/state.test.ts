import fc from 'fast-check'
import t from 'tap'
import { PullAnswers, PushAnswers } from '../src/answer-state.ts'
import { HELLO_FLAGS } from '../src/constants.ts'
import { Conversation, helloFlags } from '../src/hello-state.ts'
import type { Message } from '../src/message-codec.ts'
import { PullClientState, PullServerState } from '../src/pull-state.ts'
import { PushClientState, PushServerState } from '../src/push-state.ts'

const id = (n: number): string => n.toString(16).padStart(64, '0')

interface Step {
  readonly ask?: readonly [n: number, high: boolean]
}

/** Two lists and nothing clever. */
class NaiveAnswers {
  readonly waiting: Array<{ n: number, high: boolean }> = []
  readonly last = new Map<number, boolean>()
  readonly repeat: boolean

  constructor (repeat: boolean) {
    this.repeat = repeat
  }

  request (n: number, high: boolean): void {
    const at = this.waiting.findIndex(one => one.n === n)
    if (at !== -1) {
      if (high && this.waiting[at]?.high === false) {
        this.waiting.splice(at, 1)
        this.waiting.push({ n, high })
      }
      return
    }
    if (this.last.has(n)) {
      if (!this.repeat) return
      if (high && this.last.get(n) === false) {
        this.last.set(n, true)
        return
      }
    }
    this.waiting.push({ n, high })
  }

  next (): number | undefined {
    const at = Math.max(0, this.waiting.findIndex(one => one.high))
    const [one] = this.waiting.splice(at, 1)
    if (one !== undefined) this.last.set(one.n, one.high)
    return one?.n
  }
}

const steps: fc.Arbitrary<Step[]> = fc.array(fc.oneof(
  fc.record({ ask: fc.tuple(fc.nat(6), fc.boolean()) }),
  fc.constant({})
), { maxLength: 60 })

for (const [name, make, repeat] of [['a pull', () => new PullAnswers(), true], ['a push', () => new PushAnswers(), false]] as const) {
  t.test(`requests of ${name} are answered in the order of a naive model`, async t => {
    fc.assert(fc.property(steps, steps => {
      const answers = make()
      const naive = new NaiveAnswers(repeat)
      for (const { ask } of steps) {
        if (ask !== undefined) {
          answers.request(id(ask[0]), ask[1])
          naive.request(...ask)
        } else {
          const n = naive.next()
          t.equal(answers.next(), n === undefined ? undefined : id(n))
        }
        t.equal(answers.size, naive.waiting.length)
      }
    }), { numRuns: 300 })
  })
}

t.test('answers are forgotten in the order they were given; then a chunk may be sent again', async t => {
  const answers = new PullAnswers({ maxRemembered: 2 })
  for (const n of [1, 2, 3]) {
    answers.request(id(n), false)
    t.equal(answers.next(), id(n))
  }
  for (const n of [1, 2, 3]) answers.request(id(n), true)
  t.equal(answers.next(), id(1))
  t.equal(answers.next(), undefined)
})

t.test('a queue of many is linear to go through', async t => {
  const answers = new PullAnswers()
  for (let n = 0; n < 50_000; n++) answers.request(id(n), false)
  for (let n = 0; n < 50_000; n++) answers.request(id(n), true)
  for (let n = 0; n < 50_000; n++) if (answers.next() !== id(n)) t.fail(`${n}`)
  t.equal(answers.next(), undefined)
})

const hello = (flags: bigint): Message => ({ type: 'HELLO', flags })

t.test('every pair of flags that the specification calls wrong is refused, with the code for why', async t => {
  for (const [local, remote, code] of [
    [0x5, 0n, 'ERR_FLAGS'],
    [0x5, 0xffff_ffff_ffff_ffffn, 'ERR_FLAGS'],
    [0x5, 0x2000n, 'ERR_FLAGS'],
    [0x5, 1n << 63n | 0x40n, 'ERR_FLAGS'],
    [0xa, 0x800n, 'ERR_FLAGS'],
    [0xa, 0xa00n, 'ERR_FLAGS'],
    [0x1, 0x80n, 'ERR_MISMATCH'],
    [0x1, 0x100n, 'ERR_MISMATCH'],
    [0x1, 0x200n, 'ERR_MISMATCH'],
    [0xc0, 0x1n, 'ERR_MISMATCH'],
    [0xc0, 0x5n, undefined],
    [0xc0, 0x3fn, undefined],
    [0x5, 0x40n, undefined],
    [0x5, 0x1n, 'ERR_MISMATCH'],
    [0xa, 0xe00n, undefined],
    [0x1000, 0x20n, undefined],
    [0x20, 0x1000n, undefined]
  ] as const) {
    const conversation = new Conversation(local)
    if (code === undefined) conversation.receive(hello(remote))
    else t.throws(() => { conversation.receive(hello(remote)) }, { code, remote: true, scope: 'channel' }, `0x${local.toString(16)} and 0x${remote.toString(16)}`)
    t.equal(conversation.greeted, code === undefined)
  }
  t.throws(() => new Conversation(0), RangeError)
  t.throws(() => new Conversation(0x2000), RangeError)
  t.throws(() => new Conversation(0xc), RangeError)
  t.same(helloFlags(0xc0n), ['PULL_CHUNKS', 'PULL_INDEX'])
})

const ANY: Record<Message['type'], Message> = {
  HELLO: hello(0x1n),
  INDEX: { type: 'INDEX', data: new Uint8Array(1) },
  INDEX_EOF: { type: 'INDEX_EOF' },
  ARCHIVE: { type: 'ARCHIVE', data: new Uint8Array(1) },
  ARCHIVE_EOF: { type: 'ARCHIVE_EOF' },
  REQUEST: { type: 'REQUEST', high: false, ids: new Uint8Array(32) },
  CHUNK: { type: 'CHUNK', compressed: false, id: id(1), data: new Uint8Array(1) },
  MISSING: { type: 'MISSING', id: id(1) },
  GOODBYE: { type: 'GOODBYE' },
  ABORT: { type: 'ABORT', errno: 5, reason: '' }
}

t.test('what may come is what was wished, and nothing comes before hello or after goodbye', async t => {
  for (const [local, remote, allowed] of [
    [HELLO_FLAGS.PULL_CHUNKS, 0x1n, ['CHUNK', 'MISSING']],
    [HELLO_FLAGS.PULL_INDEX, 0x4n, ['INDEX', 'INDEX_EOF']],
    [HELLO_FLAGS.PULL_ARCHIVE, 0x10n, ['ARCHIVE', 'ARCHIVE_EOF']],
    [HELLO_FLAGS.READABLE_STORE, 0x40n, ['REQUEST']],
    [HELLO_FLAGS.READABLE_STORE | HELLO_FLAGS.READABLE_INDEX, 0xc0n, ['REQUEST']],
    [0xa, 0xe00n, ['INDEX', 'INDEX_EOF', 'CHUNK', 'MISSING']],
    [0xe00, 0xan, ['REQUEST']],
    [0x1000, 0x20n, []],
    [0x20, 0x1000n, ['ARCHIVE', 'ARCHIVE_EOF']]
  ] as const) {
    for (const message of Object.values(ANY)) {
      const early = new Conversation(local)
      if (message.type === 'ABORT') t.throws(() => { early.receive(message) }, { code: 'ERR_ABORTED', errno: 5 })
      else if (message.type !== 'HELLO') t.throws(() => { early.receive(message) }, { code: 'ERR_UNEXPECTED_MESSAGE' }, `${message.type} before HELLO`)
      const conversation = new Conversation(local)
      conversation.receive(hello(remote))
      const wrong = (allowed as readonly string[]).includes(message.type) || message.type === 'GOODBYE' ? undefined : message.type === 'ABORT' ? 'ERR_ABORTED' : 'ERR_UNEXPECTED_MESSAGE'
      if (wrong === undefined) conversation.receive(message)
      else t.throws(() => { conversation.receive(message) }, { code: wrong }, `${message.type} with 0x${local.toString(16)}`)
      const late = new Conversation(local)
      late.receive(hello(remote))
      late.receive({ type: 'GOODBYE' })
      t.equal(late.over, true)
      t.throws(() => { late.receive(message) }, { code: message.type === 'ABORT' ? 'ERR_ABORTED' : 'ERR_UNEXPECTED_MESSAGE' })
    }
    const ended = new Conversation(local)
    ended.receive(hello(remote))
    if ((allowed as readonly string[]).includes('INDEX')) {
      ended.receive({ type: 'INDEX_EOF' })
      for (const type of ['INDEX', 'INDEX_EOF'] as const) t.throws(() => { ended.receive(ANY[type]) }, { code: 'ERR_UNEXPECTED_MESSAGE', message: `${type} after INDEX_EOF` })
    }
  }
})

t.test('a pull asks for each chunk once, for no more than its limit, and is not over while something is owed', async t => {
  const state = new PullClientState({ chunks: true, index: true }, 2)
  t.same(state.hello, hello(0xc0n))
  t.throws(() => { state.end() }, { code: 'ERR_INTERRUPTED', message: /owes its hello/ })
  const live = new PullClientState({ chunks: true, index: true }, 2)
  live.receive(hello(0x5n))
  t.same(live.request(id(1), true), { type: 'REQUEST', high: true, ids: Buffer.from(id(1), 'hex') })
  t.throws(() => live.request(id(1), true), { code: 'ERR_ASKED_BEFORE' })
  live.request(id(2), false)
  t.throws(() => live.request(id(3), false), { code: 'ERR_TOO_MANY_REQUESTS', message: '3 > 2 chunks in one session' })
  t.throws(() => live.receive(ANY.GOODBYE), { code: 'ERR_INTERRUPTED', message: 'the peer said goodbye; it owes the end of the index and 2 chunks' })
  t.same(new PullServerState({ chunks: true, index: true, archive: true }).hello, hello(0x15n))
})

t.test('a push is over when everything was sent that is asked for, and not before', async t => {
  const client = new PushClientState({ index: true, chunks: true })
  t.same(client.hello, hello(0xe00n))
  client.receive(hello(0xan))
  client.receive(ANY.REQUEST)
  client.sent('index')
  t.throws(() => client.receive(ANY.GOODBYE), { code: 'ERR_INTERRUPTED' })
  const server = new PushServerState({ index: true, chunks: true })
  t.same(server.hello, hello(0xan))
  t.equal(server.complete, false)
  server.receive(hello(0xe00n))
  t.equal(server.complete, false)
  t.throws(() => server.receive(ANY.CHUNK), { code: 'ERR_UNREQUESTED', id: id(1) })
  server.request([id(1)])
  t.throws(() => server.request([id(1)]), RangeError)
  t.throws(() => server.receive(ANY.MISSING), { code: 'ERR_CHUNK_MISSING', id: id(1) })
  t.throws(() => server.receive(ANY.GOODBYE), { code: 'ERR_INTERRUPTED', message: /index and 0 chunks/ })
  t.throws(() => new PushServerState({ index: true }).receive(ANY.REQUEST), { code: 'ERR_UNEXPECTED_MESSAGE' })
})
