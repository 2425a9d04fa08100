/** Ctrl-C: each command that moves something says what is kept, and how to go on. */
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { RopewalkError } from '../src/errors.ts'
import { say, type Said } from './command-tree.ts'
import { folder } from './processes.ts'

const root = await folder(t)
const interrupted = AbortSignal.abort(new RopewalkError('ERR_USER_INTERRUPT', 'interrupted'))
const casync = async (...args: string[]): Promise<Said> => await say(['casync', ...args], { ROPEWALK_STATE: root }, { signal: interrupted })

await mkdir(join(root, 'tree'))
await writeFile(join(root, 'tree/rope'), randomBytes(300_000))
await writeFile(join(root, 'blob'), randomBytes(300_000))
for (const [index, input] of [['b.caibx', 'blob'], ['t.caidx', 'tree'], ['t.catar', 'tree']] as const) {
  const made = await say(['casync', 'make', join(root, index), join(root, input)], { ROPEWALK_STATE: root })
  if (made.code !== 0) throw new Error(made.stderr)
}

for (const [args, kept] of [
  [['make', 'n.caibx', 'blob'], /the chunks that are in the store stay; the same command goes on/],
  [['make', 'n.caidx', 'tree'], /the chunks that are in the store stay; the same command goes on/],
  [['make', 'n.catar', 'tree'], /nothing of the archive is kept; the same command begins anew/],
  [['extract', 'b.caibx', 'out'], /what came is kept beside the output; the same command goes on/],
  [['extract', 't.caidx', 'folder'], /what came is kept beside the output; the same command goes on/],
  [['extract', 't.catar', 'other'], /what came is kept beside the output; the same command goes on/],
  [['extract', 't.caidx', 'changed', '--in-place'], /what came is in its place; the same command goes on, if nobody changes it meanwhile/],
  [['extract', 'http://127.0.0.1:9/t.catar', 'other'], /what came is kept beside the output; the same command goes on, if the server says that it is the same file/],
  [['pull', 'b.caibx', 'copy.caibx', '--to-store=copy.castr'], /the chunks that came stay in the store; the same command fetches the rest/]
] as const) {
  t.test(`casync ${args.join(' ')}`, async t => {
    const { code, stdout, stderr } = await casync(...args.map(word => /^[a-z]+(\.[a-z]+)?$/.test(word) && word !== args[0] ? join(root, word) : word.replace('=', `=${root}/`)))
    t.equal(code, 130)
    t.equal(stdout, '')
    t.match(stderr, new RegExp(`^Interrupted: ${kept.source}[^\\n]*\\.\\n$`, 'm'))
  })
}
