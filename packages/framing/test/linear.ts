import type { Test } from 'tap'

const SMALL = 4_096
const TIMES = 16

/**
 * How much dearer one large input may be than as many bytes in small ones: linear is 1, quadratic 16. Both make the same
 * garbage, so that collecting it does not look like growth.
 */
export const MAX_GROWTH = 6

/** Passes when the processor time that `work` takes grows about as its input does, best of five runs each. */
export function assertLinear (t: Test, name: string, work: (n: number) => void): void {
  work(SMALL)
  const small = best(() => { for (let time = 0; time < TIMES; time++) work(SMALL) })
  const growth = best(() => work(SMALL * TIMES)) / small
  t.ok(growth < MAX_GROWTH, `${name}: ${TIMES} times the input took ${growth.toFixed(1)} times what ${TIMES} inputs take`)
}

/** The same figure, for work that waits. */
export async function growthOf (work: (n: number) => Promise<void>): Promise<number> {
  await work(SMALL)
  const small = await bestAsync(async () => { for (let time = 0; time < TIMES; time++) await work(SMALL) })
  return await bestAsync(() => work(SMALL * TIMES)) / small
}

function best (run: () => void): number {
  return Math.min(...Array.from({ length: 5 }, () => {
    const start = processor()
    run()
    return processor() - start
  }))
}

async function bestAsync (run: () => Promise<void>): Promise<number> {
  let least = Infinity
  for (let round = 0; round < 3; round++) {
    const start = processor()
    await run()
    least = Math.min(least, processor() - start)
  }
  return least
}

/** Milliseconds of processor time of this process: what else the machine does is not counted. */
function processor (): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
