import { spawn as spawnProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { stdio } from '../src/index.ts'
import { bytesOf, child, ours, program, text, textOf } from './processes.ts'

const env = { PATH: process.env['PATH'] }

t.test('streams that are given are used, and can be had more than once', async t => {
  for (let n = 0; n < 2; n++) {
    const [stdin, stdout] = [new PassThrough(), new PassThrough()]
    const connection = stdio({ stdin, stdout })
    stdin.end('question')
    t.equal(String(Buffer.from(await bytesOf(connection.source))), 'question')
    await connection.sink([text('answer')])
    t.equal(String(await stdout.toArray()), 'answer')
    await connection[Symbol.asyncDispose]()
  }
})

t.test('streams that are over already are an end and an error', async t => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()]
  stdin.destroy()
  stdout.destroy()
  const connection = stdio({ stdin, stdout })
  await t.rejects(bytesOf(connection.source), { code: 'ERR_CONNECTION_LOST' })
  await t.rejects(connection.sink([]), { code: 'ERR_CONNECTION_LOST' })
  await connection[Symbol.asyncDispose]()
})

t.test('through files', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'rw-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const bytes = Buffer.alloc(1_000_000, 'ropewalk')
  writeFileSync(join(directory, 'in'), bytes)
  const echo = spawnProcess(process.execPath, [program('echo')], { env, stdio: [openSync(join(directory, 'in'), 'r'), openSync(join(directory, 'out'), 'w'), 'inherit'] })
  const [code] = await once(echo, 'exit')
  t.equal(code, 0)
  t.ok(bytes.equals(readFileSync(join(directory, 'out'))))
})

t.test('through pipes of a shell, which see the end of one direction before the exit', async t => {
  // The reader sees the end of the program's stdout, and ends its stdin only then.
  const directory = mkdtempSync(join(tmpdir(), 'rw-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const script = 'mkfifo "$0/in"; "$1" "$2" < "$0/in" | (exec 3> "$0/in"; cat; echo done >&2)'
  const shell = await child(t, 'sh', ['-c', script, directory, process.execPath, program('ends-first')])
  await shell.sink([])
  t.equal(await textOf(shell), 'first')
  const { code, stderr } = await shell.exited
  t.equal(code, 0)
  t.match(stderr, /done\s+read 0/)
})

t.test('a reader that goes away is ERR_CONNECTION_RESET', async t => {
  const piped = await child(t, 'sh', ['-c', '"$0" "$1" 1000000000 | head -c 1', process.execPath, program('writes')])
  await piped.sink([])
  t.equal((await bytesOf(piped.source)).length, 1)
  t.match(await piped.exited, { code: 0, stderr: 'ERR_CONNECTION_RESET' })
})

t.test('a full disk is ERR_IO', async t => {
  const shell = await child(t, 'sh', ['-c', '"$0" "$1" 1000000 > /dev/full', process.execPath, program('writes')])
  await shell.sink([])
  t.equal((await bytesOf(shell.source)).length, 0)
  t.match(await shell.exited, { stderr: 'ERR_IO' })
})

t.test('a peer that neither reads nor ends does not keep us alive', async t => {
  const disposing = await ours(t, 'disposes')
  t.match(await disposing.exited, { code: 0 })
})

t.test('our own stdin and stdout can be had once', async t => {
  const script = `import { stdio } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
    const connection = stdio()
    try { stdio() } catch (error) { process.stderr.write(error.constructor.name) }
    await connection.sink(connection.source)`
  const twice = await child(t, process.execPath, ['--input-type=module', '--eval', script])
  await twice.sink([text('x')])
  t.equal(await textOf(twice), 'x')
  t.match(await twice.exited, { code: 0, stderr: 'TypeError' })
})
