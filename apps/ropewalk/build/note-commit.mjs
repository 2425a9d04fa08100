// The last step of the build: notes beside the program from which commit it was built, and writes its manual pages.
// Without git, or outside of a repository, nothing is noted, and `--version` says so.
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'

const note = new URL('../dist/build.json', import.meta.url)
const git = (...args) => spawnSync('git', args, { cwd: new URL('..', import.meta.url), encoding: 'utf8' })

rmSync(note, { force: true })
const head = git('rev-parse', '--short=12', 'HEAD')
// What git does not follow is in no package.
const changes = git('status', '--porcelain', '--untracked-files=no')
if (head.status === 0 && changes.status === 0) writeFileSync(note, `${JSON.stringify({ commit: head.stdout.trim(), changed: changes.stdout !== '' })}\n`)

const pages = spawnSync(process.execPath, ['dist/main.js', 'man', '-o', 'dist/man'], { cwd: new URL('..', import.meta.url), stdio: ['ignore', 'ignore', 'inherit'] })
process.exit(pages.status ?? 1)
