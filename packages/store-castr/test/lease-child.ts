/** Holds a lease until it is killed. */
import { nodeHash } from '../src/hash.ts'
import { castr } from '../src/store.ts'

const store = castr(process.argv[2] ?? '', { lease: true })
const bytes = Buffer.from('found by the child')
await store.put({ id: Buffer.from(await nodeHash('sha512-256', bytes)).toString('hex'), bytes })
await store.sync()
process.stdout.write('held\n')
process.stdin.resume()
