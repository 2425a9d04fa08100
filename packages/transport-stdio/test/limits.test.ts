import { PassThrough, Writable } from 'node:stream'
import t from 'tap'
import { BYTES_PER_TURN, MESSAGE_CHARACTERS, stdio } from '../src/index.ts'
import { bytesOf, node } from './processes.ts'

t.test('a source that never waits lets others run, however fast its bytes are taken', async t => {
  const stdout = new Writable({ write: (_bytes, _encoding, done) => done() })
  let turns = 0
  let running = true
  const count = (): void => {
    turns++
    if (running) setImmediate(count)
  }
  setImmediate(count)
  const rounds = 8
  await stdio({ stdin: new PassThrough(), stdout }).sink((function * () {
    for (let sent = 0; sent <= rounds * BYTES_PER_TURN; sent += 65536) yield new Uint8Array(65536)
  })())
  running = false
  t.ok(turns >= rounds - 1, `${turns} turns of the event loop`)
})

t.test('of the last line of stderr an error repeats so many characters', async t => {
  const failing = await node(t, 'process.stderr.write("x".repeat(5000)); process.exitCode = 3')
  const error = await bytesOf(failing.source).then(() => t.fail(), (error: Error) => error)
  t.equal(/x+$/.exec((error as Error).message)?.[0].length, MESSAGE_CHARACTERS)
})
