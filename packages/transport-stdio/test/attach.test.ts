import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { ByteFlow } from '@ropewalk/interface'
import { pattern, patternAt, turn, verify } from '@ropewalk/testing'
import t from 'tap'
import { stdio } from '../src/index.ts'
import { child, node } from './processes.ts'

const MIB = 1024 * 1024

t.test('a receiver gets everything of a child, lent as it is read', async t => {
  const cat = await child(t, 'cat')
  let received = 0
  let wrong = 0
  let copies = 0
  const buffers = new Set<ArrayBufferLike>()
  const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>()
  cat.attach?.({
    bytes (bytes, lent = true) {
      if (Buffer.compare(bytes, patternAt(received, bytes.length)) !== 0) wrong++
      if (lent) buffers.add(bytes.buffer)
      else copies++
      received += bytes.length
    },
    end: resolve
  })
  await cat.sink(pattern(16 * MIB))
  t.equal(await ended, undefined)
  t.same({ received, wrong, buffers: buffers.size }, { received: 16 * MIB, wrong: 0, buffers: 1 })
  t.ok(copies <= 2, 'what came before, and what was being read')
  t.equal((await cat.exited).code, 0)
})

t.test('a receiver that keeps what it gets has it for good', async t => {
  const cat = await child(t, 'cat')
  const kept: Uint8Array[] = []
  const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>()
  cat.attach?.({ keeps: true, bytes: (bytes, lent = true) => { kept.push(lent ? bytes.slice() : bytes) }, end: resolve })
  await cat.sink(pattern(4 * MIB))
  t.equal(await ended, undefined)
  t.equal(Buffer.compare(Buffer.concat(kept), patternAt(0, 4 * MIB)), 0)
})

t.test('nothing comes while it is paused, and then all of it in order', async t => {
  const source = await node(t, 'process.stdout.write(Buffer.alloc(3_000_000, "abcdefg"))')
  let received = ''
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>()
  const flow: ByteFlow | undefined = source.attach?.({
    bytes (bytes) {
      received += new TextDecoder().decode(bytes)
      flow?.pause()
      begin()
    },
    end: resolve
  })
  await begun
  const { length } = received
  for (let turns = 0; turns < 50; turns++) await turn()
  t.equal(received.length, length)
  let over = false
  ended.then(() => { over = true })
  while (!over) {
    flow?.resume()
    await turn()
  }
  t.equal(await ended, undefined)
  t.equal(received, 'abcdefg'.repeat(428_572).slice(0, 3_000_000))
})

t.test('what came before somebody was attached comes first', async t => {
  const { promise: written, resolve: write } = Promise.withResolvers<void>()
  const source = await node(t, 'process.stdout.write("early ", () => process.stderr.write("x")); process.stdin.on("end", () => process.stdout.write("late")).resume()', { onStderr: () => { write() } })
  await written
  // The stream has read it by now, or is about to.
  await turn()
  let text = ''
  const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>()
  source.attach?.({ bytes: bytes => { text += new TextDecoder().decode(bytes) }, end: resolve })
  await source.sink([])
  t.equal(await ended, undefined)
  t.equal(text, 'early late')
})

t.test('a receiver is told of an exit with a code, and of an abort, once', async t => {
  const failing = await node(t, 'process.stdout.write("partial"); process.exitCode = 3')
  const ends: Array<Error | undefined> = []
  let text = ''
  await new Promise<void>(resolve => {
    failing.attach?.({
      bytes: bytes => { text += new TextDecoder().decode(bytes) },
      end (error) {
        ends.push(error)
        resolve()
      }
    })
  })
  failing.abort(new Error('late'))
  t.equal(text, 'partial')
  t.match(ends, [{ code: 'ERR_EXITED' }])

  const cat = await child(t, 'cat')
  const reason = new Error('enough')
  const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>()
  cat.attach?.({ bytes: () => t.fail('nothing was sent'), end: resolve })
  cat.abort(reason)
  t.equal(await ended, reason)
})

t.test('whoever takes the bytes is one', async t => {
  const cat = await child(t, 'cat')
  cat.attach?.({ bytes () {}, end () {} })
  t.throws(() => cat.attach?.({ bytes () {}, end () {} }), TypeError)
  await t.rejects(async () => { for await (const _ of cat.source) continue }, TypeError)
  const other = await child(t, 'cat')
  const asked = other.source[Symbol.asyncIterator]().next()
  t.throws(() => other.attach?.({ bytes () {}, end () {} }), TypeError)
  await other.sink([])
  t.same(await asked, { done: true, value: undefined })
})

t.test('any pair of streams can be attached to', async t => {
  const stdin = new PassThrough()
  const connection = stdio({ stdin, stdout: new PassThrough() })
  let text = ''
  const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>()
  connection.attach?.({ bytes: bytes => { text += new TextDecoder().decode(bytes) }, end: resolve })
  stdin.write('one ')
  stdin.end('two')
  t.equal(await ended, undefined)
  t.equal(text, 'one two')
})

t.test('whoever pauses and goes on before anything came misses nothing', async t => {
  const stdin = new PassThrough()
  stdin.end('all of it')
  const connection = stdio({ stdin, stdout: new PassThrough() })
  let text = ''
  const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>()
  const flow = connection.attach?.({ bytes: bytes => { text += new TextDecoder().decode(bytes) }, end: resolve })
  flow?.pause()
  flow?.resume()
  t.equal(await ended, undefined)
  t.equal(text, 'all of it')
})

for (const [size, bytes] of [[1000, 8 * MIB], [50_000, 32 * MIB], [300_000, 64 * MIB]] as const) {
  t.test(`an item of ${size} bytes may be overwritten once the next is asked for`, async t => {
    const cat = await child(t, 'cat')
    t.equal(cat.releases, true)
    const memory = new Uint8Array(size)
    async function * again (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes; at += size) {
        const length = Math.min(size, bytes - at)
        memory.set(patternAt(at, length))
        yield memory.subarray(0, length)
        memory.fill(0)
      }
    }
    await Promise.all([cat.sink(again()), verify(cat.source, bytes)])
  })
}

t.test('that holds for a stream that takes its time, too', async t => {
  const stdout = new PassThrough({ highWaterMark: 1 << 20 })
  const connection = stdio({ stdin: new PassThrough(), stdout })
  const seen: string[] = []
  const memory = new Uint8Array(4)
  async function * again (): AsyncGenerator<Uint8Array> {
    for (const word of ['one ', 'two ', 'last']) {
      memory.set(new TextEncoder().encode(word))
      yield memory
      seen.push(`${stdout.writableLength}`)
      memory.fill(0x78)
    }
  }
  const sinking = connection.sink(again())
  stdout.resume()
  await once(stdout, 'end')
  await sinking
  t.same(seen, ['0', '0', '0'])
})

t.test('of a stream that keeps what it is given, nobody says that its memory may be used again', async t => {
  const stdout = new PassThrough()
  const connection = stdio({ stdin: new PassThrough(), stdout })
  const memory = Buffer.from('word')
  async function * again (): AsyncGenerator<Uint8Array> {
    yield memory
    if (connection.releases === true) memory.fill(0x78)
  }
  await connection.sink(again())
  t.equal(String(stdout.read()), 'word')
})
