import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { makeFolder, text, tree } from './folder.ts'

const CHILD = fileURLToPath(new URL('swap-child.ts', import.meta.url))
const ROUNDS = 200

t.test('P3: a parent that somebody exchanges for a link all the time never leads outside', { skip: process.platform !== 'linux' && 'needs descriptors' }, async t => {
  const { root, outside, open } = await makeFolder(t)
  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', CHILD, root, outside], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => {
    const gone = once(child, 'close')
    child.kill('SIGKILL')
    await gone
  })
  await once(child.stdout, 'data')
  const receiver = await open()
  const outcomes = new Map<string, number>()

  for (let round = 0; round < ROUNDS; round++) {
    const outcome = await (async () => {
      const writer = await receiver.file(`a/${round}`, { overwrite: round % 2 === 0 ? 'refuse' : 'replace' })
      await writer.write(text('x'))
      await writer.finish()
      return 'received'
    })().catch((error: { code?: string }) => error.code ?? String(error))
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }

  t.same(await tree(outside), [])
  t.comment(JSON.stringify(Object.fromEntries(outcomes)))
  for (const outcome of outcomes.keys()) t.ok(['received', 'ERR_SYMLINK', 'ERR_IO'].includes(outcome), outcome)
  t.ok((outcomes.get('received') ?? 0) > 0)
  t.ok((outcomes.get('ERR_SYMLINK') ?? 0) > 0, 'the race was on')
})
