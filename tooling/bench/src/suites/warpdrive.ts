/**
 * Suite `warpdrive`: a tree, a big file and photos from one of our nodes to another, beside rsync and others who send files.
 *
 * @module
 */
import type { Absent, Case, Sample, Size } from '../measure.ts'
import { timed } from '../transfer/timed.ts'
import { assertArrived, type Load, type Routes } from '../warpdrive/routes.ts'
import type { Waiting } from '../warpdrive/sender.ts'
import { SENDERS } from '../warpdrive/senders.ts'

const MB = 1e6
const MIB = 1_048_576

/** Who is compared with ours besides, in rows of their own. */
const PEERS: readonly string[] = ['rsync', 'rsync-a']

/** Who does not bring the time of change along. */
const WITHOUT_TIMES: ReadonlySet<string> = new Set(['raw', 'wormhole'])

const LOADS: ReadonlyArray<{ name: string, title: string, load: (size: Size) => Load }> = [
  { name: 'big-file', title: 'one file of 2 GiB (256 MiB with --quick)', load: ({ quick, mib }) => ({ files: 1, bytesEach: (mib ?? (quick ? 256 : 2048)) * MIB }) },
  { name: 'tree', title: 'a tree of 5,000 files of 8 KiB (500 with --quick)', load: ({ quick, files }) => ({ files: files ?? (quick ? 500 : 5000), bytesEach: 8192 }) },
  { name: 'photos', title: '200 files of 8 MB (25 with --quick)', load: ({ quick }) => ({ files: quick ? 25 : 200, bytesEach: 8 * MB }) }
]

/** `subjects`: those that can run here. `routes` is called when the first case runs. */
export function warpdriveCases (subjects: readonly string[], absent: readonly Absent[], routes: () => Routes): Case[] {
  return LOADS.map(({ name, title, load }) => ({
    suite: 'warpdrive',
    name,
    title: `${title}, from disk to disk`,
    subjects,
    absent,
    peers: PEERS,
    run: (subject, size) => send(subject, load(size), routes())
  }))
}

async function send (subject: string, whole: Load, routes: Routes): Promise<Sample[]> {
  const sender = SENDERS[subject]
  if (sender === undefined) throw new Error(`no subject ${subject}`)
  const share = sender.share ?? 1
  const load = whole.files === 1 ? { ...whole, bytesEach: Math.ceil(whole.bytesEach / share) } : { ...whole, files: Math.ceil(whole.files / share) }
  const route = routes.begin(load)
  let waiting: Waiting | undefined
  try {
    waiting = await sender.receive(route)
    const { seconds, watched: { cpuSeconds, clientBytes, serverBytes, wholeSeconds } } = await timed(waiting.send, waiting.pid)
    assertArrived(route, load, !WITHOUT_TIMES.has(subject))
    const speed = load.files === 1 ? { unit: 'MB/s', value: load.bytesEach / seconds / MB } : { unit: 'files/s', value: load.files / seconds }
    const sample = (metric: string, unit: string, value: number): Sample => ({ metric, unit, value, cpuSeconds, rssBytes: Math.max(clientBytes, serverBytes) })
    return [
      sample('send', speed.unit, speed.value),
      sample('whole process', 's', wholeSeconds),
      sample('memory, sender', 'MiB', clientBytes / MIB),
      sample('memory, receiver', 'MiB', serverBytes / MIB)
    ]
  } finally {
    await waiting?.stop()
    routes.end(route)
  }
}
