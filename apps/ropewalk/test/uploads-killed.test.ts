/** Clients and servers of uploads killed with SIGKILL at random moments, in turn: `ROPEWALK_ROUNDS` says how often. What was acknowledged is never sent again, and the file is whole in the end. */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { Command, facts, factsOf, folder, run } from './processes.ts'

const ROUNDS = Number(process.env['ROPEWALK_ROUNDS'] ?? 10)
const SIZE: number = 64 * 1024 * 1024

t.test(`an upload killed ${ROUNDS} times, at either end, goes on and is whole`, async t => {
  const [state, path] = [await folder(t), await folder(t)]
  const [key, token, socket, file] = ['key', 'token', 'sock', 'file'].map(name => join(path, name)) as [string, string, string, string]
  const content = randomBytes(SIZE)
  await writeFile(file, content)
  await writeFile(key, randomBytes(32).toString('hex'), { mode: 0o600 })
  t.match(await run(['token', 'issue', '--user', 'ada:1', '--ttl', '1d', '--key', key, '-o', token], { state }), { code: 0 })
  const serve = async (): Promise<Command> => {
    const command = new Command(['serve', '--json', '--ipc', socket, '--ipc-key', key, '--ipc-root', join(path, 'root')], { state })
    t.teardown(() => { command.kill('SIGKILL') })
    await command.until(({ stdout }) => factsOf(stdout, 'listening').length === 1)
    return command
  }
  const upload = (): Command => new Command(['upload', file, '--to', socket, '--token', token, '--json'], { state })

  let server = await serve()
  let acknowledged = 0
  let cut = 0
  for (let round = 0; round < ROUNDS; round++) {
    const client = upload()
    const events = Math.floor(Math.random() * 8)
    await client.until(({ stdout }) => facts(stdout).length >= events).catch(() => {})
    for (let turns = Math.floor(Math.random() * 200); turns > 0; turns--) await new Promise(resolve => setImmediate(resolve))
    if (round % 2 === 1) {
      server.kill('SIGKILL')
      await server.ended
      server = await serve()
    }
    client.kill('SIGKILL')
    const { signal, stdout } = await client.ended
    if (signal === 'SIGKILL') cut++
    // Each life begins with what is there: never less than any life before it was told.
    const told = factsOf(stdout, 'progress').map(({ bytes }) => Number(bytes))
    t.ok(told[0] === undefined || told[0] >= acknowledged, `${String(told[0])} there, ${acknowledged} acknowledged before`)
    acknowledged = Math.max(acknowledged, ...told)
  }
  t.ok(cut > 0, `${cut} of ${ROUNDS} were cut short`)

  const last = await upload().ended
  t.equal(last.code, 0, last.stderr)
  t.ok(Number(factsOf(last.stdout, 'uploaded')[0]?.['sent']) <= SIZE - acknowledged)
  t.match(await run(['upload', file, '--to', socket, '--token', token, '--json'], { state }), { stdout: /"sent":0/ })
  const [id] = factsOf(last.stdout, 'uploaded').map(({ id }) => String(id))
  t.ok(content.equals(await readFile(join(path, 'root', 'files', '1', id as string, '0.bin'))))
})
