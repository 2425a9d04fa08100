/**
 * Suite `casync`: blobs and trees to chunks and back, by the real command line and by the originals.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CONTENDERS, type Contender } from '../casync/contenders.ts'
import { Blobs, type Content, type Made } from '../casync/inputs.ts'
import { assertSameTree } from '../casync/trees.ts'
import type { Absent, Case, Sample, Size } from '../measure.ts'
import { profile } from '../profile.ts'
import { OURS } from '../registry.ts'
import type { Command } from '../transfer/mover.ts'
import { watch } from '../transfer/watch.ts'

const MB = 1e6
const MIB = 1_048_576
const CHUNKER: string = fileURLToPath(new URL('../casync/chunker.ts', import.meta.url))
const PEERS = ['casync', 'desync']

/** `below`: the folder in which everything lies that is made. */
export function casyncCases (subjects: readonly string[], absent: readonly Absent[], below: string): Case[] {
  let scene: Scene | undefined
  const at = (): Scene => scene ??= new Scene(below)
  const one = (name: string, title: string, verb: Exclude<keyof Contender, 'about' | 'missing' | 'packages'>, run: (scene: Scene, contender: Contender, size: Size) => Promise<Sample[]>): Case => ({
    suite: 'casync',
    name,
    title,
    subjects: subjects.filter(subject => CONTENDERS[subject]?.[verb] !== undefined),
    absent: absent.filter(({ subject }) => CONTENDERS[subject]?.[verb] !== undefined),
    peers: PEERS,
    run: async (subject, size) => await run(at(), CONTENDERS[subject] as Contender, size)
  })
  const make = (name: string, title: string, verb: 'make' | 'extract' | 'pull', run: (scene: Scene, contender: Contender, bytes: number) => Promise<Sample[]>): Case => (
    one(name, `${title}, 1 GiB (64 MiB with --quick)`, verb, async (scene, contender, size) => await run(scene, contender, bytesOf(size)))
  )
  return [
    make('make-random', 'make of what does not compress', 'make', (scene, contender, bytes) => scene.make(contender, 'random', bytes)),
    make('make-text', 'make of numbered lines', 'make', (scene, contender, bytes) => scene.make(contender, 'text', bytes)),
    make('extract-random', 'extract from a store here', 'extract', (scene, contender, bytes) => scene.extract(contender, 'random', bytes)),
    make('extract-text', 'extract of numbered lines from a store here', 'extract', (scene, contender, bytes) => scene.extract(contender, 'text', bytes)),
    make('seed-random', 'extract with a seed that has 90 %', 'extract', (scene, contender, bytes) => scene.extract(contender, 'random', bytes, true)),
    make('pull-random', 'extract through the helper of the other end', 'pull', (scene, contender, bytes) => scene.pull(contender, 'random', bytes)),
    make('pull-text', 'extract of numbered lines through the helper of the other end', 'pull', (scene, contender, bytes) => scene.pull(contender, 'text', bytes)),
    one('make-tree', 'make of 5,000 files of 40 KB (500 with --quick)', 'makeTree', (scene, contender, size) => scene.makeTree(contender, filesOf(size))),
    one('extract-tree', 'extract of as many from a store here', 'extractTree', (scene, contender, size) => scene.extractTree(contender, filesOf(size))),
    {
      suite: 'casync',
      name: 'chunker',
      title: 'the chunker alone, of ours, beside a make of casync of as many zeros that lie on no disk',
      subjects: subjects.filter(subject => subject === 'casync' || subject === OURS),
      absent: absent.filter(({ subject }) => subject === 'casync'),
      peers: ['casync'],
      run: async (subject, size) => subject === OURS ? chunkerAlone(bytesOf(size)) : await at().makeOfNothing(CONTENDERS[subject] as Contender, bytesOf(size))
    }
  ]
}

class Scene {
  readonly #blobs: Blobs
  readonly #made = new Map<string, Made>()

  constructor (below: string) {
    this.#blobs = new Blobs(below)
  }

  async make (contender: Contender, content: Content, bytes: number): Promise<Sample[]> {
    const blob = this.#blobs.blob(content, bytes)
    return await this.#at(async place => samples(bytes, await timed(contender.make?.(blob, placeOf(place)) ?? [], place)))
  }

  async extract (contender: Contender, content: Content, bytes: number, seeded: boolean = false): Promise<Sample[]> {
    const made = await this.#chunks(content, bytes)
    const seed = seeded ? this.#blobs.seed(bytes) : undefined
    return await this.#output(content, bytes, output => contender.extract?.(made, output, seed) ?? [])
  }

  async pull (contender: Contender, content: Content, bytes: number): Promise<Sample[]> {
    const made = await this.#chunks(content, bytes)
    return await this.#output(content, bytes, (output, place) => contender.pull?.(made, output, place) ?? [])
  }

  async makeTree (contender: Contender, files: number): Promise<Sample[]> {
    const tree = this.#blobs.tree(files)
    return await this.#at(async place => treeSamples(files, await timed(contender.makeTree?.(tree, treePlaceOf(place)) ?? [], place)))
  }

  async extractTree (contender: Contender, files: number): Promise<Sample[]> {
    const tree = this.#blobs.tree(files)
    const made = await this.#once(`tree-${files}`, treePlaceOf, made => CONTENDERS[OURS]?.makeTree?.(tree, made))
    return await this.#at(async place => {
      const output = join(place, 'output')
      // desync wants one that is there.
      mkdirSync(output)
      const result = treeSamples(files, await timed(contender.extractTree?.(made, output) ?? [], place))
      assertSameTree(output, tree)
      return result
    })
  }

  async makeOfNothing (contender: Contender, bytes: number): Promise<Sample[]> {
    const hole = this.#blobs.hole(bytes)
    return await this.#at(async place => {
      const [speed] = samples(bytes, await timed(contender.make?.(hole, placeOf(place)) ?? [], place))
      return speed === undefined ? [] : [{ ...speed, metric: 'speed of one core' }]
    })
  }

  async #output (content: Content, bytes: number, commands: (output: string, place: string) => readonly Command[]): Promise<Sample[]> {
    return await this.#at(async place => {
      const output = join(place, 'output')
      const result = samples(bytes, await timed(commands(output, place), place))
      if (digestOf(output) !== digestOf(this.#blobs.blob(content, bytes))) throw new Error('it has written something else')
      return result
    })
  }

  /** Made once, by ours: everybody takes the same index and the same chunks. */
  async #chunks (content: Content, bytes: number): Promise<Made> {
    return await this.#once(`${content}-${bytes}`, placeOf, made => CONTENDERS[OURS]?.make?.(this.#blobs.blob(content, bytes), made))
  }

  async #once (key: string, placed: (folder: string) => Made, commands: (made: Made) => readonly Command[] | undefined): Promise<Made> {
    let made = this.#made.get(key)
    if (made === undefined) {
      made = placed(this.#blobs.begin())
      await timed(commands(made) ?? [], this.#blobs.folder)
      this.#made.set(key, made)
    }
    return made
  }

  async #at<T> (work: (place: string) => Promise<T>): Promise<T> {
    const place = this.#blobs.begin()
    try {
      return await work(place)
    } finally {
      this.#blobs.end(place)
    }
  }
}

interface Timed {
  readonly seconds: number
  /** Until all of it is on the disk. */
  readonly syncedSeconds: number
  readonly cpuSeconds: number
  readonly rssBytes: number
}

async function timed (commands: readonly Command[], place: string): Promise<Timed> {
  let [seconds, cpuSeconds, rssBytes] = [0, 0, 0]
  for (const command of commands) {
    const watched = await watch(command, undefined)
    seconds += watched.wholeSeconds
    cpuSeconds += watched.cpuSeconds
    rssBytes = Math.max(rssBytes, watched.largestBytes)
  }
  const began = performance.now()
  // The originals leave it to the system when bytes reach the disk. Nothing of it shall be left for whoever comes next.
  spawnSync('sync', ['-f', place])
  return { seconds, syncedSeconds: seconds + (performance.now() - began) / 1000, cpuSeconds, rssBytes }
}

function samples (bytes: number, { seconds, syncedSeconds, cpuSeconds, rssBytes }: Timed): Sample[] {
  const sample = (metric: string, value: number): Sample => ({ metric, unit: 'MB/s', value: bytes / value / MB, cpuSeconds, rssBytes })
  return [sample('speed', seconds), sample('speed, synced', syncedSeconds)]
}

function treeSamples (files: number, { seconds, syncedSeconds, cpuSeconds, rssBytes }: Timed): Sample[] {
  const sample = (metric: string, value: number): Sample => ({ metric, unit: 'files/s', value: files / value, cpuSeconds, rssBytes })
  return [sample('speed', seconds), sample('speed, synced', syncedSeconds)]
}

function chunkerAlone (bytes: number): Sample[] {
  return (['zeros', 'random'] as const).map(content => {
    const { stdout, stderr } = spawnSync(process.execPath, [...profile('casync', 'chunker'), CHUNKER, content, String(bytes)], { encoding: 'utf8' })
    if (stdout === '') throw new Error(stderr)
    const { seconds, cpuSeconds, rssBytes } = JSON.parse(stdout) as { seconds: number, cpuSeconds: number, rssBytes: number }
    return { metric: content === 'zeros' ? 'speed of one core' : 'speed of one core, random bytes', unit: 'MB/s', value: bytes / seconds / MB, cpuSeconds, rssBytes }
  })
}

function bytesOf ({ quick, mib }: Size): number {
  return (mib ?? (quick ? 64 : 1024)) * MIB
}

function filesOf ({ quick, files }: Size): number {
  return files ?? (quick ? 500 : 5000)
}

function placeOf (folder: string): Made {
  const store = join(folder, 'store.castr')
  // desync wants one that is there.
  mkdirSync(store)
  return { index: join(folder, 'index.caibx'), store }
}

function treePlaceOf (folder: string): Made {
  return { ...placeOf(folder), index: join(folder, 'index.caidx') }
}

const digests = new Map<string, string>()

/** Of inputs once. */
function digestOf (path: string): string {
  const known = digests.get(path)
  if (known !== undefined) return known
  const hash = createHash('sha256')
  const file = openSync(path, 'r')
  const piece = Buffer.alloc(MIB)
  for (let length = readSync(file, piece); length > 0; length = readSync(file, piece)) hash.update(piece.subarray(0, length))
  closeSync(file)
  const digest = hash.digest('hex')
  if (!path.endsWith('/output')) digests.set(path, digest)
  return digest
}
