/** Exchanges `root/a` for a link to `outside` and back, again and again, until it is killed. */
import { lstatSync, mkdirSync, renameSync, symlinkSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const [root = '', outside = ''] = process.argv.slice(2)
const path = join(root, 'a')
mkdirSync(path, { recursive: true })
writeSync(1, 'swapping\n')

for (let round = 0; ; round++) {
  const aside = join(root, `aside${round % 100}`)
  attempt(() => renameSync(path, aside))
  attempt(() => symlinkSync(outside, path))
  for (let pause = 0; pause < 20; pause++) attempt(() => lstatSync(path))
  attempt(() => unlinkSync(path))
  attempt(() => renameSync(aside, path))
  for (let pause = 0; pause < 60; pause++) attempt(() => lstatSync(path))
}

/** The receiver makes the folder at any moment; then a step fails, and the next round begins with what is there. */
function attempt (step: () => void): void {
  try {
    step()
  } catch {}
}
