import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, lstat, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Receiver } from '../src/index.ts'
import { makeFolder, text } from './folder.ts'

const CHILD = fileURLToPath(new URL('swap-child.ts', import.meta.url))

/** A run in full is ROPEWALK_ROUNDS=50: 10,000 rounds. */
const ROUNDS = 200 * Number(process.env['ROPEWALK_ROUNDS'] ?? 5)

async function receive (receiver: Receiver, name: string, overwrite: 'refuse' | 'replace' | 'rename'): Promise<void> {
  const writer = await receiver.file(name, { overwrite, mode: 0o666, mtimeMs: 1 })
  await writer.write(text('x'))
  await writer.finish()
}

/** Everything that a receiver does with a parent: open, link, rename, mkdir, symlink, lutimes, chmod, utimes, unlink, readdir. */
const STEPS: ReadonlyArray<(receiver: Receiver, round: number) => Promise<unknown>> = [
  (receiver, round) => receive(receiver, `a/${round}`, 'refuse'),
  receiver => receive(receiver, 'a/keep', 'replace'),
  receiver => receive(receiver, 'a/sub/deep/keep', 'replace'),
  (receiver, round) => receive(receiver, `a/sub/deep/${round}`, 'rename'),
  receiver => receiver.directory('a/sub', { mode: 0o777, mtimeMs: 1, adopt: true }),
  (receiver, round) => receiver.directory(`a/sub/${round}/x`, { mode: 0o777, mtimeMs: 1 }),
  (receiver, round) => receiver.link(`a/l${round}`, 'target', { mtimeMs: 1 }),
  receiver => receiver.link('a/keep', 'target', { mtimeMs: 1, overwrite: 'replace' }),
  async (receiver, round) => {
    await using transfer = await receiver.transfer('t')
    await transfer.directory(`a/t${round}`, { mode: 0o777, mtimeMs: 1 })
    await transfer.finish()
  },
  async (receiver, round) => {
    const transfer = await receiver.transfer(`b${round}`)
    const names = [`a/w${round}`, `a/sub/deep/w${round}`, `a/sub/w${round}/new`, 'a/keep']
    const results = await transfer.files(names.map(name => ({ name, bytes: text('x'), mode: 0o666, mtimeMs: 1, overwrite: name === 'a/keep' ? 'replace' : 'refuse' })))
    await transfer.discard()
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }
]

/** Every name below, and what somebody could have done to it. */
async function facts (path: string): Promise<unknown[]> {
  const names = (await readdir(path, { recursive: true })).sort()
  return await Promise.all(['.', ...names].map(async name => {
    const { mode, mtimeMs, ctimeMs, nlink, size } = await lstat(join(path, name))
    return { name, mode, mtimeMs, ctimeMs, nlink, size }
  }))
}

t.test(`P3: in ${ROUNDS} rounds a parent that somebody exchanges for a link all the time never leads outside`, { skip: process.platform !== 'linux' && 'needs descriptors', timeout: 600_000 }, async t => {
  const { root, outside, open } = await makeFolder(t)
  await mkdir(join(outside, 'sub/deep'), { recursive: true })
  await writeFile(join(outside, 'keep'), 'keep')
  await writeFile(join(outside, 'sub/deep/keep'), 'keep')
  await chmod(join(outside, 'sub'), 0o700)
  await utimes(join(outside, 'sub'), 5, 5)
  const before = await facts(outside)

  const receivers = [await open({ links: 'any' }), await open({ links: 'any', collisions: 'refuse' })]
  // Each step does its work where nobody interferes, so that what the race refuses is due to the race.
  for (const [step, run] of STEPS.entries()) await t.resolves(run(receivers[step % 2] as Receiver, step - STEPS.length), `step ${step} is done`)

  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', CHILD, root, outside], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => {
    const gone = once(child, 'close')
    child.kill('SIGKILL')
    await gone
  })
  await once(child.stdout, 'data')
  const outcomes = STEPS.map(() => new Map<string, number>())

  for (let round = 0; round < ROUNDS; round++) {
    const step = round % STEPS.length
    const receiver = receivers[Math.floor(round / STEPS.length) % 2] as Receiver
    const outcome = await (STEPS[step] as (typeof STEPS)[number])(receiver, round).then(() => 'done', (error: { code?: string }) => error.code ?? String(error))
    outcomes[step]?.set(outcome, (outcomes[step].get(outcome) ?? 0) + 1)
  }

  t.same(await facts(outside), before)
  t.equal(await readFile(join(outside, 'keep'), 'utf8'), 'keep')
  for (const [step, counts] of outcomes.entries()) {
    t.comment(step, JSON.stringify(Object.fromEntries(counts)))
    for (const outcome of counts.keys()) t.ok(['done', 'ERR_SYMLINK', 'ERR_IO', 'ERR_EXISTS', 'ERR_NOT_A_DIRECTORY', 'ERR_COLLISION'].includes(outcome), `step ${step}: ${outcome}`)
  }
  for (const outcome of ['done', 'ERR_SYMLINK']) t.ok(outcomes.some(counts => counts.has(outcome)), `the race was on: ${outcome}`)
})
