/**
 * Extractions of trees and pulls that are killed with SIGKILL at random moments, again and again, and go on: what a run was given is not asked for by
 * the next one, but for what was on its way; what it has made of a store here is not read again. Each is killed half of `ROPEWALK_ROUNDS` times.
 */
import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeArchive, decodeIndex, type IndexItem } from '@ropewalk/protocol-casync'
import t, { type Test } from 'tap'
import { casync, chunkFiles, countingServer, isThere, makeTree, type CountingServer } from './casync-scene.ts'
import { Command, folder } from './processes.ts'

const ROUNDS = Math.ceil(Number(process.env['ROPEWALK_ROUNDS'] ?? 10) / 2)

/** Chunks that `fetchChunks` has on their way at most, and those that `storeMissing` has. */
const ON_THEIR_WAY = 64
const BEING_STORED = 16

/** Small files that are being written at most, and as many again of which nobody has noted that they are. */
const BEING_WRITTEN = 2 * 16

async function scene (t: Test): Promise<{ at: string, server: CountingServer, digest: unknown, chunks: number }> {
  const at = await folder(t)
  await makeTree(join(at, 'far'))
  const digest = (await casync(join(at, 'far'), ['make', '--with=unix', '--chunk-size=1K:2K:8K', 't.caidx', 'src'])).fact('made')['digest']
  const server = await countingServer(t, join(at, 'far'))
  return { at, server, digest, chunks: (await chunkFiles(join(at, 'far/default.castr'))).length }
}

/** Runs `args` and kills it after it was given so many chunks, and some turns more; again and again, then to its end. */
async function killAgainAndAgain (t: Test, { server, at, chunks }: Awaited<ReturnType<typeof scene>>, args: readonly string[], mayComeAgain: number, between: () => Promise<void>): Promise<void> {
  let killed = 0
  for (let round = 0; round < ROUNDS; round++) {
    // Whatever is behind these is asked for, and not answered: nobody is at the end before he is killed.
    const command = new Command([...args, '--json'], { state: at, cwd: at })
    const answers = 1 + Math.floor(Math.random() * chunks / ROUNDS)
    await Promise.race([server.answer(answers), command.ended])
    for (let turns = Math.floor(Math.random() * 400); turns > 0; turns--) await new Promise(resolve => { setImmediate(resolve) })
    command.kill('SIGKILL')
    if ((await command.ended).signal === 'SIGKILL') killed++
    server.nextRun()
    await between()
  }
  void server.answer(Infinity)
  const last = await casync(at, args.slice(1))
  t.same(last.code, 0, last.stderr)
  server.nextRun()

  t.ok(killed > 0, `${killed} of ${ROUNDS} runs were killed`)
  const again: string[] = []
  const given = new Set<string>()
  for (const answered of server.runs) {
    again.push(...answered.filter(name => given.has(name)))
    // What came last may have been on its way, and before it what was asked for together with it and answered earlier.
    for (const name of answered.slice(0, Math.max(0, answered.length - mayComeAgain - ON_THEIR_WAY))) given.add(name)
    t.ok(answered.length === new Set(answered).size, 'no chunk twice in one run')
  }
  t.same(again, [], 'what was given and not on its way comes once')
  t.same(new Set(server.runs.flat()).size, chunks, 'and everything came')
  const sum = server.runs.reduce((sum, answered) => sum + answered.length, 0)
  t.ok(sum <= chunks + killed * mayComeAgain, `${sum} answers for ${chunks} chunks in ${server.runs.length} runs`)
}

t.test(`the extraction of a tree killed ${ROUNDS} times goes on, and until then there is what was there`, async t => {
  const at = await scene(t)
  await mkdir(join(at.at, 'out'))
  await writeFile(join(at.at, 'out/before'), 'as it was')
  await killAgainAndAgain(t, at, ['casync', 'extract', '--seed-output=no', `${at.server.url}/t.caidx`, 'out'], ON_THEIR_WAY, async () => {
    t.same(await readdir(join(at.at, 'out')), ['before'])
    t.same((await readdir(at.at)).filter(name => name.startsWith('.')), ['.#out.part'], 'half a tree is in one place')
    t.ok((await readdir(join(at.at, '.#out.part/tree')).catch(() => [])).length <= 1)
  })
  t.match((await casync(at.at, ['digest', '--with=unix', 'out'])).fact('digest'), { digest: at.digest })
  t.same((await readdir(at.at)).filter(name => name.startsWith('.')), [], 'and nothing is left over')
})

t.test(`a pull killed ${ROUNDS} times goes on, its last group too, and its index comes last`, async t => {
  const at = await scene(t)
  const index = join(at.at, 'here/t.caidx')
  await mkdir(join(at.at, 'here'))
  await killAgainAndAgain(t, at, ['casync', 'pull', `${at.server.url}/t.caidx`, 'here/'], ON_THEIR_WAY + BEING_STORED, async () => {
    t.same(await stat(index).catch(() => undefined), undefined)
  })
  t.equal((await casync(at.at, ['verify', 'here/t.caidx'])).code, 0, 'and with it every chunk')
  t.same((await chunkFiles(join(at.at, 'here/default.castr'))).filter(name => !name.endsWith('.cacnk')), [], 'nothing is left over')
})

for (const inPlace of [false, true]) {
  t.test(`what the extraction of a tree from a store here, ${inPlace ? 'in place, ' : ''}killed ${ROUNDS} times, has made of chunks is not read again`, async t => {
    const at = await folder(t)
    await makeTree(at)
    const digest = (await casync(at, ['make', '--with=unix', '--chunk-size=1K:2K:8K', 't.caidx', 'src'])).fact('made')['digest']
    const items: IndexItem[] = []
    for await (const item of decodeIndex()([await readFile(join(at, 't.caidx'))])) items.push(item)
    await casync(at, ['make', '--with=unix', 't.catar', 'src'])
    const files: Array<{ readonly path: string, readonly offset: number }> = []
    for await (const part of decodeArchive()(createReadStream(join(at, 't.catar')))) if (part.kind === 'node' && part.node.type === 'file') files.push({ path: part.node.path, offset: part.offset })

    const args = ['extract', 't.caidx', 'out', ...inPlace ? ['--in-place'] : []]
    let killed = 0
    let done = false
    const removed = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      const chosen = Math.floor((round + Math.random()) * files.length / ROUNDS)
      const command = new Command(['casync', ...args, '--json'], { state: at, cwd: at })
      let ended = false
      void command.ended.then(() => { ended = true })
      while (!ended && !await isThere(join(at, inPlace ? 'out' : '.#out.part/tree/new', files[chosen]?.path ?? ''))) await new Promise(resolve => { setImmediate(resolve) })
      command.kill('SIGKILL')
      const wasKilled = (await command.ended).signal === 'SIGKILL'
      if (wasKilled) killed++
      else t.match(command.stdout, /"event":"extracted"/, command.stderr)
      done = !wasKilled || (!inPlace && await isThere(join(at, 'out')))
      if (done) break
      // Whoever reads one of these again does not come to an end.
      const made = files[chosen - BEING_WRITTEN]?.offset ?? 0
      const needed = new Set(items.filter(({ end }) => end > made).map(({ id }) => id))
      for (const { id, end } of items) {
        if (end > made || needed.has(id) || removed.has(id)) continue
        await rm(join(at, 'default.castr', id.slice(0, 4), `${id}.cacnk`))
        removed.add(id)
      }
    }
    t.ok(killed > 0, `${killed} of ${ROUNDS} runs were killed`)
    if (!done) {
      const last = await casync(at, args)
      t.equal(last.code, 0, last.stderr)
      const { resumed, store } = last.fact('extracted')['from'] as Record<'resumed' | 'store', number>
      t.ok(resumed >= removed.size && (ROUNDS < 5 || removed.size > items.length / 4), `${resumed} chunks from before, ${removed.size} of ${items.length} are gone`)
      t.equal(resumed + store, items.length)
    }
    t.match((await casync(at, ['digest', '--with=unix', 'out'])).fact('digest'), { digest })
    t.same((await readdir(at)).filter(name => name.startsWith('.')), [], 'and nothing is left over')
  })
}
