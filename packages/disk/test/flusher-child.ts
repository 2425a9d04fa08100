/** Flushes, says so, and has nothing else to do once its input is over. */
import { writeSync } from 'node:fs'
import { Flusher } from '../src/index.ts'

const flusher = new Flusher(process.argv[2] ?? '.')
if (!await flusher.flush() || !await flusher.flush()) process.exitCode = 1
writeSync(1, 'flushed\n')
process.stdin.resume()
