import { performance } from 'node:perf_hooks'
import type { Test } from 'tap'

/** Sizes far enough apart that noise of a factor of four does not matter: linear is 16, quadratic 256, n^1.5 64. */
const SMALL = 4_096
const LARGE = 65_536
const MOST = 64

/** Passes when the time that `work` takes grows no faster than its input to the power of 1.5, best of five runs each. */
export function assertLinear (t: Test, name: string, work: (n: number) => void): void {
  work(SMALL)
  const ratio = best(() => work(LARGE)) / best(() => work(SMALL))
  t.ok(ratio < MOST, `${name}: 16 times the input took ${ratio.toFixed(1)} times as long`)
}

/** The same for work that waits. */
export async function assertLinearAsync (t: Test, name: string, work: (n: number) => Promise<void>): Promise<void> {
  await work(SMALL)
  const small = await bestAsync(() => work(SMALL))
  const ratio = await bestAsync(() => work(LARGE)) / small
  t.ok(ratio < MOST, `${name}: 16 times the input took ${ratio.toFixed(1)} times as long`)
}

function best (run: () => void): number {
  return Math.min(...Array.from({ length: 5 }, () => {
    const start = performance.now()
    run()
    return performance.now() - start
  }))
}

async function bestAsync (run: () => Promise<void>): Promise<number> {
  let least = Infinity
  for (let n = 0; n < 5; n++) {
    const start = performance.now()
    await run()
    least = Math.min(least, performance.now() - start)
  }
  return least
}
