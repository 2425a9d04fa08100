/**
 * Writes objects until it is killed, four at a time. Says on standard output what it was told:
 *
 *     begun ID SHA-256      before the first byte
 *     synced ID SIZE        after a sync in the middle
 *     committed ID SHA-256  after commit() has resolved
 *     removing ID           before remove()
 *     removed ID            after remove() has resolved
 */
import { createHash, randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { openFsStore } from '../src/index.ts'

const [directory = ''] = process.argv.slice(2)
const store = await openFsStore(directory)

await Promise.all(Array.from({ length: 4 }, async () => {
  for (let round = 0; ; round++) {
    const id = randomBytes(16).toString('hex')
    const content = randomBytes(round % 7 === 6 ? 0 : 1 + (randomBytes(3).readUIntBE(0, 3) % 100_000))
    const digest = createHash('sha256').update(content).digest('hex')
    say(`begun ${id} ${digest}`)

    const writer = await store.write(id, 0)
    const half = content.length >> 1
    await writer.write(content.subarray(0, half))
    if (round % 3 === 0) {
      await writer.sync()
      say(`synced ${id} ${half}`)
    }
    await writer.write(content.subarray(half))
    await writer.close()
    await store.commit(id)
    say(`committed ${id} ${digest}`)

    if (round % 5 === 4) {
      say(`removing ${id}`)
      await store.remove(id)
      say(`removed ${id}`)
    }
  }
}))

function say (line: string): void {
  writeSync(1, `${line}\n`)
}
