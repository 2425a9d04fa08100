/** Receives more than the system lets it write, and says what came of it: a line for a single file, and one for a file of a transfer. */
import { openReceiver } from '../src/index.ts'

const [root = '', size = ''] = process.argv.slice(2)
// The system's way to say it, besides the error.
process.on('SIGXFSZ', () => {})
const piece = new Uint8Array(65_536).fill(7)
await using receiver = await openReceiver(root)

async function fill (writer: { write (bytes: Uint8Array): Promise<void> }): Promise<string> {
  try {
    for (let at = 0; at < Number(size); at += piece.length) await writer.write(piece)
  } catch (error) {
    return (error as { code: string }).code
  }
  return 'done'
}

console.log(await fill(await receiver.file('single')))
await using transfer = await receiver.transfer('t')
const writer = await transfer.file('part')
const code = await fill(writer)
console.log(code, await writer.keep())
