import type { Test } from 'tap'

/** Sizes far enough apart that noise of a factor of four does not matter: linear is 16, quadratic 256, n^1.5 64. */
const SMALL = 4_096
const LARGE = 65_536

/** What 16 times the input may take at most: growth to the power of 1.5. */
export const MAX_GROWTH = 64

/** Passes when the processor time that `work` takes grows no faster than its input to the power of 1.5, best of five runs each. */
export function assertLinear (t: Test, name: string, work: (n: number) => void): void {
  work(SMALL)
  const growth = best(() => work(LARGE)) / best(() => work(SMALL))
  t.ok(growth < MAX_GROWTH, `${name}: 16 times the input took ${growth.toFixed(1)} times as long`)
}

/** How much longer 16 times the input takes, for work that waits. */
export async function growthOf (work: (n: number) => Promise<void>): Promise<number> {
  await work(SMALL)
  return await bestAsync(() => work(LARGE)) / await bestAsync(() => work(SMALL))
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
