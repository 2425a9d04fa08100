/**
 * Everybody against everybody. The last line is `N passed, N failed`.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blobs, writeBlob, writeLongNames, writeTree } from './inputs.ts'
import { findPrograms, type Programs } from './programs.ts'

type Who = 'ours' | 'casync' | 'desync'

const LARGE_MIB = Number(process.env['ROPEWALK_INTEROP_MIB'] ?? 300)
const FILES = 5000
let passed = 0
let failed = 0

async function check (name: string, work: () => Promise<boolean>): Promise<void> {
  let why = 'it is something else'
  const good = await work().catch((error: unknown) => {
    why = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').slice(-2).join(' | ') : String(error)
    return false
  })
  if (good) passed++
  else {
    failed++
    console.log(`FAILED ${name}: ${why}`)
  }
}

async function digest (path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of createReadStream(path)) hash.update(bytes as Uint8Array)
  return hash.digest('hex')
}

async function tryBlob (programs: Programs, work: string, everybody: readonly Who[], [name, size, content]: ReturnType<typeof blobs>[number]): Promise<void> {
  const at = join(work, name)
  await mkdir(at)
  const blob = join(at, 'blob')
  await writeBlob(blob, size, content)
  const want = await digest(blob)
  const index = (who: Who): string => join(at, `${who}.caibx`)
  const store = (who: Who): string => join(at, `${who}.castr`)
  const same = async (who: Who, path: string, args: readonly string[], remote?: Who): Promise<boolean> => {
    await programs.run(who, args, remote)
    const equal = await digest(path) === want
    await rm(path, { force: true })
    return equal
  }

  for (const who of everybody) {
    await mkdir(store(who))
    await check(`${name}: make by ${who}`, async () => {
      await programs.run(who, who === 'desync' ? ['make', '-s', store(who), index(who), blob] : ['make', `--store=${store(who)}`, index(who), blob])
      return true
    })
  }
  if (programs.casync) {
    await check(`${name}: index of ours is that of casync`, async () => (await readFile(index('ours'))).equals(await readFile(index('casync'))))
    await check(`${name}: digest of ours is that of casync`, async () => await programs.run('ours', ['digest', `--store=${store('casync')}`, index('casync')]) === await programs.run('casync', ['digest', `--store=${store('ours')}`, index('ours')]))
  }

  for (const maker of everybody) {
    for (const who of everybody) {
      const out = join(at, 'out')
      await check(`${name}: made by ${maker}, extract by ${who}`, async () => await same(who, out, who === 'desync' ? ['extract', '-s', store(maker), index(maker), out] : ['extract', `--store=${store(maker)}`, index(maker), out]))
      // desync asks for chunks only, and gives nothing else.
      const chunksOnly = who === 'desync' || maker === 'desync'
      if (who === 'casync' && maker === 'desync') continue
      await check(`${name}: pull by ${who} from ${maker}`, async () => await same(who, out, who === 'desync'
        ? ['extract', '-s', `ssh://host${store(maker)}`, index(maker), out]
        : ['extract', `--store=host:${store(maker)}`, chunksOnly ? index(maker) : `host:${index(maker)}`, out], maker))
      if (chunksOnly) continue
      await check(`${name}: push by ${who} to ${maker}`, async () => {
        const [given, chunks] = [join(at, `${who}-${maker}.caibx`), join(at, `${who}-${maker}.castr`)]
        await programs.run(who, ['make', `--store=host:${chunks}`, `host:${given}`, blob], maker)
        const equal = (await readFile(given)).equals(await readFile(index('ours'))) && await same('ours', out, ['extract', `--store=${chunks}`, given, out])
        await rm(chunks, { recursive: true, force: true })
        return equal
      })
    }
  }
  await rm(at, { recursive: true })
}

async function tryTree (programs: Programs, work: string): Promise<void> {
  const at = join(work, 'trees')
  const root = join(at, 'tree')
  await mkdir(root, { recursive: true })
  await writeTree(root, FILES)
  const pair: readonly Who[] = programs.casync ? ['ours', 'casync'] : ['ours']
  for (const set of ['unix', 'best']) {
    const name = (who: Who, ending: string): string => join(at, `${who}-${set}.${ending}`)
    for (const who of pair) {
      for (const ending of ['caidx', 'catar']) await check(`tree, ${set}: make ${ending} by ${who}`, async () => (await programs.run(who, ['make', `--with=${set}`, `--store=${join(at, `${who}.castr`)}`, name(who, ending), root])).length === 65)
    }
    if (programs.casync) for (const ending of ['caidx', 'catar']) await check(`tree, ${set}: ${ending} of ours is that of casync`, async () => (await readFile(name('ours', ending))).equals(await readFile(name('casync', ending))))
    const want = await programs.run('ours', ['digest', `--with=${set}`, root])
    for (const maker of pair) {
      for (const who of pair) {
        const kept = async (args: readonly string[], remote?: Who): Promise<boolean> => {
          const out = join(at, 'out')
          await mkdir(out)
          try {
            await programs.run(who, ['extract', ...args, out], remote)
            return await programs.run(pair.at(-1) as Who, ['digest', `--with=${set}`, out]) === want
          } finally {
            await rm(out, { recursive: true })
          }
        }
        const chunks = join(at, `${maker}.castr`)
        await check(`tree, ${set}: made by ${maker}, extract by ${who}`, async () => await kept([`--store=${chunks}`, name(maker, 'caidx')]))
        await check(`tree, ${set}: archive of ${maker}, extract by ${who}`, async () => await kept([name(maker, 'catar')]))
        await check(`tree, ${set}: pull by ${who} from ${maker}`, async () => await kept([`--store=host:${chunks}`, `host:${name(maker, 'caidx')}`], maker))
        await check(`tree, ${set}: list by ${who} of ${maker}`, async () => await programs.run(who, ['list', name(maker, 'catar')]) === await programs.run('ours', ['list', name('ours', 'catar')]))
      }
    }
  }
}

/** Names of 255 bytes: made by either, extracted by ours alone. */
async function tryLongNames (programs: Programs, work: string): Promise<void> {
  const at = join(work, 'long names')
  const root = join(at, 'tree')
  await mkdir(root, { recursive: true })
  await writeLongNames(root)
  const makers: readonly Who[] = programs.casync ? ['ours', 'casync'] : ['ours']
  const [store, out] = [join(at, 'default.castr'), join(at, 'out')]
  const want = await programs.run(makers.at(-1) as Who, ['digest', '--with=unix', root])
  for (const maker of makers) {
    for (const ending of ['caidx', 'catar']) {
      const name = join(at, `${maker}.${ending}`)
      for (const from of [[name], [`--store=host:${store}`, `host:${name}`]]) {
        if (ending === 'catar' && from.length > 1) continue
        await check(`names of 255 bytes: ${ending} of ${maker}, extract by ours${from.length > 1 ? ', pulled' : ''}`, async () => {
          await programs.run(maker, ['make', '--with=unix', `--store=${store}`, name, root])
          try {
            await programs.run('ours', ['extract', ...from, out], maker)
            return await programs.run(makers.at(-1) as Who, ['digest', '--with=unix', out]) === want
          } finally {
            await rm(out, { recursive: true, force: true })
          }
        })
      }
    }
  }
}

const work = await mkdtemp(join(tmpdir(), 'ropewalk-interop-'))
try {
  const programs = await findPrograms(work)
  const everybody: readonly Who[] = ['ours', ...(programs.casync ? ['casync' as const] : []), ...(programs.desync === undefined ? [] : ['desync' as const])]
  console.log(`${everybody.join(', ')}; large blobs have ${LARGE_MIB} MiB`)
  for (const blob of blobs(LARGE_MIB)) await tryBlob(programs, work, everybody, blob)
  await tryTree(programs, work)
  await tryLongNames(programs, work)
  if (programs.casync) {
    const { status, stdout } = spawnSync('npx', ['-y', 'pnpm@12', '--filter', '@ropewalk/protocol-casync', 'interop'], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    const [, pass = '0', fail = '0'] = /^.*# \{ total: \d+, pass: (\d+)(?:, fail: (\d+))?/m.exec(stdout) ?? []
    passed += Number(pass)
    failed += Math.max(Number(fail), status === 0 ? 0 : 1)
    if (status !== 0) console.log(stdout)
  }
} finally {
  await rm(work, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
