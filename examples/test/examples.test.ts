import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const FOLDER = new URL('../', import.meta.url)
// casync-server.ts is started by casync-over-ssh.ts.
const examples = readdirSync(FOLDER).filter(name => name.endsWith('.ts') && name !== 'casync-server.ts').sort()

t.test('there are ten at least, and the README names each', async t => {
  t.ok(examples.length >= 10)
  const readme = readFileSync(new URL('README.md', FOLDER), 'utf8')
  t.same(examples.filter(name => !readme.includes(`(${name})`)), [])
})

for (const name of examples) {
  t.test(`${name} ends by itself, and prints what it says`, async t => {
    const path = fileURLToPath(new URL(name, FOLDER))
    const wanted = Array.from(readFileSync(path, 'utf8').matchAll(/console\.log\(.*\/\/ (.*)/g), ([, line]) => line)
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@ropewalk/source', path], { timeout: 60_000 })
    t.ok(wanted.length > 0)
    t.same(stdout.trimEnd().split('\n'), wanted)
  })
}
