import { stdio } from '../../src/index.ts'

// Breaks off in mid-transfer.
const connection = stdio()
connection.sink((function * () { for (;;) yield new Uint8Array(65536) })()).catch(() => {})
for await (const list of connection.source) {
  if (list.length === 0) continue
  connection.abort(new Error('enough'))
  process.exitCode = 9
  break
}
