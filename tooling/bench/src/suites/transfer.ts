/**
 * Suite `transfer`: files from disk to disk on loopback, durable on both sides, by the real command line and its peers.
 *
 * @module
 */
import type { Absent, Case, Sample, Size } from '../measure.ts'
import { assertWhole, type Files, type Load } from '../transfer/files.ts'
import type { Carrier, Keeper } from '../transfer/mover.ts'
import { MOVERS } from '../transfer/movers.ts'
import { timed, type Timed } from '../transfer/timed.ts'

const MB = 1e6
const MIB = 1_048_576

/** `peers`: whom `ropewalk` is compared with besides, in rows of their own. */
const CARRIERS: ReadonlyArray<{ carrier: Carrier, peers: readonly string[] }> = [{ carrier: 'tcp', peers: ['rsync'] }, { carrier: 'tls', peers: ['scp'] }]

const LOADS: ReadonlyArray<{ name: string, title: string, load: (size: Size) => Load }> = [
  { name: 'file', title: '1 file of 1 GiB (128 MiB with --quick)', load: ({ quick }) => ({ files: 1, bytesEach: (quick ? 128 : 1024) * MIB }) },
  { name: 'files', title: '2,000 files of 4 KiB (500 with --quick, 10,000 with --full)', load: ({ quick, full }) => ({ files: full ? 10_000 : quick ? 500 : 2000, bytesEach: 4096 }) }
]

/** `subjects`: those that can run here. `files` is called when the first case runs. */
export function transferCases (subjects: readonly string[], absent: readonly Absent[], files: () => Files): Case[] {
  return LOADS.flatMap(({ name, title, load }) => CARRIERS.map(({ carrier, peers }): Case => {
    const speaks = (subject: string): boolean => MOVERS[subject]?.carriers.includes(carrier) === true
    return {
      suite: 'transfer',
      name: `${name}-${carrier}`,
      title: `${title}, disk to disk over ${carrier}`,
      subjects: subjects.filter(speaks),
      absent: absent.filter(({ subject }) => speaks(subject)),
      peers,
      run: (subject, size) => measureMover(subject, carrier, load(size), files())
    }
  }))
}

async function measureMover (subject: string, carrier: Carrier, load: Load, files: Files): Promise<Sample[]> {
  const mover = MOVERS[subject]
  if (mover === undefined) throw new Error(`no subject ${subject}`)
  const place = files.begin(load)
  let keeper: Keeper | undefined
  try {
    keeper = await mover.serve(place, carrier)
    const put = await timed(keeper.put(), keeper.pid)
    const get = await timed(keeper.get(put.watched.stdout), keeper.pid)
    assertWhole(place.fetched, load)
    return [...samples('put', put, load), ...samples('get', get, load)]
  } finally {
    await keeper?.stop()
    files.end(place)
  }
}

function samples (verb: string, { seconds, watched }: Timed, { files, bytesEach }: Load): Sample[] {
  const { cpuSeconds, clientBytes, serverBytes, wholeSeconds } = watched
  const rssBytes = Math.max(clientBytes, serverBytes)
  const speed = files === 1 ? { unit: 'MB/s', value: bytesEach / seconds / MB } : { unit: 'files/s', value: files / seconds }
  const sample = (metric: string, unit: string, value: number): Sample => ({ metric, unit, value, cpuSeconds, rssBytes })
  return [sample(verb, speed.unit, speed.value), sample(`${verb}, whole process`, 's', wholeSeconds)]
}
