/** Opens the ledger at the given path, says so, and ends; or reserves one chunk after the other until it is killed. */
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { openSqliteLedger } from '../src/index.ts'

const [path = '', lines = '0'] = process.argv.slice(2)
const UNLIMITED = { maxBytes: Infinity, maxOpen: Infinity, maxOwnerOpen: Infinity, maxOwnerBytes: Infinity, maxReservedBytes: Infinity }

try {
  const ledger = await openSqliteLedger(path)
  writeSync(1, 'opened\n')
  while (lines !== '0') {
    await Promise.all(Array.from({ length: 3 }, async (_, index) => {
      const id = randomBytes(16).toString('hex')
      await ledger.reserve({ id, size: 1000, durable: true, holder: 'here', owner: 'x', createdAt: 0, expiresAt: 1 }, UNLIMITED, { lasting: index === 0 })
      writeSync(1, `reserved ${id}\n`)
    }))
  }
} catch (error) {
  writeSync(1, `${(error as { code: string }).code}\n`)
}
