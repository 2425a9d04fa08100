import type { Channel } from '@ropewalk/interface'
import { duplexPair, turn } from '@ropewalk/testing'
import t from 'tap'
import { Uint8ArrayList } from 'uint8arraylist'
import { FINISHED_AHEAD, STROKE_BYTES } from '../src/constants.ts'
import type { WarpdriveNode } from '../src/index.ts'
import { Strokes } from '../src/strokes.ts'
import { BOB, MemoryInbox, pair } from './nodes.ts'

t.test('strokes: while one write is under way the next is gathered, and never more than two are held', async t => {
  const writes: Array<{ readonly bytes: Uint8Array, readonly done: PromiseWithResolvers<void> }> = []
  const strokes = new Strokes(3 * STROKE_BYTES + 5, async bytes => {
    const done = Promise.withResolvers<void>()
    writes.push({ bytes, done })
    await done.promise
  })
  const fill = async (byte: number): Promise<void> => {
    while (strokes.room > 0) strokes.put(new Uint8Array(Math.min(strokes.room, 100_000)).fill(byte))
    await strokes.flush()
  }
  await fill(1)
  const second = fill(2)
  t.equal(writes.length, 1, 'the second waits for the first')
  writes[0]?.done.resolve()
  await second
  t.same(writes.map(({ bytes }) => [bytes.length, bytes[0]]), [[STROKE_BYTES, 1], [STROKE_BYTES, 2]])
  const third = fill(3)
  writes[1]?.done.resolve()
  await third
  t.equal(writes[2]?.bytes.buffer, writes[0]?.bytes.buffer, 'memory is used again')
  strokes.put(Uint8Array.of(4, 4, 4, 4, 4))
  const ended = strokes.end()
  writes[2]?.done.reject(new Error('disk full'))
  await t.rejects(ended, { message: 'disk full' })
  t.same(writes.length, 3)
})

t.test('whoever writes is asked for memory that he likes, and gets such that anybody takes where he says nothing', async t => {
  const given: Uint8Array[] = []
  const written: ArrayBufferLike[] = []
  const strokes = new Strokes(2 * STROKE_BYTES, async bytes => { written.push(bytes.buffer) }, bytes => {
    const array = new Uint8Array(bytes)
    given.push(array)
    return array
  })
  for (let stroke = 0; stroke < 2; stroke++) {
    strokes.put(new Uint8Array(STROKE_BYTES))
    await strokes.flush()
  }
  await strokes.end()
  t.same(written, given.map(({ buffer }) => buffer))

  // As the API of a browser does it.
  const inbox = new MemoryInbox()
  const file = inbox.file.bind(inbox)
  inbox.file = async (...asked) => {
    const writer = await file(...asked)
    return { ...writer, write: async bytes => { if ((bytes.buffer as ArrayBuffer).resizable) throw new TypeError('must not be resizable'); await writer.write(bytes) } }
  }
  const { alice, bob } = await pair({ a: new Uint8Array(STROKE_BYTES + 5) }, { inbox })
  const { id } = await alice.createOffer(BOB, '')
  await (await bob.accept(id, undefined))?.finished
  t.equal(inbox.files.get('a')?.bytes.length, STROKE_BYTES + 5)
})

t.test('files that end in the middle of a stroke take nothing of those behind them', async t => {
  const content = Object.fromEntries(['a', 'b', 'c', 'd'].map((name, at) => [name, Uint8Array.from({ length: STROKE_BYTES + 300_000 + at }, (_, i) => i * (at + 3))]))
  const nodes: { alice?: WarpdriveNode } = {}
  const query = async (_peer: string, port: string): Promise<Channel> => {
    const [left, right] = duplexPair()
    void nodes.alice?.serve(right, BOB, port)
    return joined(left)
  }
  const scene = await pair(content, { bob: { parallel: 1, query } })
  const { alice, bob, inbox } = scene
  nodes.alice = alice
  const { id } = await alice.createOffer(BOB, '')
  await (await bob.accept(id, undefined))?.finished
  for (const [name, bytes] of Object.entries(content)) t.strictSame(inbox.files.get(name)?.bytes, bytes)
  t.match(alice.offers(2), [{ status: 'completed', done: [0, 1, 2, 3] }])
})

/** The channel, whose reader gets what is there by then at once, as from a network. */
function joined (channel: Channel): Channel {
  let [there, wake, ended] = [new Uint8ArrayList(), (): void => {}, false]
  void (async () => {
    for await (const bytes of channel.source) {
      there.append(bytes)
      wake()
    }
  })().catch(() => {}).finally(() => { ended = true; wake() })
  const source = (async function * (): AsyncGenerator<Uint8ArrayList, void, undefined> {
    for (;;) {
      if (there.byteLength === 0 && ended) return
      if (there.byteLength === 0) await new Promise<void>(resolve => { wake = resolve })
      await turn()
      const all = there
      there = new Uint8ArrayList()
      if (all.byteLength > 0) yield all
    }
  })()
  return { source, sink: (source, options) => channel.sink(source, options), abort: reason => { channel.abort(reason) }, [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose]() }
}

/** Files are finished when somebody says so, in any order; `bad` never. */
class SlowInbox extends MemoryInbox {
  readonly finishing = new Map<string, () => void>()
  most = 0

  override async file (name: string, options: Parameters<MemoryInbox['file']>[1]): ReturnType<MemoryInbox['file']> {
    const writer = await super.file(name, options)
    return {
      ...writer,
      finish: async () => {
        const { promise, resolve } = Promise.withResolvers<void>()
        this.finishing.set(name, resolve)
        this.most = Math.max(this.most, this.finishing.size)
        this.came(name)
        await promise
        this.finishing.delete(name)
        if (name === 'bad') throw new Error('taken')
        await writer.finish()
      }
    }
  }

  came: (name: string) => void = () => {}
}

t.test('what has come is made to last while the rest comes, so many at a time, and confirmed in its order', async t => {
  const inbox = new SlowInbox()
  const names = Array.from({ length: FINISHED_AHEAD + 30 }, (_, at) => `f${at}`)
  const { alice, bob } = await pair(Object.fromEntries(names.map(name => [name, name])), { bob: { parallel: 1 }, inbox })
  const { id } = await alice.createOffer(BOB, '')
  const full = Promise.withResolvers<void>()
  inbox.came = name => { if (name === names[FINISHED_AHEAD - 1]) full.resolve() }
  const transfer = await bob.accept(id, undefined)
  await full.promise
  t.equal(inbox.finishing.size, FINISHED_AHEAD, 'and then it waits')
  // From the last to the first: nothing can be confirmed before the first is whole.
  inbox.came = name => { inbox.finishing.get(name)?.() }
  for (const finish of [...inbox.finishing.values()].reverse()) finish()
  await transfer?.finished
  t.equal(inbox.most, FINISHED_AHEAD)
  t.equal(inbox.files.size, names.length)
  t.match(alice.offers(2), [{ status: 'completed', done: names.map((_, at) => at) }])
})

t.test('one that cannot be finished fails alone: those before it and behind it arrive', async t => {
  const inbox = new SlowInbox()
  inbox.came = name => { inbox.finishing.get(name)?.() }
  const { alice, bob } = await pair({ a: 'a', b: 'b', bad: 'x', c: 'c', d: 'd', e: 'e' }, { bob: { parallel: 1 }, inbox })
  const { id } = await alice.createOffer(BOB, '')
  await t.rejects((async () => { await (await bob.accept(id, undefined))?.finished })(), { code: 'ERR_FILES' })
  t.same([...inbox.files.keys()].sort(), ['a', 'b', 'c', 'd', 'e'])
  t.match(bob.offers(1), [{ status: 'failed', failures: [[2, /./, 'taken']] }])
  t.match(alice.offers(2), [{ status: 'failed' }])
  t.notOk(alice.offers(2)[0]?.done.includes(2), 'and is not confirmed, nor what comes behind it in its place')
})
