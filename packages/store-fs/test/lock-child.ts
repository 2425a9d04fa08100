/** Opens the store and says so, then waits to be killed. */
import { writeSync } from 'node:fs'
import { openFsStore } from '../src/index.ts'

const [directory = ''] = process.argv.slice(2)
await openFsStore(directory)
writeSync(1, 'open\n')
process.stdin.resume()
