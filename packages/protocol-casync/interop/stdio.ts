import type { Readable, Writable } from 'node:stream'
import type { Bytes, Channel, Source } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'

/** A channel over two streams of Node, as much as these tests need. */
export function stdioChannel (input: Readable, output: Writable): Channel {
  output.on('error', () => {})
  return {
    source: (async function * () {
      for await (const bytes of input) yield new Uint8ArrayList(bytes as Uint8Array)
    })(),
    async sink (source: Source<Bytes>): Promise<void> {
      for await (const bytes of source) {
        for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
          if (!output.write(piece)) await new Promise<void>(resolve => { output.once('drain', resolve).once('close', resolve) })
        }
      }
      await new Promise<void>(resolve => { output.end(resolve) })
    },
    abort () {
      input.destroy()
      output.destroy()
    },
    async [Symbol.asyncDispose] () {
      this.abort(new Error('disposed'))
    }
  }
}
