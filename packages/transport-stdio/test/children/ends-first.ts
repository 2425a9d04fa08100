import { stdio } from '../../src/index.ts'

// Ends its own direction, and then reads to the end.
const connection = stdio()
await connection.sink([new TextEncoder().encode('first')])
let length = 0
for await (const list of connection.source) length += list.length
process.stderr.write(`read ${length}`)
