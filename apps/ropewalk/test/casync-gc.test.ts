/**
 * Collections beside processes that make indexes in the same store, round after round: what an index names is there in the end, whatever was collected
 * meanwhile. A fifth of `ROPEWALK_ROUNDS` is how many rounds.
 */
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { casync, chunkFiles, noise } from './casync-scene.ts'
import { folder } from './processes.ts'

const ROUNDS = Math.ceil(Number(process.env['ROPEWALK_ROUNDS'] ?? 10) / 5)
const MAKERS = 2
const SIZES = '--chunk-size=1K:4K:16K'

t.test(`${ROUNDS} rounds of makers beside collections that never end: no index lacks a chunk`, async t => {
  const at = await folder(t)
  await mkdir(join(at, 'made'))
  await writeFile(join(at, 'first'), noise('first', 20_000))
  t.equal((await casync(at, ['make', SIZES, 'made/first.caibx', 'first'])).code, 0)
  const old: Buffer[] = []
  let removed = 0
  let beside = 0
  for (let round = 0; round < ROUNDS; round++) {
    // Chunks that lie there for years, and that nobody names: makers find them while collections take them away.
    old.push(noise(`old ${round}`, 400_000))
    await writeFile(join(at, 'old'), old.at(-1) as Buffer)
    t.equal((await casync(at, ['make', SIZES, 'made/old.caibx', 'old'])).code, 0)
    await rm(join(at, 'made/old.caibx'))
    for (const path of await chunkFiles(join(at, 'made/default.castr'))) await utimes(path, 1000, 1000)

    let making = MAKERS
    const maker = async (n: number): Promise<void> => {
      const name = `${n}-${round}`
      await writeFile(join(at, name), Buffer.concat([noise(name, 50_000), (old.at(-1) as Buffer).subarray(0, 250_000), noise(`${name} more`, 50_000)]))
      t.match(await casync(at, ['make', SIZES, `made/${name}.caibx`, name]), { code: 0 })
      making--
    }
    const collector = async (): Promise<void> => {
      do {
        const collected = await casync(at, ['gc', 'made'])
        t.equal(collected.code, 0, collected.stderr)
        removed += Number(collected.fact('collected')['removed'])
        beside++
      } while (making > 0)
    }
    await Promise.all([collector(), ...Array.from({ length: MAKERS }, async (_, n) => { await maker(n) })])
  }
  t.ok(removed > 20 * ROUNDS, `${removed} chunks went in ${beside} collections`)
  const made = (await readdir(join(at, 'made'))).filter(name => name.endsWith('.caibx'))
  t.equal(made.length, 1 + MAKERS * ROUNDS)
  for (const name of made) t.equal((await casync(at, ['verify', `made/${name}`])).code, 0, `${name} is whole`)

  const dry = await casync(at, ['gc', '--dry-run', 'made'])
  t.match(dry.fact('collected'), { dry_run: true })
  const before = await chunkFiles(join(at, 'made/default.castr'))
  t.equal((await casync(at, ['gc', '--dry-run', 'made'])).code, 0)
  t.same(await chunkFiles(join(at, 'made/default.castr')), before)
  // An index in a folder below may use the store of the folder above.
  await mkdir(join(at, 'made/below/more'), { recursive: true })
  await writeFile(join(at, 'other'), noise('below', 30_000))
  t.equal((await casync(at, ['make', SIZES, '--store=made/default.castr', 'made/below/more/other.caibx', 'other'])).code, 0)
  for (const path of await chunkFiles(join(at, 'made/default.castr'))) await utimes(path, 1000, 1000)
  t.equal((await casync(at, ['gc', 'made'])).code, 0)
  t.equal((await casync(at, ['verify', '--store=made/default.castr', 'made/below/more/other.caibx'])).code, 0, 'what it names is still there')
  t.match(await casync(at, ['gc', '--dry-run', '--store=made/default.castr', 'made/below']), { code: 0, stdout: /"event":"collected"/ })

  await mkdir(join(at, 'empty'))
  t.match(await casync(at, ['gc', 'empty']), { code: 4, stderr: /no index/ }, 'a folder without indexes removes nothing')
})
