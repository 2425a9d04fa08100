import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import t from 'tap'
import { Uint8ArrayList } from 'uint8arraylist'
import { ByteReader, FrameCutter, JsonSplitter } from '../src/index.ts'
import { ScriptedSource } from './scripted-source.ts'

const bytesOf = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)

async function collect (source: AsyncIterable<Uint8ArrayList>): Promise<number[]> {
  const bytes: number[] = []
  for await (const list of source) bytes.push(...list.slice())
  return bytes
}

t.test('keeps the order however reads are mixed and the source is chunked', async t => {
  const read = fc.record({ kind: fc.constantFrom('read', 'readUpTo', 'readUntil', 'next', 'atEnd', 'aborted'), n: fc.integer({ min: 1, max: 12 }) })
  const chunk = fc.tuple(fc.nat(9), fc.boolean())

  await fc.assert(fc.asyncProperty(fc.array(chunk, { maxLength: 30 }), fc.array(read, { maxLength: 40 }), async (chunks, reads) => {
    let count = 0
    const source = (async function * () {
      for (const [size, list] of chunks) {
        const bytes = Uint8Array.from({ length: size }, () => count++ & 0xff)
        yield list ? new Uint8ArrayList(bytes.subarray(0, 3), bytes.subarray(3)) : bytes
      }
    })()
    const total = chunks.reduce((sum, [size]) => sum + size, 0)
    const expected = Array.from({ length: total }, (_, index) => index & 0xff)
    const reader = new ByteReader(source)
    let at = 0

    for (const { kind, n } of reads) {
      if (kind === 'read') {
        if (at + n > total) await assert.rejects(reader.read(n), { code: 'ERR_TRUNCATED', wanted: n, got: total - at })
        else {
          assert.deepEqual([...await reader.read(n)], expected.slice(at, at + n))
          at += n
        }
      } else if (kind === 'readUpTo') {
        const bytes = await reader.readUpTo(n)
        assert.equal(bytes === undefined, at === total)
        assert.ok(bytes === undefined || (bytes.length >= 1 && bytes.length <= n))
        assert.deepEqual([...bytes ?? []], expected.slice(at, at + (bytes?.length ?? 0)))
        at += bytes?.length ?? 0
      } else if (kind === 'readUntil') {
        const found = expected.indexOf((at + n) & 0xff, at)
        if (found === -1) await assert.rejects(reader.readUntil((at + n) & 0xff, 1000), { code: 'ERR_TRUNCATED', got: total - at })
        else {
          assert.deepEqual([...await reader.readUntil((at + n) & 0xff, 1000)], expected.slice(at, found + 1))
          at = found + 1
        }
      } else if (kind === 'next') {
        // A cutter of its own for each value: it takes `n` bytes, or what there is.
        const cutter = counting(n)
        const bytes = await reader.next(cutter)
        const length = Math.min(n, total - at)
        assert.deepEqual([...bytes ?? []], expected.slice(at, at + length))
        at += length
      } else if (kind === 'atEnd') assert.equal(await reader.atEnd(), at === total)
      else await assert.rejects(reader.read(n, { signal: AbortSignal.abort(new Error('no')) }), { message: 'no' })
    }
    assert.deepEqual(await collect(reader.rest()), expected.slice(at))
    assert.equal(reader.ended, true)
    assert.equal(await reader.readUpTo(1), undefined)
  }), { numRuns: 200 })
  t.pass('the property holds')
})

t.test('asks the source for no more than a read needs', async t => {
  const source = new ScriptedSource()
  for (let n = 0; n < 4; n++) source.send(bytesOf(n * 2, n * 2 + 1))
  const reader = new ByteReader(source)
  t.equal(source.pulls, 0)
  await reader.read(0)
  t.equal(source.pulls, 0)
  await reader.read(1)
  t.equal(source.pulls, 1)
  await reader.read(1)
  t.equal(source.pulls, 1)
  await reader.readUpTo(100)
  t.equal(source.pulls, 2)
  await reader.readUntil(4, 10)
  t.equal(source.pulls, 3)
  t.notOk(await reader.atEnd())
  t.equal(source.pulls, 3)
  await reader.next(counting(2))
  t.equal(source.pulls, 4)
})

t.test('a read that is aborted loses no bytes', async t => {
  const source = new ScriptedSource()
  const reader = new ByteReader(source)
  const reads: Array<(signal: AbortSignal) => Promise<unknown>> = [
    (signal: AbortSignal) => reader.read(4, { signal }),
    (signal: AbortSignal) => reader.readUpTo(4, { signal }),
    (signal: AbortSignal) => reader.readUntil(9, 100, { signal }),
    (signal: AbortSignal) => reader.atEnd({ signal }),
    (signal: AbortSignal) => reader.rest({ signal }).next()
  ]
  for (const read of reads) {
    const abort = new AbortController()
    const reading = read(abort.signal)
    abort.abort(new Error('changed my mind'))
    await t.rejects(reading, { message: 'changed my mind' })
    t.equal(getEventListeners(abort.signal, 'abort').length, 0)
  }
  t.equal(source.pulls, 1, 'the one request is still under way')

  source.send(bytesOf(1, 2))
  source.send(bytesOf(3, 4))
  t.same([...await reader.read(3)], [1, 2, 3])
  source.end()
  t.same(await collect(reader.rest()), [4])
})

t.test('leaves no listener behind when a read succeeds', async t => {
  const source = new ScriptedSource()
  const reader = new ByteReader(source)
  const { signal } = new AbortController()
  for (let n = 0; n < 20; n++) {
    const reading = reader.read(2, { signal })
    source.send(bytesOf(n))
    source.send(bytesOf(n))
    await reading
  }
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('refuses a read over the limit before it waits', async t => {
  const source = new ScriptedSource()
  const reader = new ByteReader(source, { maxBytes: 10, scope: 'connection' })
  await t.rejects(reader.read(11), { code: 'ERR_TOO_LARGE', scope: 'connection', message: 'read too large: 11 > 10 bytes' })
  t.equal(source.pulls, 0)
  source.send(new Uint8Array(10))
  t.equal((await reader.read(10)).length, 10)
})

t.test('an end inside an exact read says what was wanted and what there was, and leaves it', async t => {
  const source = new ScriptedSource()
  source.send(bytesOf(1, 2, 3))
  source.end()
  const reader = new ByteReader(source)
  await t.rejects(reader.read(10), { code: 'ERR_TRUNCATED', wanted: 10, got: 3, remote: true, message: 'stream ended early: 3 < 10 bytes' })
  t.equal(reader.ended, false)
  t.same([...await reader.read(3)], [1, 2, 3])
  t.equal(reader.ended, true)
  await t.rejects(reader.read(1), { code: 'ERR_TRUNCATED', got: 0 })
  t.same(await reader.read(0), new Uint8Array(0))
})

t.test('a line has a limit, its end included', async t => {
  const source = new ScriptedSource()
  source.send(bytesOf(1, 1, 1, 10, 2, 2, 2, 2, 10))
  const reader = new ByteReader(source)
  t.same([...await reader.readUntil(10, 4)], [1, 1, 1, 10])
  await t.rejects(reader.readUntil(10, 4), { code: 'ERR_TOO_LARGE', message: 'read too large: 5 > 4 bytes' })
  t.equal(reader.buffered, 5)
  t.equal(source.pulls, 1, 'and a line that cannot fit any more is not waited for')
})

t.test('one read at a time', async t => {
  const source = new ScriptedSource()
  const reader = new ByteReader(source)
  const first = reader.read(1)
  const others: Array<() => Promise<unknown>> = [
    () => reader.read(1), () => reader.readUpTo(1), () => reader.readUntil(1, 1), () => reader.atEnd(), () => reader.next(new JsonSplitter()), () => reader.rest().next()
  ]
  for (const second of others) {
    await t.rejects(second(), TypeError)
  }
  source.send(bytesOf(7, 8))
  t.same([...await first], [7])
  t.same([...await reader.read(1)], [8])
})

t.test('bytes that arrived before the source failed are read before it rejects', async t => {
  const source = new ScriptedSource()
  const reason = new Error('reset')
  source.send(bytesOf(1, 2, 3))
  source.fail(reason)
  const reader = new ByteReader(source)
  t.same([...await reader.read(2)], [1, 2])
  await t.rejects(reader.read(2), reason)
  t.same([...await reader.read(1)], [3])
  await t.rejects(reader.readUpTo(1), reason)
  await t.rejects(reader.atEnd(), reason)
  await t.rejects(reader.rest().next(), reason)
})

t.test('a source that fails while nobody reads surprises nobody', async t => {
  const source = new ScriptedSource()
  const reader = new ByteReader(source)
  const abort = new AbortController()
  const reading = reader.read(1, { signal: abort.signal })
  abort.abort()
  await t.rejects(reading, { name: 'AbortError' })
  const reason = new Error('reset')
  source.fail(reason)
  await t.rejects(reader.read(1), reason)

  await t.rejects(new ByteReader({ [Symbol.asyncIterator]: () => { throw reason } }).read(1), reason)
})

t.test('it is idle when nothing was read ahead and nothing was asked for: then the source may be read past it', async t => {
  const source = new ScriptedSource()
  const reader = new ByteReader(source)
  t.equal(reader.idle, true)
  source.send(bytesOf(1, 2))
  await reader.read(1)
  t.equal(reader.idle, false, 'a byte is buffered')
  await reader.read(1)
  t.equal(reader.idle, true)
  const controller = new AbortController()
  const aborted = reader.read(1, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await t.rejects(aborted, { message: 'enough' })
  t.equal(reader.idle, false, 'a chunk was asked for')
  source.send(bytesOf(3))
  await reader.read(1)
  source.end()
  await reader.atEnd()
  t.equal(reader.idle, false, 'there is no more')
})

t.test('rest begins with what is buffered, and leaving it closes the source', async t => {
  const source = new ScriptedSource()
  source.send(bytesOf(1, 2, 3))
  source.send(bytesOf(4))
  const reader = new ByteReader(source)
  await reader.read(1)
  for await (const list of reader.rest()) {
    t.same([...list.slice()], [2, 3])
    break
  }
  t.ok(source.returned)
  await t.rejects(reader.read(1), TypeError)
})

t.test('rest passes large chunks on uncopied, and exact reads may come in between', async t => {
  const source = new ScriptedSource()
  const large = new Uint8Array(1000)
  source.send(large)
  source.send(bytesOf(1, 2, 3))
  source.end()
  const reader = new ByteReader(source)
  const rest = reader.rest()
  t.equal([...(await rest.next()).value as Uint8ArrayList][0], large)
  t.same([...await reader.read(2)], [1, 2])
  t.same([...(await rest.next()).value?.slice() ?? []], [3])
  t.ok((await rest.next()).done)
  t.notOk(source.returned, 'a source that ended by itself is not closed')
})

t.test('close ends an outstanding read and does not wait for a silent source', async t => {
  const silent = (async function * (): AsyncGenerator<Uint8Array> { await new Promise(() => {}) })()
  await using reader = new ByteReader(silent)
  const reading = reader.read(1)
  await reader.close()
  await reader.close()
  await t.rejects(reading, TypeError)
  await t.rejects(reader.readUpTo(1), TypeError)

  const arrival = Promise.withResolvers<IteratorResult<Uint8Array>>()
  const late = new ByteReader({ [Symbol.asyncIterator]: () => ({ next: () => arrival.promise }) })
  const pending = late.read(1)
  await late.close()
  await t.rejects(pending, TypeError)
  arrival.resolve({ done: false, value: bytesOf(1) })
  await arrival.promise
  t.equal(late.buffered, 0, 'what arrives afterwards is dropped')
})

t.test('next leaves what follows the value to other reads', async t => {
  const source = new ScriptedSource()
  const encoder = new TextEncoder()
  source.send(encoder.encode('{"a":'))
  source.send(encoder.encode('1}\n'))
  source.send(bytesOf(2, 77, 78, 1))
  source.send(bytesOf(79))
  source.end()
  const reader = new ByteReader(source)
  t.equal(new TextDecoder().decode(await reader.next(new JsonSplitter())), '{"a":1}')
  t.same([...await reader.read(1)], [10])
  const frames = new FrameCutter({ lengthBytes: 1 })
  t.same([...await reader.next(frames) ?? []], [2, 77, 78])
  t.same([...await reader.next(frames) ?? []], [1, 79])
  t.equal(await reader.next(frames), undefined)
  t.equal(await reader.next(frames), undefined)
})

t.test('next tells a truncated value, and a number that only the end completes', async t => {
  const read = async (text: string, cutter: FrameCutter | JsonSplitter): Promise<Uint8Array | undefined> => {
    const source = new ScriptedSource()
    source.send(new TextEncoder().encode(text))
    source.end()
    return await new ByteReader(source).next(cutter)
  }
  t.equal(new TextDecoder().decode(await read(' 42', new JsonSplitter())), '42')
  await t.rejects(read('{', new JsonSplitter()), { code: 'ERR_TRUNCATED' })
  await t.rejects(read('\u0003ab', new FrameCutter({ lengthBytes: 1 })), { code: 'ERR_TRUNCATED', wanted: 4, got: 3 })
  await t.rejects(read('}', new JsonSplitter()), { code: 'ERR_BAD_JSON' })
})

t.test('refuses nonsense from the caller', async t => {
  const reader = new ByteReader(new ScriptedSource())
  for (const value of [-1, 1.5, NaN, Infinity]) {
    t.throws(() => new ByteReader(new ScriptedSource(), { maxBytes: value }), RangeError)
    await t.rejects(reader.read(value), RangeError)
    await t.rejects(reader.readUpTo(value), RangeError)
    await t.rejects(reader.readUntil(1, value), RangeError)
    await t.rejects(reader.readUntil(value, 1), RangeError)
  }
  await t.rejects(reader.readUpTo(0), RangeError)
})

/** Takes `wanted` bytes in, or what there is. */
function counting (wanted: number): { cut: (chunk: Uint8Array, start: number) => { value: Uint8Array, end: number } | undefined, end: () => Uint8Array | undefined } {
  const kept: number[] = []
  return {
    cut (chunk, start) {
      const end = Math.min(chunk.length, start + wanted - kept.length)
      kept.push(...chunk.subarray(start, end))
      return kept.length === wanted ? { value: Uint8Array.from(kept), end } : undefined
    },
    end: () => kept.length === 0 ? undefined : Uint8Array.from(kept)
  }
}
