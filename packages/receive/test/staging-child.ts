/** Begins a file, says so, and waits to be killed. */
import { writeSync } from 'node:fs'
import { openReceiver } from '../src/index.ts'

const [root = ''] = process.argv.slice(2)
const receiver = await openReceiver(root)
const writer = await receiver.file('never')
await writer.write(new Uint8Array(1000))
writeSync(1, 'begun\n')
process.stdin.resume()
