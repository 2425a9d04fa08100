import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { turn } from '@ropewalk/testing'
import t from 'tap'
import { Child } from '../src/child.ts'
import { PipeConnection } from '../src/connection.ts'

t.test('what a child said last may arrive behind its exit', async t => {
  const stderr = new PassThrough()
  const process = Object.assign(new EventEmitter(), { stderr, exitCode: null, signalCode: null })
  const child = new Child(process as unknown as ChildProcess, 'fake', {})
  process.emit('exit', 2, null)
  await turn()
  stderr.end('too late?')
  t.same(await child.exited, { code: 2, signal: null, stderr: 'too late?' })
  await t.rejects(child.judge(true), { message: 'fake exited with code 2: too late?' })
})

t.test('a pipe that is closed behind the last byte and the end has taken everything', async t => {
  const peer = { judge: async () => {}, explain: async (error: never) => error, abort () {}, gone: async () => {} }
  for (const writes of [true, false]) {
    // Never says that it has finished.
    const output = new Writable({ write: (_bytes, _encoding, done) => { if (writes) done() }, final: () => {} })
    const connection = new PipeConnection({ stream: new PassThrough() }, output, { address: 'fake' }, peer, {})
    const sink = connection.sink([Uint8Array.of(1)])
    await turn()
    output.destroy()
    if (writes) await t.resolves(sink)
    else await t.rejects(sink, { code: 'ERR_CONNECTION_LOST' })
  }
})
