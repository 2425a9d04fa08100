import { stdio } from '../../src/index.ts'

// Sends a little and goes, although the peer never ends and never reads.
{
  await using connection = stdio({ closeTimeoutMs: 50 })
  void connection.sink((function * () { for (;;) yield new Uint8Array(65536) })()).catch(() => {})
}
