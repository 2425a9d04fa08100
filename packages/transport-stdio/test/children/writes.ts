import { stdio } from '../../src/index.ts'

// Writes what it is asked for, and says on stderr how it went.
try {
  await stdio().sink((function * () { for (let left = Number(process.argv[2]); left > 0; left -= 65536) yield new Uint8Array(65536) })())
  process.stderr.write('done')
} catch (error) {
  process.stderr.write(String((error as { code?: string }).code))
}
