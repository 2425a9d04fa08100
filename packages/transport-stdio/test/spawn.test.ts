import { pattern, settle, verify } from '@ropewalk/testing'
import t from 'tap'
import { spawn, type TransportError } from '../src/index.ts'
import { bytesOf, child, endless, never, node, ours, text, textOf } from './processes.ts'

const MIB = 1024 * 1024

t.test('cat gives back what it gets, and exits', async t => {
  const cat = await child(t, 'cat')
  t.match(cat.remote.address, /^cat \(process \d+\)$/)
  await cat.sink([text('hello, '), text('world')])
  t.equal(await textOf(cat), 'hello, world')
  t.same(await cat.exited, { code: 0, signal: null, stderr: '' })
  await cat[Symbol.asyncDispose]()
})

t.test('64 MiB both ways at once through cat, and through a connection of ours', async t => {
  for (const connection of [await child(t, 'cat'), await ours(t, 'echo')]) {
    await Promise.all([connection.sink(pattern(64 * MIB, 7)), verify(connection.source, 64 * MIB, 7)])
    t.equal((await connection.exited).code, 0)
  }
})

t.test('each direction ends on its own, whichever is first', async t => {
  const connection = await ours(t, 'ends-first')
  t.equal(await textOf(connection), 'first')
  await connection.sink(pattern(100_000))
  t.match(await connection.exited, { code: 0, stderr: 'read 100000' })
})

t.test('arguments, environment and directory reach the child as they are, and no shell sees them', async t => {
  const script = 'process.stdout.write(JSON.stringify([process.argv.slice(1), process.env.A, process.cwd()]))'
  const args = ['$(exit 3)', '; rm', '`x`', 'a b', '"', "'", '*', '\\', '']
  const echo = await child(t, process.execPath, ['--eval', script, '--', ...args], { env: { A: '$B' }, cwd: '/' })
  await echo.sink([])
  t.same(JSON.parse(await textOf(echo)), [args, '$B', '/'])
})

t.test('a child that cannot be started is ERR_SPAWN', async t => {
  await t.rejects(spawn('/nowhere/at all'), { name: 'TransportError', code: 'ERR_SPAWN', message: /ENOENT/, scope: 'connection', remote: false, cause: Error })
  await t.rejects(spawn('/'), { code: 'ERR_SPAWN', message: /EACCES/ })
  await t.rejects(spawn('cat', [], { cwd: '/nowhere' }), { code: 'ERR_SPAWN' })
  await t.rejects(spawn(''), TypeError)
  await t.rejects(spawn('cat', ['a\0b']), TypeError)
  const reason = new Error('stop')
  await t.rejects(spawn('cat', [], { signal: AbortSignal.abort(reason) }), reason)
  const controller = new AbortController()
  const starting = spawn('cat', [], { signal: controller.signal })
  controller.abort(reason)
  await t.rejects(starting, reason)
})

t.test('an exit with a code is an error behind what came before, with what the child said last', async t => {
  const failing = await node(t, 'process.stdout.write("partial"); process.stderr.write("reading\\ndisk \\u001b[31mfull\\n"); process.exitCode = 3')
  const iterator = failing.source[Symbol.asyncIterator]()
  t.equal(String(Buffer.from((await iterator.next()).value?.subarray() ?? [])), 'partial')
  const error: TransportError = await iterator.next().then(() => t.fail(), error => error)
  t.match(error, { code: 'ERR_EXITED', remote: true, scope: 'connection', message: 'node exited with code 3: disk �[31mfull' })
  t.same(error.exit, { code: 3, signal: null, stderr: 'reading\ndisk \u001b[31mfull\n' })
  await t.rejects(failing.sink([text('x')]), { code: 'ERR_EXITED' })
})

t.test('a signal is an error too', async t => {
  const victim = await child(t, 'cat')
  const waiting = bytesOf(victim.source)
  const sink = victim.sink(never())
  process.kill(victim.pid, 'SIGKILL')
  await Promise.all([t.rejects(waiting, { code: 'ERR_EXITED', message: 'cat was ended by SIGKILL' }), t.rejects(sink, { code: 'ERR_EXITED' })])
  t.match(await victim.exited, { code: null, signal: 'SIGKILL' })
})

t.test('a child that has read enough does not fail the source', async t => {
  const head = await child(t, 'head', ['-c', '10'])
  const sink = t.rejects(head.sink(endless()), { code: 'ERR_CONNECTION_RESET', remote: true })
  t.equal((await bytesOf(head.source)).length, 10)
  await sink
})

t.test('a sink that waits learns of the exit, and so does one that comes late', async t => {
  const quick = await child(t, 'true')
  await t.rejects(quick.sink(never()), { code: 'ERR_CONNECTION_RESET', message: 'true exited with code 0' })
  t.equal((await bytesOf(quick.source)).length, 0)

  const late = await child(t, 'false')
  await late.exited
  await t.rejects(late.sink([]), { code: 'ERR_EXITED', message: 'false exited with code 1' })
  await t.rejects(bytesOf(late.source), { code: 'ERR_EXITED' })
})

t.test('a child that lives on without its stdin fails the sink alone', async t => {
  const closing = await node(t, `
    process.stdin.destroy()
    require('node:fs').closeSync(0)
    process.stdout.write('closed')
    require('node:net').createServer().listen(0)
  `.replaceAll('require(', 'process.getBuiltinModule('))
  const iterator = closing.source[Symbol.asyncIterator]()
  await iterator.next()
  await t.rejects(closing.sink(endless()), { code: 'ERR_CONNECTION_RESET', message: /^node closed its stdin/ })
  closing.abort(new Error('enough'))
  await t.rejects(iterator.next(), { message: 'enough' })
})

t.test('what a child wrote before it exited is not lost, however late it is read', async t => {
  const quick = await node(t, 'process.stdout.write(Buffer.alloc(100_000))')
  t.equal((await quick.exited).code, 0)
  t.equal((await bytesOf(quick.source)).length, 100_000)
})

t.test('of stderr the last 64 KiB are kept, and all of it is told', async t => {
  let told = 0
  const loud = await node(t, 'process.stderr.write("x".repeat(32 * 1024 * 1024) + "the end"); process.exitCode = 1', { onStderr: bytes => { told += bytes.length } })
  await t.rejects(bytesOf(loud.source), { code: 'ERR_EXITED' })
  const { stderr } = await loud.exited
  t.equal(stderr.length, 65536)
  t.ok(stderr.endsWith('xthe end'))
  t.equal(told, 32 * MIB + 7)
})

t.test('a child that does not read stops the sender', async t => {
  const deaf = await node(t, 'process.getBuiltinModule("node:net").createServer().listen(0)')
  let sent = 0
  const sink = deaf.sink((function * () { for (;; sent += 65536) yield new Uint8Array(65536) })())
  const stopped = await settle(() => sent)
  t.ok(stopped <= 2 * MIB, `${stopped} bytes were taken from the source`)
  deaf.abort(new Error('enough'))
  await t.rejects(sink, { message: 'enough' })
})

t.test('a consumer that sleeps stops the child, and gets everything when it wakes', async t => {
  const writer = await ours(t, 'writes', [String(64 * MIB)])
  await writer.sink([])
  const iterator = writer.source[Symbol.asyncIterator]()
  let received = (await iterator.next()).value?.length ?? 0
  // The child says that it is done only when it has written everything.
  let done = false
  void writer.exited.then(() => { done = true })
  await settle(() => done)
  t.notOk(done)
  const waiting = (await iterator.next()).value?.length ?? 0
  t.ok(waiting <= 128 * 1024, `${waiting} bytes waited here`)
  received += waiting
  for (let result = await iterator.next(); result.done !== true; result = await iterator.next()) received += result.value.length
  t.equal(received, 64 * MIB)
  t.match(await writer.exited, { code: 0, stderr: 'done' })
})
