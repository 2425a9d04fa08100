/** Holds a lease until it is killed. */
import { nodeHash } from '../src/hash.ts'
import { castr } from '../src/store.ts'

const store = castr(process.argv[2] ?? '', { lease: true })
const bytes = Buffer.from('found by the child')
await store.put({ id: Buffer.from(await nodeHash('sha512-256', bytes)).toString('hex'), bytes })
await store.sync()
// What is put now stays without its name.
for (let i = 0; i < Number(process.argv[3] ?? 0); i++) {
  const bytes = Buffer.from(`written by the child ${i}`)
  await store.put({ id: Buffer.from(await nodeHash('sha512-256', bytes)).toString('hex'), bytes })
}
process.stdout.write('held\n')
process.stdin.resume()
