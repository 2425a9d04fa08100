/**
 * Processes that are killed while a folder is on its way: the other end waits, and whoever comes back goes on. A fifth of ROPEWALK_ROUNDS is how
 * often; ROPEWALK_MIB and ROPEWALK_FILES say how much, where somebody has the time: 100, 2048 and 5000 are as large as is promised.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { pairOf, treeOf, type Machine } from './machines.ts'
import { factsOf } from './processes.ts'

const ROUNDS = Math.max(2, Math.ceil(Number(process.env['ROPEWALK_ROUNDS'] ?? 10) / 5))
const MIB = 1024 * 1024
const BIG_MIB = Number(process.env['ROPEWALK_MIB'] ?? 48)
const SMALL_FILES = Number(process.env['ROPEWALK_FILES'] ?? 40)
const FILES = SMALL_FILES + 1

/** A big file, and small ones around it. */
async function makeTree (path: string): Promise<void> {
  await mkdir(join(path, 'small'), { recursive: true })
  for (let number = 0; number < SMALL_FILES; number++) await writeFile(join(path, 'small', String(number)), randomBytes(1000 + number))
  const big = await open(join(path, 'big'), 'w')
  for (let mib = 0; mib < BIG_MIB; mib++) await big.appendFile(randomBytes(MIB))
  await big.close()
}

async function filesIn (machine: Machine): Promise<number> {
  const lines = factsOf((await machine.run('offers', '--json')).stdout, 'offer')
  return Number(lines[0]?.['done'] ?? 0)
}

t.test('the node that receives is killed: the next one goes on, and fetches no whole file again', async t => {
  const { desk, laptop } = await pairOf(t)
  await makeTree(join(desk.files, 'tree'))
  const sending = desk.begin('send', 'tree', 'laptop', '--wait', '--no-discover', '--json')
  await sending.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  const accepting = laptop.begin('accept', 'desk', '--json')
  await accepting.until(({ stdout }) => factsOf(stdout, 'progress').length > 0)
  const address = laptop.address
  let under = 0
  for (let round = 0; round < ROUNDS; round++) {
    if (factsOf(sending.stdout, 'settled').length === 0) under++
    await laptop.stop('SIGKILL')
    const seen = factsOf(sending.stdout, 'progress').length
    await laptop.serve('--peers', address)
    if (round < ROUNDS - 1) await Promise.race([sending.ended, sending.until(({ stdout }) => factsOf(stdout, 'progress').length > seen || factsOf(stdout, 'settled').length > 0)])
  }
  t.comment(`killed ${under} times while it was under way`)
  const { code, stdout, stderr } = await sending.ended
  t.equal(code, 0, stderr)
  t.match(factsOf(stdout, 'settled'), [{ status: 'completed', done: FILES }])
  t.same(await treeOf(join(laptop.inbox, 'tree')), await treeOf(join(desk.files, 'tree')))
  t.same((await readdir(laptop.inbox)).filter(name => name !== 'tree' && !name.startsWith('.')), [])
  t.equal(await filesIn(laptop), FILES)
})

t.test('the node that sends is killed: the next one makes itself known, and the download goes on', async t => {
  const { desk, laptop } = await pairOf(t)
  await makeTree(join(desk.files, 'tree'))
  await desk.serve()
  t.equal((await desk.run('send', 'tree', 'laptop')).code, 0)
  const accepting = laptop.begin('accept', 'desk', '--json')
  await accepting.until(({ stdout }) => factsOf(stdout, 'progress').length > 0)
  let under = 0
  for (let round = 0; round < ROUNDS; round++) {
    if (factsOf(accepting.stdout, 'settled').length === 0) under++
    await desk.stop('SIGKILL')
    const seen = factsOf(accepting.stdout, 'progress').length
    // At another port each time.
    await desk.serve()
    if (round < ROUNDS - 1) await Promise.race([accepting.ended, accepting.until(({ stdout }) => factsOf(stdout, 'progress').length > seen || factsOf(stdout, 'settled').length > 0)])
  }
  t.comment(`killed ${under} times while it was under way`)
  const { code, stderr } = await accepting.ended
  t.equal(code, 0, stderr)
  t.same(await treeOf(join(laptop.inbox, 'tree')), await treeOf(join(desk.files, 'tree')))
  t.match((await desk.offers())[0], { status: 'completed' })
})
