/**
 * The main job, for people to watch: many files at once over one encrypted connection, to a node and back, with the node
 * killed in between. Everything happens in a temporary folder, which is removed whatever comes.
 *
 * @module
 */
import { mkdtemp, mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TransferEvent } from '@ropewalk/interface'
import { Report } from '../src/progress/report.ts'
import { Children, type Child, type Fact } from './children.ts'
import { digestOf, fittingSizes, makeFile, type MadeFile } from './files.ts'
import { renderTable, type Row } from './table.ts'

/** Transfers at once. */
const CONCURRENCY = 16

/** What the second client fetches while the first one is still sending. */
const FETCHED_MEANWHILE = 16

const children = new Children()
let live: Report | undefined
const folder = await mkdtemp(join(tmpdir(), 'ropewalk-demo-'))

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    live?.close()
    process.stderr.write('Interrupted; everything is removed again.\n')
    void cleanUp().finally(() => process.exit(130))
  })
}

try {
  await demo()
} catch (error) {
  process.stderr.write(`The demo failed. ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  await cleanUp()
}

async function cleanUp (): Promise<void> {
  await children.killAll()
  await rm(folder, { recursive: true, force: true })
}

async function demo (): Promise<void> {
  const [state, client, store, sources, fetched] = ['node-state', 'client-state', 'store', 'sources', 'fetched'].map(name => join(folder, name)) as [string, string, string, string, string]
  const rows: Row[] = []

  const files = await makeFiles(sources)
  const total = files.reduce((sum, { size }) => sum + size, 0)
  const byName = new Map(files.map(file => [file.name, file]))

  const first = await startNode(state, store, 'mdsftp+tls://127.0.0.1:0')
  say(`A node runs at\n  ${first.address}`)

  say(`One client stores all files, ${CONCURRENCY} at a time, over one connection.\nA second one fetches meanwhile.`)
  const put = children.start(client, ['put', ...byName.keys(), '--to', first.address, '--concurrency', String(CONCURRENCY)], { cwd: sources, onFact: watch(files.length, total) })
  const early = await put.until('stored', FETCHED_MEANWHILE)
  const meanwhile = children.start(client, ['get', ...idsOf(early), '--from', first.address, '-o', `${join(folder, 'meanwhile')}/`])
  await Promise.all([put.finish(), meanwhile.finish()])
  live?.close()
  const stored = put.facts('stored')
  rows.push(rowOf('put', put), rowOf(`get ${FETCHED_MEANWHILE} meanwhile`, meanwhile), { what: 'node, until killed', memory: await first.child.peakMemory() })

  const killedAt = performance.now()
  await first.child.kill('SIGKILL')
  const second = await startNode(state, store, first.address.replace(/#.*/, ''))
  say(`The node was killed with SIGKILL and started again, in ${((performance.now() - killedAt) / 1000).toFixed(1)} s.`)

  say('Everything is fetched back, over one connection again.')
  const get = children.start(client, ['get', ...idsOf(stored), '--from', second.address, '-o', `${fetched}/`, '--concurrency', String(CONCURRENCY)], { onFact: watch(files.length, total) })
  await get.finish()
  live?.close()
  await second.child.kill('SIGTERM')
  rows.push(rowOf('get', get), { what: 'node, after that', memory: Number(second.child.facts('stopped')[0]?.['peak_memory']) })

  const wrong = [...await different(stored, fetched, byName), ...await different(early, join(folder, 'meanwhile'), byName)]
  process.stdout.write(`\n${renderTable(rows)}\n`)
  if (stored.length !== files.length || wrong.length > 0) throw new Error(`${wrong.length} files came back different: ${wrong.join(', ')}`)
  conclude(files.length, rows)
}

async function makeFiles (directory: string): Promise<MadeFile[]> {
  await mkdir(directory)
  const sizes = await fittingSizes(directory)
  const files: MadeFile[] = []
  for (const [index, size] of sizes.entries()) files.push(await makeFile(directory, index, size))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  say(`Made ${files.length} files of random bytes, 0 B to ${mib(Math.max(...sizes))} MiB, ${mib(total)} MiB together.`)
  return files
}

async function startNode (state: string, store: string, listen: string): Promise<{ child: Child, address: string }> {
  const child = children.start(state, ['serve', '--listen', listen, '--store', store])
  const [fact] = await child.until('listening')
  return { child, address: String(fact?.['address']) }
}

function idsOf (stored: readonly Fact[]): string[] {
  return stored.map(({ id }) => String(id))
}

/** Names of files that are on the disk with another SHA-256 than they had. */
async function different (stored: readonly Fact[], directory: string, byName: ReadonlyMap<string, MadeFile>): Promise<string[]> {
  const names: string[] = []
  for (const { id, name } of stored) {
    if (await digestOf(join(directory, String(id))) !== byName.get(String(name))?.sha256) names.push(String(name))
  }
  return names
}

function rowOf (what: string, child: Child): Row {
  const [summary] = child.facts('summary')
  return {
    what,
    files: Number(summary?.['files']),
    bytes: Number(summary?.['bytes']),
    ms: Number(summary?.['elapsed_ms']),
    channels: Number(summary?.['channels']),
    memory: Number(summary?.['peak_memory'])
  }
}

/** Shows what moves, where somebody is watching. */
function watch (files: number, bytes: number): (fact: Fact) => void {
  if (process.stderr.isTTY !== true) return () => {}
  const { stdout, stderr, env } = process
  const report = new Report({ stdout, stderr, env, json: false, now: () => performance.now(), expected: { files, bytes } })
  live = report
  return fact => {
    if (['started', 'progress', 'finished', 'failed'].includes(fact.event)) report.event(fact as unknown as TransferEvent)
  }
}

function conclude (count: number, rows: readonly Row[]): void {
  const memory = Math.max(...rows.map(({ memory = 0 }) => memory))
  say(`All ${count} files came back byte for byte: the SHA-256 of each is what it was.`)
  say('Each put and each get was one connection, with a channel of its own for every')
  say('question and every content: no file waited for another. What the node had')
  say('confirmed when it was killed was there when it came back. No process took more')
  say(`than ${mib(memory)} MiB of memory, though ${mib(rows[0]?.bytes ?? 0)} MiB went through it.`)
}

function mib (bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0)
}

function say (text: string): void {
  process.stdout.write(`${text}\n`)
}
