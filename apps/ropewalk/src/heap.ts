/**
 * How much memory V8 takes for a process that goes on for days.
 *
 * Left alone, V8 gives a node with a thousand clients 128 MiB for objects that live for a moment, and lets the others grow to a multiple
 * of what is in use before it collects them: it is made for programs that have a machine for themselves. The switches that bound both
 * (`--max-semi-space-size`, `--max-old-space-size`) are read when a process starts, and whoever starts `ropewalk` should not have to know
 * them. These are read whenever V8 has collected something:
 *
 * - `--semi-space-growth-factor`: with what the room for young objects is multiplied when many of them survive. 1 keeps it as it is.
 * - `--heap-growing-percent`: how much more than what was in use there may be before the next collection. 0 leaves it to V8.
 * - `--memory-saver-mode`, from V8 13 on: without it that is at least 8 MiB more, however little is in use.
 * - `--no-incremental-marking`: collects at once when so much is there, instead of little by little while a busy receiver makes a third more objects. That
 *   stops it for 10 ms where 25 MiB are in use. Not for who passes on content, which is outside of the heap: only beside it that is collected in time.
 *
 * @module
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Room for young objects that is enough; V8 begins with 1 MiB, and doubles. Ours. */
const YOUNG_BYTES = 8 * 1024 * 1024

/** The same of a node, which has enough of other things. Ours. */
const NODE_YOUNG_BYTES = 4 * 1024 * 1024

/** Ours: ten thousand small files, or a thousand clients, take up to a third more processor time, and the heap is half as large. */
const GROWING_PERCENT = 20

/** Older ones would say on standard error that they do not know it. */
const KNOWS_SAVING = Number.parseInt(process.versions.v8) >= 13

/** From now on the heap of this process is little larger than what it is used for. `atOnce`: what it makes are objects above all. Returns what ends that. */
export function keepHeapSmall (atOnce: boolean = false): () => void {
  const youngAsItWas = keepYoungSmall(NODE_YOUNG_BYTES)
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`)
  if (atOnce) setFlagsFromString('--no-incremental-marking')
  if (KNOWS_SAVING) setFlagsFromString('--memory-saver-mode')
  return () => {
    youngAsItWas()
    setFlagsFromString('--incremental-marking')
    setFlagsFromString('--heap-growing-percent=0')
    if (KNOWS_SAVING) setFlagsFromString('--no-memory-saver-mode')
  }
}

/** Collects what loading has left. Only when it collects V8 reckons anew how much there may be before it does so again: what it has allowed a program that was loading is half as much more. */
export function collect (): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  setFlagsFromString('--no-expose-gc')
}

/** As `keepHeapSmall`, for young objects alone, which costs next to nothing. */
export function keepYoungSmall (enoughBytes: number = YOUNG_BYTES): () => void {
  let enough = false
  const look = (): void => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0
    if (young >= enoughBytes === enough) return
    enough = !enough
    setFlagsFromString(`--semi-space-growth-factor=${enough ? 1 : 2}`)
  }
  const collections = new PerformanceObserver(look)
  collections.observe({ entryTypes: ['gc'] })
  look()
  return () => {
    collections.disconnect()
    setFlagsFromString('--semi-space-growth-factor=2')
  }
}

/** Loads what a node consists of. Nearly all that this makes is thrown away at once, and the room for it would stay. */
export async function loadSmall<T> (load: () => Promise<T>): Promise<T> {
  setFlagsFromString('--semi-space-growth-factor=1')
  try {
    return await load()
  } finally {
    setFlagsFromString('--semi-space-growth-factor=2')
  }
}
