import t from 'tap'
import { bytesOf, child, endless, never, node, ours, text } from './processes.ts'

/** Runs until it is made to end; says when it is there. */
const STUBBORN = 'process.on("SIGTERM", () => {}); process.getBuiltinModule("node:net").createServer().listen(0, () => process.stdout.write("here"))'

t.test('abort rejects everything that waits with its reason, and the child is told to end', async t => {
  const cat = await child(t, 'cat')
  const reason = new Error('enough')
  const waiting = cat.source[Symbol.asyncIterator]().next()
  const sink = cat.sink(never())
  cat.abort(reason)
  cat.abort(new Error('again'))
  await Promise.all([t.rejects(waiting, reason), t.rejects(sink, reason)])
  await t.rejects(cat.source[Symbol.asyncIterator]().next(), reason)
  await t.rejects(cat.sink([]), TypeError)
  const { code, signal } = await cat.exited
  t.ok(signal === 'SIGTERM' || code === 0, 'by the signal, or because its stdin has ended')
})

t.test('a child that ignores that is made to', async t => {
  const stubborn = await node(t, STUBBORN, { killTimeoutMs: 20 })
  await stubborn.source[Symbol.asyncIterator]().next()
  stubborn.abort(new Error('enough'))
  t.match(await stubborn.exited, { code: null, signal: 'SIGKILL' })
})

t.test('disposing ends stdin, drops what comes, and waits for the exit', async t => {
  const cat = await child(t, 'cat')
  const waiting = cat.source[Symbol.asyncIterator]().next()
  let exited = false
  void cat.exited.then(() => { exited = true })
  const disposed = cat[Symbol.asyncDispose]()
  await t.rejects(waiting, { code: 'ERR_ABORTED' })
  await disposed
  t.ok(exited)
  await cat[Symbol.asyncDispose]()
})

t.test('disposing lets a running sink finish', async t => {
  const counter = await child(t, process.execPath, ['--eval', 'let n = 0; process.stdin.on("data", d => { n += d.length }).on("end", () => process.stderr.write(String(n)))'])
  const sent = counter.sink([new Uint8Array(4_000_000)])
  await Promise.all([sent, counter[Symbol.asyncDispose]()])
  t.match(await counter.exited, { code: 0, stderr: '4000000' })
})

t.test('a child that does not end when it should is killed', async t => {
  const stubborn = await node(t, STUBBORN, { closeTimeoutMs: 20, killTimeoutMs: 20 })
  await stubborn.source[Symbol.asyncIterator]().next()
  await stubborn[Symbol.asyncDispose]()
  t.match(await stubborn.exited, { signal: 'SIGKILL' })
})

t.test('a grandchild that holds the pipes does not hold us', async t => {
  const parent = await child(t, 'sh', ['-c', 'sleep 1000 & echo $!'], { closeTimeoutMs: 20 })
  const iterator = parent.source[Symbol.asyncIterator]()
  const pid = Number(Buffer.from((await iterator.next()).value?.subarray() ?? []))
  t.teardown(() => process.kill(pid))
  t.match(await parent.exited, { code: 0 })
  await parent[Symbol.asyncDispose]()
})

t.test('a consumer that leaves does not hold the child up', async t => {
  const writer = await ours(t, 'writes', [String(32 * 1024 * 1024)])
  await writer.sink([])
  for await (const list of writer.source) if (list.length > 0) break
  t.match(await writer.exited, { code: 0, stderr: 'done' })
  t.equal((await bytesOf(writer.source)).length, 0)
})

t.test('after a consumer has left and our end is sent, a child that never ends is bounded', async t => {
  const endlessChild = await child(t, 'yes', [], { closeTimeoutMs: 20 })
  for await (const list of endlessChild.source) if (list.length > 0) break
  await endlessChild.sink([])
  const { code, signal } = await endlessChild.exited
  t.ok(signal === 'SIGTERM' || code === 1, 'by the signal, or because nobody reads')
})

t.test('aborting the signal of a sink ends the connection with the signal\'s reason', async t => {
  const cat = await child(t, 'cat')
  const controller = new AbortController()
  const reason = new Error('stop')
  let told = false
  const sink = cat.sink((function * () {
    try {
      yield * endless()
    } finally {
      told = true
    }
  })(), { signal: controller.signal })
  await cat.source[Symbol.asyncIterator]().next()
  controller.abort(reason)
  await t.rejects(sink, reason)
  t.ok(told, 'the source was told')
  await t.rejects(cat.source[Symbol.asyncIterator]().next(), reason)
})

t.test('a source that fails is not taken for the end of the data', async t => {
  const cat = await child(t, 'cat')
  const reason = new Error('disk')
  await t.rejects(cat.sink((function * () {
    yield text('x')
    throw reason
  })()), reason)
  await t.rejects(bytesOf(cat.source), reason)
})

t.test('the caller is told of what it may not do', async t => {
  const cat = await child(t, 'cat')
  const iterator = cat.source[Symbol.asyncIterator]()
  const next = iterator.next()
  await t.rejects(iterator.next(), TypeError)
  await t.rejects(cat.sink(undefined as never), TypeError)
  await t.rejects(cat.sink([], { signal: AbortSignal.abort(new Error('before')) }), { message: 'before' })
  await t.rejects(cat.sink(['text'] as never), TypeError)
  await t.rejects(next, TypeError)
})

t.test('a connection of ours that breaks off is an error at whoever started it', async t => {
  const failing = await ours(t, 'fails')
  const sink = t.rejects(failing.sink(endless()), { code: 'ERR_EXITED' })
  await t.rejects(bytesOf(failing.source), { code: 'ERR_EXITED', message: 'node exited with code 9' })
  await sink
})
