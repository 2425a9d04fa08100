import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { Command, folder, startNode } from './processes.ts'
import { MAIN } from './programs.ts'

const README = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const EXAMPLES = Array.from(README.matchAll(/^```sh example\n([^]*?)^```$/gm), ([, script]) => script as string)

t.test('the examples of the README run, and print what it says', async t => {
  const [state, path] = [await folder(t), await folder(t)]
  const { addresses: [address = ''] } = await startNode(t, state)
  const uploads = join(path, 'uploads.sock')
  await writeFile(join(path, 'ipc.key'), 'a shared secret of the test\n')
  const server = new Command(['serve', '--json', '--ipc', uploads, '--ipc-key', join(path, 'ipc.key'), '--ipc-root', join(path, 'root')], { state })
  t.teardown(() => { server.kill('SIGKILL') })
  await server.until(({ stdout }) => stdout.includes('listening'))
  await mkdir(join(path, 'photos'))
  for (const name of ['holiday.mov', 'photos/a.jpg', 'photos/b.jpg']) await writeFile(join(path, name), name.repeat(1000))
  const command = join(path, 'ropewalk')
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' --conditions=@ropewalk/source '${MAIN}' "$@"\n`)
  await chmod(command, 0o755)

  t.equal(EXAMPLES.length, 3)
  for (const script of EXAMPLES) {
    const env = { ...process.env, PATH: `${path}${delimiter}${process.env['PATH'] ?? ''}`, ROPEWALK_STATE: state, NODE: address, UPLOADS: `unix:${uploads}` }
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: path, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const [stdout, stderr, [code]] = await Promise.all([text(shell.stdout), text(shell.stderr), once(shell, 'close') as Promise<[number]>])
    t.equal(code, 0, stderr)
    for (const [, line] of script.matchAll(/^# (.*)$/gm)) t.ok(stdout.split('\n').includes(line as string), line as string)
  }
  t.equal((await readFile(join(path, 'stored.tsv'), 'utf8')).split('\n').length, 4)
  t.equal((await readFile(join(path, 'head.bin'))).length, 1024)
  for (const name of ['holiday.mov', 'a.jpg']) t.ok((await readFile(join(path, 'fetched', name), 'utf8')).startsWith(name === 'a.jpg' ? 'photos/a.jpg' : name))
})

t.test('the README names every exit code and every event', async t => {
  for (const code of ['0', '1', '2', '3', '4', '130']) t.match(README, new RegExp(`^\\| ${code} \\|`, 'm'))
  for (const event of ['started', 'progress', 'finished', 'failed', 'stored', 'resumed', 'verified', 'received', 'found', 'removed', 'summary', 'listening', 'trouble', 'stopping', 'stopped', 'identity', 'uploaded', 'downloaded', 'issued']) t.match(README, `\`${event}\``)
})
